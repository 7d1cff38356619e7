"""YAML events -> document: strictly one tree of plain values.

Events carry marks, arrive lazily and know no recursion, so a hostile file is refused before it costs anything.
Deliberately absent: every surprise of YAML 1.1 (``10:00`` = 600, ``on`` = true).
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

import yaml

from harness.base.errors import Place, Problem, ScenarioError
from harness.scenario.document import Document, Path

DEPTH_MAX = 64
NODES_MAX = 20_000
"""All nodes of the document, with aliases counted as often as they are used: anchors cannot explode."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_INT = re.compile(r"[-+]?[0-9]{1,18}|0o[0-7]{1,20}|0x[0-9a-fA-F]{1,15}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_ODD_FLOAT = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_STRING_TAGS = (None, "!", "tag:yaml.org,2002:str")


def place_at(file: str, lines: tuple[str, ...], line: int, column: int) -> Place:
    """The place of a zero-based line and column."""
    return Place(file, line + 1, column + 1, lines[line] if line < len(lines) else "")


class Tree:
    """Grows a document from events with an explicit stack; every limit is checked before anything is kept.

    Args:
        file: the name shown in messages.
        lines: the text, as PyYAML counts lines.
        loader: whose events; each marks them alike.
    """

    def __init__(self, file: str, lines: tuple[str, ...], loader: type = yaml.SafeLoader) -> None:
        self._loader = loader
        self._file = file
        self._lines = lines
        self._values: dict[Path, Place] = {}
        self._keys: dict[Path, Place] = {}
        self._problems: list[Problem] = []
        self._anchors: dict[str, Any] = {}
        self._open: list[_Open] = []
        self._root: list[Any] = []
        self._nodes = 0

    def build(self, text: str) -> Document:
        """Build the document of one text.

        Raises:
            ScenarioError: with every problem up to the first that makes going on pointless.
            yaml.MarkedYAMLError: where the text is not YAML.
        """
        for event in yaml.parse(text, Loader=self._loader):
            if isinstance(event, yaml.DocumentStartEvent) and self._root:
                self._refuse(event, "a second document", "one file holds one scenario; remove the `---`")
                break
            self._take(event)
        root = self._root[0] if self._root else None
        if not isinstance(root, dict) and not self._problems:
            self._problems.append(Problem(self._at_start(), "a scenario is a mapping", "start with `scenario: <name>`"))
        if self._problems:
            raise ScenarioError(self._problems)
        return Document(self._file, root, self._lines, self._values, self._keys)

    def _take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self._count(event, 1)
            self._put(event, self._scalar(event), event.anchor)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._begin(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            closed = self._open.pop()
            if closed.anchor:
                self._anchors[closed.anchor] = closed.value

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        self._count(event, 1)
        if len(self._open) == DEPTH_MAX:
            self._stop(event, f"nested deeper than {DEPTH_MAX}", "a scenario needs about six levels")
        kind, tag = (dict, "map") if isinstance(event, yaml.MappingStartEvent) else (list, "seq")
        if event.tag not in (None, "!", f"tag:yaml.org,2002:{tag}"):
            self._refuse(event, f"the tag `{_short(event.tag)}`", "a scenario holds plain values only; remove the tag")
        value: dict[str, Any] | list[Any] = kind()
        path = self._put(event, value, None)
        self._open.append(_Open(value, path, event.anchor))

    def _alias(self, event: yaml.AliasEvent) -> None:
        if event.anchor not in self._anchors:
            self._stop(event, f"the alias `*{event.anchor}` has no anchor before it", "write the value out")
        value = self._anchors[event.anchor]
        self._count(event, _size(value))
        path = self._put(event, value, None)
        place = self._place(event)
        for below in _paths_below(value):
            self._values[path + below] = place

    def _put(self, event: yaml.NodeEvent, value: Any, anchor: str | None) -> Path:
        if anchor:
            self._anchors[anchor] = value
        if not self._open:
            self._root.append(value)
            self._values[()] = self._place(event)
            return ()
        top = self._open[-1]
        if isinstance(top.value, list):
            path = (*top.path, len(top.value))
            top.value.append(value)
        elif top.key is None:
            return self._put_key(top, event, value)
        else:
            path, top.key = (*top.path, top.key), None
            top.value[path[-1]] = value
        self._values[path] = self._place(event)
        return path

    def _put_key(self, top: "_Open", event: yaml.NodeEvent, key: Any) -> Path:
        if not isinstance(event, yaml.ScalarEvent):
            self._stop(event, "a mapping key must be a word", "a text that starts with { or [ stands in quotes")
        word = event.value if isinstance(event, yaml.ScalarEvent) else str(key)
        path = (*top.path, word)
        if path in self._keys:
            first = self._keys[path].line
            self._refuse(event, f"`{word}` stands here twice", f"the first is in line {first}; keep one of the two")
        self._keys.setdefault(path, self._place(event))
        top.key = word
        return path

    def _scalar(self, event: yaml.ScalarEvent) -> Any:
        if event.tag not in _STRING_TAGS:
            self._refuse(event, f"the tag `{_short(event.tag)}`", "a scenario holds plain values only; remove the tag")
            return event.value
        if _SURROGATE.search(event.value):
            self._refuse(event, "half of a surrogate pair", "write the character itself")
        if not event.implicit[0] or event.tag is not None:
            return event.value
        try:
            return resolve(event.value)
        except ValueError as error:
            self._refuse(event, str(error), "write a smaller number, or put it in quotes")
            return event.value

    def _count(self, event: yaml.Event, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > NODES_MAX:
            remedy = "split the file; an alias counts as often as it is used"
            self._stop(event, f"more than {NODES_MAX} values, aliases spelt out", remedy)

    def _refuse(self, event: yaml.Event, message: str, remedy: str) -> None:
        self._problems.append(Problem(self._place(event), message, remedy))

    def _stop(self, event: yaml.Event, message: str, remedy: str) -> NoReturn:
        self._refuse(event, message, remedy)
        raise ScenarioError(self._problems)

    def _place(self, event: yaml.Event) -> Place:
        mark = event.start_mark
        assert mark is not None  # both parsers mark every event
        column = mark.column
        if isinstance(event, yaml.ScalarEvent) and not event.value and event.implicit[0]:
            # Nothing stands there: one parser points behind the colon, the other behind the blank after it.
            before = self._lines[mark.line][:column] if mark.line < len(self._lines) else ""
            column = len(before.rstrip())
        return place_at(self._file, self._lines, mark.line, column)

    def _at_start(self) -> Place:
        return self._values.get((), Place(self._file, 1, 1, self._lines[0]))


@dataclass(slots=True)
class _Open:
    """A collection that has begun and not ended; ``key`` is the mapping key that waits for its value."""

    value: Any
    path: Path
    anchor: str | None
    key: str | None = None


def resolve(text: str) -> Any:
    """Give a plain scalar its YAML 1.2 core type.

    Raises:
        ValueError: for a number no scenario can use: infinite, not a number, or of more than 18 digits.
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    if _ODD_FLOAT.fullmatch(text):
        raise ValueError(f"`{text}` is not a number that can be reached")
    if _FLOAT.fullmatch(text):
        number = float(text)
        if not math.isfinite(number) or abs(number) >= 1e18:
            raise ValueError(f"the number `{text[:24]}` is too large")
        return number
    return text


def _short(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!")


def _size(value: Any) -> int:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(_size(child) for child in children)


def _paths_below(value: Any) -> Iterator[Path]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in items:
        yield (key,)
        for rest in _paths_below(child):
            yield (key, *rest)
