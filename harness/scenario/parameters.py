"""From what a scenario writes after a fault to the fields of its class.

The class is the only table: a field ``for_s`` is written ``for: 8m``, ``share_ratio`` ``share: 5%``, ``chunk_bytes`` ``chunk: 20kB``, a
``Literal`` gives the allowed words (``black hole`` for ``black_hole``). Deliberately absent: names of faults.
"""

import dataclasses
import importlib
import importlib.util
import types
import typing
from functools import cache
from typing import Any, Literal

from harness.faults.model import FAULTS, Fault
from harness.history.plan import Contract
from harness.scenario.document import did_you_mean
from harness.scenario.limits import Misfit
from harness.scenario.values import READERS, Row

CATALOGUE = "harness.faults.catalogue"

_KIND_OF_SUFFIX = {
    "_bytes_per_s": "size",
    "_bytes": "size",
    "_ratio": "ratio",
    "_s": "span",
}
"""Unit that ends a field's name -> kind of value that is written; the longest suffix wins because it stands first."""

_KIND_OF_TYPE: dict[Any, str] = {bool: "switch", int: "count", float: "number", str: "text"}

SIGNED = "signed"
"""``field(metadata={"signed": True})``: the span may be negative, as the step of a clock may; ``by_s`` is signed without saying so."""


def faults() -> dict[str, type[Fault]]:
    """Every fault that a scenario may write, by name; the catalogue is loaded at the first call."""
    if importlib.util.find_spec(CATALOGUE):
        importlib.import_module(CATALOGUE)
    return FAULTS


@dataclasses.dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a fault as a scenario writes it.

    Attributes:
        name: as written; for the primary one nobody writes it, its value stands after the fault's name.
        field: of the class.
        kind: of ``values.READERS``.
        words: allowed words, as written.
        spelling: word as written -> word of the class.
        required: whether it has no default.
    """

    name: str
    field: str
    kind: str
    words: tuple[str, ...]
    spelling: dict[str, str]
    required: bool
    keys: tuple[tuple[str, Any], ...] = ()


@cache
def parameters(fault: type[Fault]) -> dict[str, Parameter]:
    """The parameters of a fault class by written name, in the order of its fields; ``machine`` is the actor and not among them."""
    hints = typing.get_type_hints(fault)
    found = [_parameter(field, hints[field.name]) for field in dataclasses.fields(fault) if field.init]
    return {item.name: item for item in found if not (fault.subject == "machine" and item.field == "machine")}


def primary(fault: type[Fault]) -> Parameter | None:
    """The parameter whose value stands after the fault's name; None where nothing does."""
    return next((item for item in parameters(fault).values() if item.field == fault.primary), None)


def _parameter(field: "dataclasses.Field[Any]", hint: Any) -> Parameter:
    plain = _without_none(hint)
    words = typing.get_args(plain) if typing.get_origin(plain) is Literal else ()
    spelling = {str(word).replace("_", " "): word for word in words}
    suffix = next((end for end in _KIND_OF_SUFFIX if field.name.endswith(end)), "")
    kind = "word" if words else _KIND_OF_SUFFIX[suffix] if suffix else _KIND_OF_TYPE.get(plain, "text")
    if kind == "span" and (field.metadata.get(SIGNED) or field.name == "by_s"):
        kind = "signed_span"
    elif kind == "span" and field.default == 0:
        kind = "span_or_zero"
    name = field.name.removesuffix(suffix).rstrip("_")
    required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    return Parameter(name, field.name, kind, tuple(spelling), spelling, required)


def _without_none(hint: Any) -> Any:
    """``float | None`` is written like ``float``."""
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        rest = [part for part in typing.get_args(hint) if part is not type(None)]
        return rest[0] if len(rest) == 1 else hint
    return hint


def read(item: Parameter, value: Any, contract: Contract) -> Any:
    """Convert one written value to what the field holds.

    Raises:
        Misfit: if it cannot.
    """
    if item.kind == "word":
        written = str(value).replace("_", " ")
        if written not in item.spelling:
            raise Misfit(
                f"`{str(value)[:60]}` is none of the words of `{item.name}`", did_you_mean(written, item.words)
            )
        return item.spelling[written]
    row: Row = item
    return READERS[item.kind](value, row, contract)
