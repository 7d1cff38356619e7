"""The section ``expect``: lines -> expectations, each with the requirement that it proves.

Deliberately absent: judging; that is the check of the same role and verb in ``harness.checks``.
"""

import re
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from harness.base.spec import error_codes, error_statuses
from harness.checks.requirements import ID, load_requirements
from harness.history.plan import Actor, Expectation
from harness.scenario.document import Path, did_you_mean
from harness.scenario.limits import Misfit, budget, span
from harness.scenario.reading import Reading, moment, split_within
from harness.scenario.story import verb_key
from harness.scenario.values import READERS
from harness.scenario.verbs import EXPECT, ExpectVerb, Role

_VERBS = {(row.role, row.name): row for row in EXPECT}
_SHUT = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
"""Statuses of refusals that say who may come in."""

_SAMPLE = re.compile(r"(\d+) ?(lines|messages|attempts|requests|frames)")
MODIFIERS = ("times", "within", "since", "in_at_least", "effects", "proves")


def claims(reading: Reading, lines: Any, path: Path = ("expect",)) -> tuple[Expectation, ...]:
    """Read lines into expectations; lines with problems are noted and left out.

    Args:
        reading: the permutation.
        lines: a list of mappings, parameters already in place.
        path: of the list in the document: ``("expect",)`` or ``("cases", n, "expect")``.
    """
    number = ".".join(map(str, path))
    read = (_claim(reading, line, (*path, index), f"{number}.{index}") for index, line in enumerate(lines))
    return tuple(claim for claim in read if claim is not None)


def _claim(reading: Reading, line: dict[str, Any], path: Path, number: str) -> Expectation | None:
    key = verb_key(reading, line, path, MODIFIERS)
    if key is None:
        return None
    found = _row(reading, key, (*path, key))
    proves = _proves(reading, line, path)
    if found is None:
        return None
    name, row = found
    at = (*path, key)
    if row.arg == "budget" and "in_at_least" not in line:
        reading.wrong(at, "a budget without samples", "say how many: `in_at_least: 200 lines`", key=True)
    args = reading.take(at, lambda: _args(line[key], row, reading))
    return Expectation(
        number, reading.line(path), name, row.name, args or {}, proves, **_modifiers(reading, line, path)
    )


def _row(reading: Reading, key: str, path: Path) -> tuple[str, ExpectVerb] | None:
    name, _, verb = key.partition(".")
    actor = None if name == "wire" else reading.actor(name, path)
    if name != "wire" and actor is None:
        return None
    role = _role(actor)
    row = _VERBS.get((role, verb))
    if row is None:
        known = [word for of, word in _VERBS if of == role]
        reading.wrong(path, f"nothing can be expected of a {role}'s `{verb}`", did_you_mean(verb, known), key=True)
        return None
    return name, row


def _role(actor: Actor | None) -> Role:
    return actor.role if actor else "wire"


def _args(value: Any, row: ExpectVerb, reading: Reading) -> dict[str, Any]:
    read = READERS[row.arg](value, row, reading.contract)
    if row.arg == "budget":
        return {"value": read, **asdict(budget(read, reading.contract))}
    for name in row.required:
        if name not in read:
            raise Misfit(f"`{name}` is missing", f"add `{name}:`")
    if row.name == "refused":
        _refusal(read["as"], read.get("at_least", 1))
    codes = error_codes() | {"accepted"}
    if (row.role, row.name) == ("device", "answer") and read not in codes:
        raise Misfit(f"`{read}` is neither accepted nor an error code of errors.yaml", did_you_mean(read, codes))
    return {"value": read}


def _refusal(code: str, at_least: int) -> None:
    if code not in error_codes():
        raise Misfit(f"`{code}` is no error code of errors.yaml", did_you_mean(code, error_codes()), ("as",))
    if error_statuses()[code] in _SHUT:
        remedy = f"say `answer: {code}`, which needs its paired acceptance"
        raise Misfit(f"`{code}` shuts a door, and `refused` does not ask whether it ever opens", remedy, ("as",))
    if at_least < 1:
        raise Misfit("no refusal at all is nothing to see", "a number from 1", ("at_least",))


def _proves(reading: Reading, line: dict[str, Any], path: Path) -> str:
    proves = line.get("proves")
    if proves is None:
        reading.wrong(path, "`proves` is missing", "name the requirement: `proves: RC-OUT-002.ends`")
        return ""
    known = load_requirements()
    if not isinstance(proves, str) or not ID.fullmatch(proves):
        reading.wrong((*path, "proves"), f"`{str(proves)[:60]}` is no requirement id", "like RC-OUT-002.ends")
        return ""
    if proves not in known:
        reading.wrong((*path, "proves"), f"no requirement has the id `{proves}`", did_you_mean(proves, known))
    return proves


def _modifiers(reading: Reading, line: dict[str, Any], path: Path) -> dict[str, Any]:
    """Read all modifiers but ``proves`` into fields of ``Expectation``."""
    fields: dict[str, Any] = {}
    for name, read in _MODIFIERS.items():
        if name in line:
            found = reading.take((*path, name), lambda read=read, name=name: read(line[name], reading))  # type: ignore[misc]
            fields.update(found or {})
    return fields


def _times(value: Any, reading: Reading) -> dict[str, Any]:
    return {"times": READERS["count"](value, EXPECT[0], reading.contract)}


def _within(value: Any, reading: Reading) -> dict[str, Any]:
    written, of = split_within(value)
    return {"within_s": span(written, reading.contract), "of": of}


def _since(value: Any, _reading: Reading) -> dict[str, Any]:
    return {"since": moment(str(value))}


def _in_at_least(value: Any, reading: Reading) -> dict[str, Any]:
    """Read ``200 lines``, ``20kB`` or ``10m``: how much must have been looked at."""
    match = _SAMPLE.fullmatch(value) if isinstance(value, str) else None
    if match and int(match[1]):
        return {"at_least": {"count": int(match[1]), "unit": match[2]}}
    for kind, unit in (("size", "bytes"), ("span", "s")):
        try:
            return {"at_least": {"count": READERS[kind](value, EXPECT[0], reading.contract), "unit": unit}}
        except Misfit:
            continue
    raise Misfit(f"`{str(value)[:60]}` is no sample", "write it like 200 lines, 20kB or 10m")


def _effects(value: Any, _reading: Reading) -> dict[str, Any]:
    if value != "none":
        raise Misfit(f"`{str(value)[:60]}` is not what effects can be", "write `effects: none`")
    return {"no_effects": True}


_MODIFIERS = {
    "times": _times,
    "within": _within,
    "since": _since,
    "in_at_least": _in_at_least,
    "effects": _effects,
}
