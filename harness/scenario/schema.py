"""The JSON Schema of a scenario file, generated from the models and the tables: editors complete and check by it.

It is a little looser than the loader: what spans several lines (an actor of the cast, a used parameter, a fault's own
parameters) only the loader knows. Deliberately absent: anything written by hand that a table already says.
"""

import json
from collections.abc import Iterable
from typing import Any

from harness.faults.model import Fault
from harness.scenario.claims import MODIFIERS
from harness.scenario.given import GIVEN
from harness.scenario.model import Scenario
from harness.scenario.parameters import Parameter, faults, parameters, primary
from harness.scenario.reading import MOMENTS
from harness.scenario.verbs import EXPECT, STORY

type Schema = dict[str, Any]

USUAL_NAMES = {"host": ("host",), "relay": ("relay",), "device": ("phone", "browser", "phone2"), "wire": ("wire",)}
"""Names that editors propose; any other name of the cast is accepted by pattern."""

PARAMETER: Schema = {"type": "string", "pattern": r"\$[a-z]", "description": "A parameter of `vary` or `with`."}
_TEXT: Schema = {"type": "string", "minLength": 1}
_SPAN: Schema = {
    "type": "string",
    "pattern": r"^(-?(\d+(\.\d+)?(ms|d|h|m|s))+|(\d+(\.\d+)? )?[a-z_]+)( [+-] .+)?$",
    "examples": ["10m", "1h30m", "250ms", "outage_limit"],
}
_SIZE: Schema = {"type": "string", "pattern": r"^\d+(\.\d+)? ?[kM]?(B|bit)$", "examples": ["20kB", "32kbit"]}
_LINES: Schema = {
    "type": "object",
    "properties": {"lines": {"type": "integer", "minimum": 1}, "every": _SPAN, "size": _SIZE},
    "required": ["lines", "every"],
    "additionalProperties": False,
}
_TEXTS: Schema = {"type": "array", "items": _TEXT, "minItems": 1}
_PLAIN: dict[str, Schema] = {
    "nothing": {"type": "null"},
    "text": _TEXT,
    "texts": {"anyOf": [_TEXT, _TEXTS]},
    "text_or_lines": {"anyOf": [_TEXT, _LINES]},
    "texts_or_every_line": {"anyOf": [{"const": "every line"}, _TEXT, _TEXTS]},
    "span": _SPAN,
    "span_or_zero": _SPAN,
    "signed_span": _SPAN,
    "count": {"type": "integer", "minimum": 0},
    "number": {"type": "number"},
    "switch": {"type": "boolean"},
    "ratio": {"type": "string", "pattern": r"^\d+(\.\d+)? ?%$", "examples": ["5%"]},
    "size": _SIZE,
    "budget": {"type": "string", "pattern": r"^(p\(\d+(\.\d+)?\)|max) *<= *.+$", "examples": ["p(99) <= rtt + 600ms"]},
}


def value_schema(
    kind: str, words: Iterable[str] = (), keys: Iterable[tuple[str, Any]] = (), required: Iterable[str] = ()
) -> Schema:
    """The schema of one kind of ``values.READERS``; a parameter may stand wherever a value stands."""
    if kind in _PLAIN:
        return {"$ref": f"#/$defs/{kind}"}
    found = _kind(kind, tuple(words), tuple(keys))
    return _or_parameter({**found, "required": list(required)} if required else found)


def _or_parameter(found: Schema) -> Schema:
    return {"anyOf": [found, {"$ref": "#/$defs/parameter"}]}


def _kind(kind: str, words: tuple[str, ...], keys: tuple[tuple[str, Any], ...]) -> Schema:
    if kind == "word":
        return {"enum": list(words)} if words else {"$ref": "#/$defs/text"}
    if kind == "words":
        return {"type": "array", "items": _kind("word", words, ()), "minItems": 1, "uniqueItems": True}
    if kind == "object":
        members = {name: item if isinstance(item, tuple) else (item, ()) for name, item in keys}
        properties = {name: value_schema(of, allowed) for name, (of, allowed) in members.items()}
        return {"type": "object", "properties": properties, "additionalProperties": False, "minProperties": 1}
    raise AssertionError(kind)


def _definitions() -> Schema:
    kinds = {kind: _or_parameter(found) for kind, found in _PLAIN.items()}
    return {"parameter": PARAMETER, **kinds, "Line": _line(), "Expectation": _expectation(), "Fault": _fault()}


