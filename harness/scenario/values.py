"""How a value may be written: one reader for each kind of argument, in one table.

A reader takes the YAML value, the row of the verb table it stands in and the contract, and returns JSON or raises
``Misfit``. Deliberately absent: which verb takes which kind (``verbs``, ``given``).
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from harness.history.plan import Contract
from harness.scenario.document import did_you_mean
from harness.scenario.limits import Misfit, any_span, budget, span


class Row(Protocol):
    """What the readers need of a row of any table: the allowed words, and the kinds of an object's keys."""

    @property
    def words(self) -> tuple[str, ...]:
        """Allowed values of ``word`` and ``words``; empty = any word."""

    @property
    def keys(self) -> tuple[tuple[str, Any], ...]:
        """Allowed keys of ``object`` -> kind, or -> (kind, words)."""


type Reader = Callable[[Any, Row, Contract], Any]

COUNT_MAX = 1_000_000
TEXT_MAX = 65_536
SIZE_MAX = 1e9
_WORD = re.compile(r"[a-z0-9][a-z0-9 _-]*")
_RATIO = re.compile(r"(\d+(?:\.\d+)?) ?%")
_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?(k|M)?(B|bit)")
_LINES = (("lines", "count"), ("every", "span"), ("size", "size"))
_SCALE = {None: 1, "k": 1_000, "M": 1_000_000}


def text(value: Any, _row: Row, _contract: Contract) -> str:
    """Read a text of at least one character."""
    if isinstance(value, str) and 0 < len(value) <= TEXT_MAX:
        return value
    if isinstance(value, (bool, int, float)):
        shown = str(value).lower() if isinstance(value, bool) else value
        raise Misfit(f"`{shown}` is not a text", f'put it in quotes: "{shown}"')
    raise Misfit(f"a text is missing{_instead(value)}", "write what is said after the colon")


def texts(value: Any, row: Row, contract: Contract) -> list[str]:
    """Read one text or a list of them; always a list."""
    if not isinstance(value, list):
        return [text(value, row, contract)]
    if not value:
        raise Misfit("an empty list claims nothing", "name at least one text; for none at all write `times: 0`")
    return [_inside(index, text, item, row, contract) for index, item in enumerate(value)]


def text_or_lines(value: Any, row: Row, contract: Contract) -> str | dict[str, Any]:
    """Read a text, or a schedule ``{lines: 200, every: 250ms}`` -> ``{lines: 200, every: 0.25}``; ``size`` pads each line to so many bytes."""
    if not isinstance(value, dict):
        return text(value, row, contract)
    lines = mapping(value, _LINES, contract, required=("lines", "every"))
    if lines["lines"] == 0:
        raise Misfit("no lines at all", "write how many", ("lines",))
    if lines.get("size", 0) > TEXT_MAX:
        raise Misfit(f"a line of more than {TEXT_MAX} bytes", "write more and shorter lines", ("size",))
    return lines


def texts_or_every_line(value: Any, row: Row, contract: Contract) -> list[str] | str:
    """Read texts, or the words ``every line``."""
    return value if value == "every line" else texts(value, row, contract)


def word(value: Any, row: Row, _contract: Contract) -> str:
    """Read one of the row's words; where the row lists none, any lower-case word."""
    options = row.words
    if isinstance(value, str) and (value in options or (not options and _WORD.fullmatch(value))):
        return value
    remedy = did_you_mean(str(value), options) if options else "write one lower-case word"
    raise Misfit(f"`{str(value)[:60]}` is none of its words" if options else "a word is missing", remedy)


def words(value: Any, row: Row, contract: Contract) -> list[str]:
    """Read a list of the row's words, each once."""
    if not isinstance(value, list) or not value:
        raise Misfit("a list of words is missing", f"like [{', '.join(row.words[:3])}]")
    read = [_inside(index, word, item, row, contract) for index, item in enumerate(value)]
    if len(set(read)) < len(read):
        raise Misfit("a word stands here twice", "name each once")
    return read


def nothing(value: Any, _row: Row, _contract: Contract) -> None:
    """Read the absence of a value."""
    if value is not None:
        raise Misfit(f"takes nothing after the colon{_instead(value)}", "leave it empty")


def count(value: Any, _row: Row, _contract: Contract) -> int:
    """Read a whole number from 0."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= COUNT_MAX:
        return value
    raise Misfit(f"a whole number from 0 to {COUNT_MAX} is needed{_instead(value)}", "write it in digits, like 1")


def number(value: Any, _row: Row, _contract: Contract) -> float:
    """Read a number."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    raise Misfit(f"a number is needed{_instead(value)}", "write it in digits, like 200")


