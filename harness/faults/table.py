"""The table of all faults for people, docs/spec/faults.md, made from the classes themselves.

``python -c "from harness.faults.table import render; print(render(), end='')" > docs/spec/faults.md`` writes it anew; a test
holds the two equal. Deliberately absent: writing files.
"""

import dataclasses
import inspect
import typing
from typing import Any, Literal

import harness.faults.catalogue  # noqa: F401  fills FAULTS
from harness.base.span import format_span
from harness.faults.model import FAULTS, MIDDLEBOX_SETTINGS, OPERATIONS, Fault

_UNITS = ("_bytes_per_s", "_bytes", "_ratio", "_s")
_HEAD = """# The faults

Made from `harness/faults/catalogue` (the command stands in `harness/faults/table.py`); do not edit. How to add one:
[add-a-fault.md](../guide/add-a-fault.md). The events that evidence rests on: [history.md](history.md).

A fault heals when its time is over, however far the steps under its `during` have come; the story goes on when both are done. It has
*bitten* when the evidence below is found in the history; a run with a fault that has not bitten is INCONCLUSIVE. Faults without a time
are a moment: what they did stays.
"""


def render() -> str:
    """Render docs/spec/faults.md from ``FAULTS``, ``OPERATIONS`` and ``MIDDLEBOX_SETTINGS``."""
    faults = [_section(FAULTS[name]) for name in sorted(FAULTS)]
    settings = "what the `middlebox` operation can set; null restores"
    parts = (
        _HEAD,
        _table(("fault", "as written", "parameters (default)", "what happens", "has bitten when"), map(_row, _all())),
        "## In each world\n",
        "\n".join(faults),
        "## Operations\n\nFaults are made of these, worlds perform these.\n",
        _table(("operation", "what it does"), ((f"`{name}`", text) for name, text in OPERATIONS.items())),
        f"### Settings of a middlebox\n\nThis is {settings}.\n",
        _table(("setting", "meaning"), ((f"`{name}`", text) for name, text in MIDDLEBOX_SETTINGS.items())),
    )
    return "\n".join(parts)


def written(fault: type[Fault]) -> str:
    """Return the shortest way to write a fault in a scenario, e.g. ``{host.sleeps: 1h}``."""
    if fault.subject == "link":
        return f"{{{fault.name}: host-relay}}"
    primary = next(field for field in dataclasses.fields(fault) if field.name == fault.primary)
    example = getattr(fault, "example", "host")
    value = f'"{fault.primary}"' if primary.default is dataclasses.MISSING else _value(primary)
    return f"{{{example}.{fault.name}: {value}}}"


def _all() -> list[type[Fault]]:
    return [FAULTS[name] for name in sorted(FAULTS)]


def _row(fault: type[Fault]) -> tuple[str, ...]:
    return f"`{fault.name}`", f"`{written(fault)}`", _parameters(fault), _sentence(fault), _sentence(fault.evidence)


def _section(fault: type[Fault]) -> str:
    lines = [f"- `{fault.name}`"] + [f"  - {world}: {how}" for world, how in fault.worlds.items()]
    return "\n".join(lines) + ("\n" if fault is _all()[-1] else "")


def _parameters(fault: type[Fault]) -> str:
    hints = typing.get_type_hints(fault)
    shown = [field for field in dataclasses.fields(fault) if field.init and field.name not in ("link", "machine")]
    return "; ".join(_parameter(field, hints[field.name]) for field in shown)


def _parameter(field: "dataclasses.Field[Any]", hint: Any) -> str:
    unit = next((unit for unit in _UNITS if field.name.endswith(unit)), "")
    name = field.name.removesuffix(unit)
    words = f": {', '.join(typing.get_args(hint))}" if typing.get_origin(hint) is Literal else ""
    default = "" if field.default is dataclasses.MISSING else f" ({_value(field) or 'none'})"
    return f"`{name}`{words}{default}"


def _value(field: "dataclasses.Field[Any]") -> str:
    """Write a default as a scenario would; the longest unit that fits the field's name decides."""
    value = field.default
    if field.name.endswith("_bytes_per_s") or field.name.endswith("_bytes"):
        return f"{value:g}B"
    if field.name.endswith("_ratio"):
        return f"{typing.cast('float', value) * 100:g}%"
    if field.name.endswith("_s"):
        return format_span(typing.cast("float", value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _sentence(thing: Any) -> str:
    """Return the first line of a docstring, without the reST marks that only readers of code want."""
    line = (inspect.getdoc(thing) or "").split("\n", 1)[0]
    for unit in _UNITS:
        line = line.replace(f"{unit}``", "``")
    return line.replace("``", "`")


def _table(head: tuple[str, ...], rows: typing.Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', ' or ') for cell in line)} |" for line in lines) + "\n"