def schema() -> Schema:
    """The whole schema, JSON Schema 2020-12."""
    made = Scenario.model_json_schema()
    expect = {"type": "array", "items": {"$ref": "#/$defs/Expectation"}, "minItems": 1}
    made["$defs"] |= _definitions()
    made["$defs"]["Case"]["properties"]["expect"] |= expect
    made["properties"]["expect"] |= expect
    made["properties"]["story"]["items"] = {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/Line"}]}
    made["properties"]["given"] |= _by_actor((role, row) for row in GIVEN for role in row.roles)
    made["anyOf"] = [{"required": ["expect"]}, {"required": ["cases"]}]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": "relayproof scenario"}


def schema_text() -> str:
    """The contents of docs/spec/scenario.schema.json."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def _by_actor(rows: Iterable[tuple[str, Any]]) -> Schema:
    """An object whose keys are ``actor.name``: the usual actors by name, all others by pattern."""
    properties: Schema = {}
    patterns: dict[str, list[Schema]] = {}
    for role, row in rows:
        found = {**value_schema(row.arg, row.words, row.keys, getattr(row, "required", ())), "description": row.about}
        properties |= {f"{name}.{row.name}": found for name in USUAL_NAMES[role]}
        if role != "wire" and found not in patterns.setdefault(row.name, []):
            patterns[row.name].append(found)
    usual = "|".join(name for names in USUAL_NAMES.values() for name in names)
    named = {rf"^(?!({usual})\.)[a-z][a-z0-9_]*\.{name}$": _any_of(found) for name, found in patterns.items()}
    return {"type": "object", "properties": properties, "patternProperties": named, "additionalProperties": False}


def _any_of(found: list[Schema]) -> Schema:
    return found[0] if len(found) == 1 else {"anyOf": found}


def _line() -> Schema:
    line = _by_actor((row.role, row) for row in STORY)
    moments = " | ".join(MOMENTS)
    line["properties"] |= {
        "fault": {"$ref": "#/$defs/Fault", "description": "A fault; it heals at its end."},
        "during": {"type": "array", "items": {"$ref": "#/$defs/Line"}, "description": "What happens under the fault."},
        "wait": {"type": "string", "description": f"`5s`, or `5s before|after` one of {moments}."},
        "python": {"type": "string", "description": "A named Python step."},
        "with": {"type": "object", "description": "What the Python step is given."},
        "within": {**value_schema("span"), "description": "How long the step may take."},
    }
    return line


def _expectation() -> Schema:
    claim = _by_actor((row.role, row) for row in EXPECT)
    modifiers: Schema = {
        "times": {**value_schema("count"), "description": "Exactly so often."},
        "within": {"type": "string", "description": "`10s of wake`: at most so long after a moment."},
        "since": {"const": "last_heard", "description": "What a measured span counts from."},
        "in_at_least": {"type": "string", "description": "How much must have been looked at: `200 lines`, `20kB`."},
        "effects": {"const": "none", "description": "A refusal that left nothing behind."},
        "proves": {"type": "string", "pattern": r"^RC-[A-Z]+-\d{3}", "description": "The requirement that it proves."},
    }
    assert tuple(modifiers) == MODIFIERS
    return claim | {"properties": claim["properties"] | modifiers, "required": ["proves"]}


def _fault() -> Schema:
    properties: Schema = {}
    for cls in faults().values():
        found = {**_first(cls), "description": (cls.__doc__ or "").partition("\n")[0]}
        names = (cls.name,) if cls.subject == "link" else tuple(f"{actor}.{cls.name}" for actor in _MACHINES)
        properties |= dict.fromkeys(names, found)
    machines = "|".join(cls.name for cls in faults().values() if cls.subject == "machine")
    usual = "|".join(_MACHINES)
    return {
        "type": "object",
        "properties": properties | _parameters(),
        "patternProperties": {rf"^(?!({usual})\.)[a-z][a-z0-9_]*\.({machines})$": {}},
        "additionalProperties": False,
    }


_MACHINES = ("host", "relay", "phone")


def _first(cls: type[Fault]) -> Schema:
    item = primary(cls)
    return {"type": "null"} if item is None else _parameter(item)


def _parameter(item: Parameter) -> Schema:
    found = value_schema(item.kind, item.words)
    return found if item.required else {"anyOf": [found, {"type": "null"}]}


def _parameters() -> Schema:
    """Parameters of all faults by name; one name in several faults accepts what any of them accepts."""
    found: dict[str, list[Schema]] = {}
    for cls in faults().values():
        for name, item in parameters(cls).items():
            one = value_schema(item.kind, item.words)
            if item.field != "link" and one not in found.setdefault(name, []):
                found[name].append(one)
    return {name: _any_of(several) for name, several in sorted(found.items())}
