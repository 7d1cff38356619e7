"""Bytes -> document: YAML 1.2 core, strictly, with the place of every key and value.

What can be told before there is any structure is told here: size, encoding, tabs, control characters, broken YAML.
Deliberately absent: the tree (``tree``), and what a scenario means (``model``).
"""

import re
import sys
from collections.abc import Iterator
from contextlib import suppress

import yaml

from harness.base.errors import Place, Problem, ScenarioError
from harness.scenario.document import Document
from harness.scenario.tree import Tree, place_at

BYTES_MAX = 1 << 20

_QUICK = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Seven times as quick where PyYAML was built with libyaml, but less exact in what it says of a broken text."""

_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # what PyYAML counts as a line
_ESCAPE = re.compile(r"\\U([0-9A-Fa-f]{8})")
_FORBIDDEN = re.compile("[^\n\r\x20-\x7e\x85\xa0-\u2029\u202f-\u2065\u206a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""YAML's own list, and the marks that turn the direction of writing (Unicode TR 36): what a person reads is what the machine reads."""


def parse(content: bytes, file: str) -> Document:
    """Parse the bytes of a scenario file.

    Args:
        content: at most ``BYTES_MAX`` bytes of UTF-8, with or without a byte order mark.
        file: the name shown in messages.

    Returns:
        The document; its data is a mapping.

    Raises:
        ScenarioError: with every problem that can be told before the structure is known, each with its place.
    """
    lines = tuple(_LINE_BREAK.split(_decode(content, file)))
    text = "\n".join(lines)
    with suppress(ScenarioError, yaml.YAMLError, ValueError, OverflowError):
        return Tree(file, lines, _QUICK).build(text)
    try:
        return Tree(file, lines).build(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = place_at(file, lines, mark.line, mark.column) if mark else Place(file, 1, 1)
        raise ScenarioError([Problem(at, f"not YAML: {error.problem or error.context}", _remedy(error))]) from None
    except (ValueError, OverflowError):  # PyYAML's chr() of an escape such as "\UFFFFFFFF"; its scanner keeps no place
        raise ScenarioError(_escapes(file, lines)) from None


def _escapes(file: str, lines: tuple[str, ...]) -> list[Problem]:
    found = [(n, match) for n, line in enumerate(lines) for match in _ESCAPE.finditer(line)]
    beyond = [place_at(file, lines, n, match.start()) for n, match in found if int(match[1], 16) > sys.maxunicode]
    message, remedy = (
        "an escape that is no character",
        "the highest is \\U0010FFFF; a text in single quotes has no escapes",
    )
    return [Problem(at, message, remedy) for at in beyond or [Place(file, 1, 1, lines[0])]]


def _remedy(error: yaml.MarkedYAMLError) -> str:
    if "mapping values are not allowed" in (error.problem or ""):
        return "a text that holds `: ` stands in quotes"
    return "see the line above it too: indentation, a missing `:` or an open bracket"


def _decode(content: bytes, file: str) -> str:
    if len(content) > BYTES_MAX:
        message = f"the file has {len(content)} bytes; a scenario has at most {BYTES_MAX}"
        raise ScenarioError([Problem(Place(file, 1, 1), message, "split it: one claim, one file")])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = _LINE_BREAK.split(content[: error.start].decode("utf-8", "replace").removeprefix("\ufeff"))
        place = Place(file, len(before), len(before[-1]) + 1)
        raise ScenarioError([Problem(place, "not UTF-8", "save the file as UTF-8")]) from None
    problems = list(_forbidden(text, file))
    if problems:
        raise ScenarioError(problems)
    if not text.strip():
        raise ScenarioError([Problem(Place(file, 1, 1), "the file is empty", "start with `scenario: <name>`")])
    return text


def _forbidden(text: str, file: str) -> Iterator[Problem]:
    for number, line in enumerate(_LINE_BREAK.split(text), 1):
        match = _FORBIDDEN.search(line)
        if match is None:
            continue
        place = Place(file, number, match.start() + 1, _FORBIDDEN.sub(" ", line))
        if match[0] == "\t":
            yield Problem(place, "a tab", r'indent with spaces; inside a text write "\t" in double quotes')
        else:
            yield Problem(place, f"the control character U+{ord(match[0]):04X}", "remove it")
