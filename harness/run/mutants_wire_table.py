"""What became of the gallery on the wire: ``mutants.json`` for programs, a few lines for each mutant and a last word for people.

Deliberately absent: running and comparing (``mutants_wire``).
"""

import json
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from harness.report.whole import write_whole
from harness.run.casting import WIRE
from harness.run.mutants_table import pairs_as_json
from harness.run.mutants_wire import Crossed, Crossing, Passage


def as_json(passage: Passage) -> dict[str, Any]:
    """``mutants.json`` of the wire: every mutant that ran with its plans, what the sim finds in each and what was found; who was left out and why."""
    broken = [one for one in passage.ran if one.mutant.kind != "benign"]
    benign = [one for one in passage.ran if one.mutant.kind == "benign"]
    return {
        "world": WIRE,
        "mutants": [_row(one) for one in passage.ran],
        "left_out": [{"id": one.mutant.id, "reason": one.left_out} for one in passage.outcomes if one.left_out],
        "totals": {
            "mutants": len(broken),
            "exact": sum(one.exact for one in broken),
            "benign": len(benign),
            "benign_killed": sum(not one.exact for one in benign),
            "left_out": len(passage.outcomes) - len(passage.ran),
        },
    }


def _row(outcome: Crossed) -> dict[str, Any]:
    return {
        "id": outcome.mutant.id,
        "kind": outcome.mutant.kind,
        "exact": outcome.exact,
        "lacking": ["control" if one else "killer" for one in sorted(outcome.lacking)],
        "plans": [_plan(one) for one in outcome.crossings],
    }


def _plan(one: Crossing) -> dict[str, Any]:
    return {
        "id": one.plan,
        "control": one.is_control,
        "expected": pairs_as_json(one.expected),
        "possible": pairs_as_json(one.possible),
        "killed": pairs_as_json(one.found),
        "must_fail": one.must_fail,
        "used": one.is_used,
        "exact": one.exact,
        "why": one.why,
    }


def write_json(passage: Passage, folder: Path) -> None:
    """Write ``mutants.json`` into a folder that is there, whole or not at all."""
    write_whole(folder / "mutants.json", json.dumps(as_json(passage), indent=1) + "\n")


def line(outcome: Crossed) -> str:
    """One line for a mutant that is as in the sim, or was left out; below it what differs, and what was not shown."""
    mutant = outcome.mutant
    mark = "--" if outcome.left_out else "ok" if outcome.exact else "NO"
    head = f"{mark:<3} {mutant.role:<8} {mutant.kind:<14} {mutant.id:<34} {_result(outcome)}"
    return "\n".join([head, *_below(outcome)])


def _below(outcome: Crossed) -> Iterator[str]:
    for one in outcome.crossings:
        yield from _differences(one)
    yield from _not_shown(outcome)


def _not_shown(outcome: Crossed) -> Iterator[str]:
    """What a mutant did not show although it is as in the sim, or is not because of that."""
    killers, controls = (
        [one for one in outcome.crossings if one.is_control is sort and not one.why] for sort in (False, True)
    )
    expected, possible, found = (
        frozenset(chain.from_iterable(getattr(one, which) for one in killers))
        for which in ("expected", "possible", "found")
    )
    wanted = outcome.mutant.purpose & possible or (frozenset() if found else possible)
    for law, code in sorted(wanted - found - expected):
        yield f"       by chance:    {law} {code}  not in any of these plans, nor by every seed of the sim"
    for one in killers:
        for law, code in sorted((wanted & one.possible & found) - one.expected - one.found):
            yield f"       by chance:    {law} {code}  not in {one.plan}, nor by every seed of the sim"
    for law, code in sorted(outcome.mutant.purpose - possible - found if killers else ()):
        yield f"       not here:     {law} {code}  is caught in none of these plans, nor in the sim"
    if controls and not any(one.is_used for one in controls):
        luck = ", as by some seeds of the sim" if any(one.is_idle for one in controls) else ""
        yield f"       no control:   what is broken was used in none{luck}"


def _result(outcome: Crossed) -> str:
    if outcome.left_out:
        return f"left out: {outcome.left_out}"
    laws = sorted({law for one in outcome.crossings for law, _ in one.found})
    return ", ".join(laws) or "survives"


def _differences(one: Crossing) -> Iterator[str]:
    if one.why:
        yield f"       error:        {one.plan}: {one.why}"
    if one.must_fail and not one.expected | one.found:
        yield f"       in sim only:  a failure, by every seed another  in {one.plan}"
    for label, pairs in (
        ("in sim only", one.expected - one.found),
        ("on wire only", one.found - one.possible),
        ("unclear", one.unclear),
    ):
        for law, code in sorted(pairs):
            yield f"       {label + ':':<13} {law} {code}  in {one.plan}"


def last_word(passage: Passage, wall_s: float) -> str:
    """Totals; who was left out is counted apart."""
    totals = as_json(passage)["totals"]
    parts = (
        f"{totals['exact']} of {totals['mutants']} mutants killed on the wire as in the sim",
        f"{totals['benign_killed']} of {totals['benign']} benign ones killed",
        f"{totals['left_out']} left out ({passage.runs} runs, {wall_s:.0f} s)",
    )
    return "\n" + ", ".join(parts)
