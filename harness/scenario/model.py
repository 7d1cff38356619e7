"""The outline of a scenario file: its top-level keys and their shapes, as pydantic models.

The lines of ``story``, ``expect`` and ``given`` are open here (``actor.verb: value``): the tables of ``verbs``, ``given``
and the faults decide about them in ``story``, ``claims`` and ``setting``. Deliberately absent: defaults that decide
anything about a run.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.scenario.document import Document, Path, Problems, did_you_mean
from harness.scenario.profiles import PROFILES

NAME = r"^[a-z0-9]+(-[a-z0-9]+)*$"
WORD = r"^[a-z][a-z0-9_]*$"

type Scalar = str | int | float | bool
type Line = str | dict[str, Any]
type Kind = Literal["sut", "reference"]
type Values = Annotated[list[Scalar], Field(min_length=1, max_length=1_000)]
type World = Literal["sim", "wire", "compose"]
type ActorName = Annotated[str, Field(pattern=WORD, max_length=40)]


class _Outline(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Played(_Outline):
    """An actor whose name does not say its role."""

    role: Literal["host", "relay", "device"] = Field(description="What it is in the protocol.")
    by: Kind = Field(description="Who plays it.")


class Case(_Outline):
    """One side of a boundary: parameters, and what must hold with them."""

    case: str = Field(min_length=1, max_length=80, pattern=r"^[^\[\]=:\n]+$", description="Says what it claims.")
    with_: dict[ActorName, Scalar | Values] = Field(alias="with", min_length=1, description="Values of `$name`.")
    expect: list[dict[str, Any]] = Field(min_length=1, description="What must hold in this case.")


class Scenario(_Outline):
    """A scenario file."""

    scenario: str = Field(pattern=NAME, max_length=80, description="Its name; the file is called the same.")
    about: str = Field(min_length=10, max_length=400, description="One sentence: what it claims.")
    stands_for: list[str | int] = Field(default=[], description="Field failures and properties that it stands for.")
    cast: dict[ActorName, Kind | Played] = Field(min_length=1, description="Who plays whom; `sut` may be replaced.")
    profile: list[Literal[*PROFILES]] = Field(  # type: ignore[valid-type]
        default=[], description="Profiles under which it holds; all where this is absent."
    )
    worlds: list[World] = Field(default=[], description="Worlds that can run it; all where this is absent.")
    vary: dict[ActorName, Values] = Field(default={}, description="Values of `$name`; every combination runs.")
    given: dict[str, Any] = Field(default={}, description="How the world is before the story begins.")
    story: list[Line] = Field(min_length=1, description="What happens, in order.")
    expect: list[dict[str, Any]] = Field(default=[], description="What must hold in every case.")
    cases: list[Case] = Field(default=[], description="The sides of a boundary.")


HARMLESS: dict[str, Any] = {
    "scenario": "unnamed",
    "about": "a sentence to go on with",
    "cast": {"host": "sut", "relay": "reference", "phone": "reference"},
    "story": [{"wait": "1s"}],
}
"""Stands in for a key that is wrong or absent, so that the rest of the file is read too; such a file is refused all the same."""


def outline(document: Document, problems: Problems) -> tuple[Scenario, frozenset[str]]:
    """Read the outline; what is wrong goes to ``problems``, and harmless values stand in for it.

    Returns:
        The outline, and the top-level keys that were wrong.
    """
    data: dict[str, Any] = dict(document.data)
    try:
        return Scenario.model_validate(data), frozenset()
    except ValidationError as error:
        _explain_types([one for one in error.errors(include_url=False) if one["type"] in _TYPES], document, problems)
        for detail in error.errors(include_url=False):
            if detail["type"] not in _TYPES:
                _explain(detail, document, problems)
        wrong = frozenset(str(detail["loc"][0]) for detail in error.errors(include_url=False))
    kept = {key: value for key, value in data.items() if key not in wrong}
    return Scenario.model_validate({**{key: HARMLESS[key] for key in wrong & HARMLESS.keys()}, **kept}), wrong


_TYPES = {
    "string_type": "a text",
    "int_type": "a number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
}

_WRITTEN = {
    "a text": "write it as a text",
    "a list": "write its items with `- ` or in [ ]",
    "a mapping": "write it as `key: value`",
}


def _explain_types(details: Iterable[Mapping[str, Any]], document: Document, problems: Problems) -> None:
    """Say once for each place what may stand there: pydantic speaks for every branch of a union."""
    wanted: dict[Path, dict[str, None]] = {}
    for detail in details:
        wanted.setdefault(_written(document, detail["loc"]), {})[_TYPES[detail["type"]]] = None
    for path, kinds in wanted.items():
        *most, last = kinds
        either = f"{', '.join(most)} or {last}" if most else last
        problems.add(path, f"{either} is needed", _WRITTEN[last] if not most else "write one of these")


def _explain(detail: Mapping[str, Any], document: Document, problems: Problems) -> None:
    path = _written(document, detail["loc"])
    kind, name = detail["type"], str(detail["loc"][-1])
    if kind == "missing":
        problems.add(path[:-1] if path and path[-1] == name else path, f"`{name}` is missing", _needed(name))
    elif kind == "extra_forbidden":
        model = Case if path[:1] == ("cases",) else Played if path[:1] == ("cast",) else Scenario
        known = [field.alias or key for key, field in model.model_fields.items()]
        problems.add(path, f"unknown key `{name}`", did_you_mean(name, known), key=True)
    else:
        value = detail["input"] if isinstance(detail["input"], str) else ""
        message, remedy = _SENTENCES.get(kind, _sentence)(detail, value)
        problems.add(path, message, remedy, key=name == "[key]")


def _written(document: Document, loc: tuple[str | int, ...]) -> Path:
    """Strip pydantic's names of union branches from a location, so that it is a path of the document."""
    path: Path = ()
    for part in loc:
        if (*path, part) in document.values:
            path = (*path, part)
    return path if path or loc[:1] == () or (loc[0],) in document.values else ()


