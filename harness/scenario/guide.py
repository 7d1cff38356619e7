"""The tables of docs/guide/write-a-scenario.md, generated from the tables that the language itself reads.

Deliberately absent: the prose around them, which people write.
"""

import re
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from harness.base.span import format_span
from harness.scenario.given import GIVEN
from harness.scenario.profiles import PROFILES
from harness.scenario.reading import MOMENTS
from harness.scenario.verbs import EXPECT, STORY, ExpectVerb

_WRITTEN = {
    "nothing": "",
    "text": "a text",
    "texts": "a text, or a list of texts",
    "text_or_lines": "a text, or `{lines: 200, every: 250ms}`, with `size: 10kB` for long lines",
    "texts_or_every_line": "a text, a list of texts, or `every line`",
    "span": "a span: `10m`",
    "span_or_zero": "a span: `80ms`",
    "signed_span": "a span, `-1h` too",
    "word": "a word",
    "count": "a number",
    "number": "a number",
    "switch": "`true` or `false`",
    "ratio": "`5%`",
    "size": "`20kB`, `32kbit`",
    "budget": "`p(99) <= rtt + 600ms`",
}
_SECTION = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(guide: str) -> str:
    """The guide's text with every section ``<!-- table: name --> ... <!-- end -->`` generated anew."""
    tables = {
        "story": _table(("line", "value", "what it does"), (_row(row.role, row) for row in STORY)),
        "expect": _table(
            ("line", "value", "beside it", "what must hold"), (_claim_row(*_row(row.role, row), row) for row in EXPECT)
        ),
        "given": _table(("key", "value", "what it arranges"), (_row(" or ".join(row.roles), row) for row in GIVEN)),
        "moments": _table(("moment", "when"), ((f"`{name}`", about) for name, about in MOMENTS.items())),
        "profiles": _profiles(),
    }
    return _SECTION.sub(lambda match: match[1] + tables[match[2]] + match[3], guide)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def _row(role: str, row: Any) -> tuple[str, str, str]:
    name = f"`{row.name}`" if " or " in role else f"`{role}.{row.name}`"
    who = f" ({role})" if " or " in role else ""
    return name + who, _value(row.arg, row.words, row.keys), row.about


def _claim_row(line: str, value: str, about: str, row: ExpectVerb) -> tuple[str, ...]:
    """A row of ``expect`` with what may stand beside the claim, other than ``proves``."""
    beside = [f"`{word.replace('never', 'times: 0')}`" for word in row.modifiers]
    sample = ["`in_at_least: " + ("20kB" if unit == "bytes" else f"200 {unit}") + "`" for unit in row.samples[:1]]
    return line, value, ", ".join([*beside, *sample]), about


def _value(kind: str, words: Iterable[str], keys: Iterable[tuple[str, Any]]) -> str:
    if kind == "object":
        return "; ".join(f"`{name}`: {_value(*_member(item), ())}" for name, item in keys)
    shown = ", ".join(f"`{word}`" for word in words)
    if kind == "words":
        return f"a list of {shown}" if shown else "a list of words"
    return shown or _WRITTEN[kind]


def _member(item: Any) -> tuple[str, tuple[str, ...]]:
    return item if isinstance(item, tuple) else (item, ())


def _profiles() -> str:
    """One column for each profile, one row for each promise; spans under the names that scenarios write."""
    names = [field.name for field in fields(next(iter(PROFILES.values()))) if field.name != "profile"]
    rows = [(f"`{name.removesuffix('_s')}`", *(_promise(name, c) for c in PROFILES.values())) for name in names]
    return _table(("promise", *(f"`{name}`" for name in PROFILES)), rows)


def _promise(name: str, contract: Any) -> str:
    value = getattr(contract, name)
    return format_span(value) if name.endswith("_s") else str(value)