def switch(value: Any, _row: Row, _contract: Contract) -> bool:
    """Read ``true`` or ``false``."""
    if isinstance(value, bool):
        return value
    raise Misfit(f"true or false is needed{_instead(value)}", "yes, no, on and off are texts; write true or false")


def ratio(value: Any, _row: Row, _contract: Contract) -> float:
    """Read ``5%`` as 0.05."""
    match = _RATIO.fullmatch(value) if isinstance(value, str) else None
    if match is None or float(match[1]) > 100:
        raise Misfit(f"a percentage is needed{_instead(value)}", "write it like 5%")
    return float(match[1]) / 100


def size(value: Any, _row: Row, _contract: Contract) -> float:
    """Read ``20kB`` or ``32kbit`` as bytes (SI: k is 1,000; 8 bit are 1 B)."""
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if match is None or not 0 < float(match[1]) < SIZE_MAX:
        raise Misfit(f"a size is needed{_instead(value)}", "write it like 20kB or 32kbit")
    return float(match[1]) * _SCALE[match[2]] / (8 if match[3] == "bit" else 1)


def span_or_zero(value: Any, _row: Row, contract: Contract) -> float:
    """Read a span that may be zero, such as a jitter."""
    seconds = any_span(value, contract)
    if seconds < 0:
        raise Misfit(f"the span {value} is negative", "write it without the sign")
    return seconds


def budgeted(value: Any, _row: Row, contract: Contract) -> str:
    """Read a budget; its text stays as the value, ``budget`` of ``limits`` gives the parts."""
    budget(value, contract)
    return str(value)


def mapping(
    value: Any, keys: tuple[tuple[str, Any], ...], contract: Contract, required: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Read a mapping whose keys are listed with their kinds; spans become seconds, ratios fractions, sizes bytes.

    Args:
        value: the YAML value.
        keys: name -> kind, or name -> (kind, words).
        contract: resolves named limits.
        required: keys that must be there.
    """
    if not isinstance(value, dict) or not value:
        names = ", ".join(name for name, _ in keys)
        which = ", any of them" if not required else f"; {' and '.join(required)} must be there"
        raise Misfit(f"a mapping is needed{_instead(value)}", f"like {{{names}}}{which}")
    known = dict(keys)
    for name in value:
        if name not in known:
            raise Misfit(f"unknown key `{name}`", did_you_mean(name, known), (name,), key=True)
    for name in required:
        if name not in value:
            raise Misfit(f"`{name}` is missing", f"add `{name}:`")
    return dict(_member(name, item, known[name], contract) for name, item in value.items())


def _member(name: str, item: Any, kind: Any, contract: Contract) -> tuple[str, Any]:
    kind, allowed = kind if isinstance(kind, tuple) else (kind, ())
    return name, _inside(name, READERS[kind], item, _Words(allowed), contract)


class _Words:
    """A row that has only words."""

    keys: tuple[tuple[str, Any], ...] = ()

    def __init__(self, allowed: tuple[str, ...]) -> None:
        self.words = allowed


def _inside(at: str | int, reader: Reader, value: Any, row: Row, contract: Contract) -> Any:
    """Read a part of a value; what does not fit is reported at the part."""
    try:
        return reader(value, row, contract)
    except Misfit as misfit:
        raise Misfit(misfit.message, misfit.remedy, (at, *misfit.at), key=misfit.key) from None


def _instead(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return ", not a mapping" if value else ", not an empty one"
    return ", not a list" if isinstance(value, list) else f", not `{str(value)[:60]}`"


READERS: dict[str, Reader] = {
    "nothing": nothing,
    "text": text,
    "texts": texts,
    "text_or_lines": text_or_lines,
    "texts_or_every_line": texts_or_every_line,
    "span": lambda value, _row, contract: span(value, contract),
    "span_or_zero": span_or_zero,
    "signed_span": lambda value, _row, contract: any_span(value, contract),
    "word": word,
    "words": words,
    "count": count,
    "number": number,
    "switch": switch,
    "ratio": ratio,
    "size": size,
    "object": lambda value, row, contract: mapping(value, row.keys, contract, getattr(row, "required", ())),
    "budget": budgeted,
}
"""Kind -> reader. The kinds of ``verbs.ArgType`` and those that only ``given`` and faults need."""