def _needed(name: str) -> str:
    return {
        "with": "a case says which values it is about: `with: {cut: 8m}`",
        "expect": "a case that expects nothing claims nothing: add `expect:`",
        "about": "add one sentence that says what the scenario claims",
        "cast": "add `cast: {host: sut, relay: reference, phone: reference}`",
        "story": "add `story:` with what happens",
        "scenario": "add `scenario: <name of the file>`",
    }.get(name, f"add `{name}:`")


def _sentence(detail: Any, _value: str) -> tuple[str, str]:
    return str(detail["msg"]).replace("Input", "this", 1), "see docs/guide/write-a-scenario.md"


def _pattern(detail: Any, value: str) -> tuple[str, str]:
    remedy = {
        NAME: "write lower-case words joined by `-`, like ten-minute-outage",
        WORD: "write one lower-case word, like cut or rtt",
    }.get(detail["ctx"]["pattern"], "leave out brackets, `=` and `:`")
    return f"`{value[:60]}` is not a name", remedy


def _choice(detail: Any, value: str) -> tuple[str, str]:
    options = [word.strip("' ") for word in detail["ctx"]["expected"].replace(" or ", ",").split(",")]
    return f"`{value[:60]}` is none of its words", did_you_mean(value, options)


def _short(detail: Any, _value: str) -> tuple[str, str]:
    name = next((str(part) for part in reversed(detail["loc"]) if isinstance(part, str) and part.isidentifier()), "")
    return f"`{name}` is empty", "name at least one, or leave the key out"


_SENTENCES: dict[str, Callable[[Any, str], tuple[str, str]]] = {
    "string_pattern_mismatch": _pattern,
    "literal_error": _choice,
    "too_short": _short,
    "string_too_short": lambda _detail, value: (f"`{value}` says too little", "write it out"),
}
