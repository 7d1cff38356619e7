"""The section ``expect``: lines -> expectations, each with the requirement that it proves.

Deliberately absent: judging; that is the check of the same role and verb in ``harness.checks``.
"""

import re
from collections.abc import Callable
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from harness.base.spec import error_codes, error_statuses
from harness.checks.requirements import ID, load_requirements
from harness.history.plan import Actor, Expectation
from harness.scenario.document import Path, did_you_mean
from harness.scenario.limits import Misfit, budget, span
from harness.scenario.reading import Reading, split_within
from harness.scenario.story import verb_key
from harness.scenario.values import READERS
from harness.scenario.verbs import EXPECT, ExpectVerb, Role

_VERBS = {(row.role, row.name): row for row in EXPECT}
_PASSING = frozenset({HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
"""Statuses of refusals that speak of the moment; any other may be a door that never opens, which only a paired acceptance tells."""

_SAMPLE = re.compile(r"(\d+) ?([a-z]+)")
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
    fields = _modifiers(reading, line, key, row, path)
    return Expectation(number, reading.line(path), name, row.name, args or {}, proves, **fields)


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
    if row.name == "refused":
        _refusal(row, read["as"], read.get("at_least", 1))
    codes = error_codes() | {"accepted"}
    if (row.role, row.name) == ("device", "answer") and read not in codes:
        raise Misfit(f"`{read}` is neither accepted nor an error code of errors.yaml", did_you_mean(read, codes))
    return {"value": read}


def _refusal(row: ExpectVerb, code: str, at_least: int) -> None:
    if code not in error_codes():
        raise Misfit(f"`{code}` is no error code of errors.yaml", did_you_mean(code, error_codes()), ("as",))
    if error_statuses()[code] not in _PASSING:
        shut = f"answer: {code}" if row.role == "device" else "exits: gated"
        remedy = f"say `{shut}`, which needs its paired acceptance"
        raise Misfit(f"`{code}` may shut a door, and `refused` does not ask whether it ever opens", remedy, ("as",))
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


def _modifiers(reading: Reading, line: dict[str, Any], key: str, row: ExpectVerb, path: Path) -> dict[str, Any]:
    """Read all modifiers but ``proves`` into fields of ``Expectation``; one that the check would not read is refused."""
    fields: dict[str, Any] = {}
    for name, read in _MODIFIERS.items():
        if name in line:

            def taken(name: str = name, read: _Read = read) -> dict[str, Any]:
                _heeded(name, line[key], row)
                return read(line[name], row, reading)

            fields.update(reading.take((*path, name), taken) or {})
    return fields


def _heeded(name: str, value: Any, row: ExpectVerb) -> None:
    """Refuse a modifier that says nothing of this verb, or of this value of it."""
    known = [*(word.replace("never", "times") for word in row.modifiers), *(["in_at_least"] if row.samples else [])]
    if name not in known:
        remedy = f"it may have {', '.join(known)}" if known else "leave it out"
        raise Misfit(f"`{name}` says nothing of `{row.role}.{row.name}`", remedy)
    if row.name != "exits" or name == "times":
        return
    about_limit = value == "about outage_limit"
    if about_limit != (name == "since"):
        told = "is judged by the silence before it: `since: last_heard`" if about_limit else "is judged by `within`"
        raise Misfit(f"`{name}` says nothing of this end", f"it {told}")


def _times(value: Any, row: ExpectVerb, reading: Reading) -> dict[str, Any]:
    times = READERS["count"](value, row, reading.contract)
    if times and "never" in row.modifiers:
        raise Misfit(f"`{row.name}` is not counted", "write `times: 0` for never, or leave it out")
    return {"times": times}


def _within(value: Any, _row: ExpectVerb, reading: Reading) -> dict[str, Any]:
    written, of = split_within(value)
    return {"within_s": span(written, reading.contract), "of": of}


def _since(value: Any, _row: ExpectVerb, _reading: Reading) -> dict[str, Any]:
    if value != "last_heard":
        raise Misfit(f"`{str(value)[:60]}` is not what the silence counts from", "write `since: last_heard`")
    return {"since": "last_heard"}


def _in_at_least(value: Any, row: ExpectVerb, reading: Reading) -> dict[str, Any]:
    """Read ``200 lines`` or ``20kB``: how much must have been looked at."""
    match = _SAMPLE.fullmatch(value) if isinstance(value, str) else None
    if match and int(match[1]) and match[2] in row.samples:
        return {"at_least": {"count": int(match[1]), "unit": match[2]}}
    if row.samples == ("bytes",):
        return {"at_least": {"count": READERS["size"](value, row, reading.contract), "unit": "bytes"}}
    raise Misfit(f"`{str(value)[:60]}` is no sample of this", f"write it like 200 {row.samples[0]}")


def _effects(value: Any, _row: ExpectVerb, _reading: Reading) -> dict[str, Any]:
    if value != "none":
        raise Misfit(f"`{str(value)[:60]}` is not what effects can be", "write `effects: none`")
    return {"no_effects": True}


type _Read = Callable[[Any, ExpectVerb, Reading], dict[str, Any]]

_MODIFIERS: dict[str, _Read] = {
    "times": _times,
    "within": _within,
    "since": _since,
    "in_at_least": _in_at_least,
    "effects": _effects,
}
