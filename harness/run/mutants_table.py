"""The gallery's result: ``mutants.json`` for programs, a line for each mutant and a last word for people.

Deliberately absent: judging mutants (``mutants``); what shows a difference is run once more, to be kept.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from harness.base.errors import UsageError
from harness.report.whole import write_whole
from harness.run.kill_map import Pair
from harness.run.mutant_trial import retold
from harness.run.mutants import Outcome, Table
from harness.run.shelf import Shelf

_RED_SHOWN = 10

_KEPT = 4
"""Histories of one mutant: each difference has one that shows it, and the first few tell what is wrong."""


def as_json(table: Table) -> dict[str, Any]:
    """``mutants.json``: every mutant with its kill map, declared and found, and totals; benign ones and harnesses are counted apart."""
    broken = [one for one in table.outcomes if one.mutant.kind not in ("benign", "harness")]
    benign = [one for one in table.outcomes if one.mutant.kind == "benign"]
    harness = [one for one in table.outcomes if one.mutant.kind == "harness"]
    return {
        "world": "sim",
        "mutants": [_row(one) for one in table.outcomes],
        "totals": {
            "mutants": len(broken),
            "exact": sum(one.exact for one in broken),
            "benign": len(benign),
            "benign_killed": sum(not one.exact for one in benign),
            "harness": len(harness),
            "harness_passed": sum(not one.exact for one in harness),
        },
    }


def _row(outcome: Outcome) -> dict[str, Any]:
    mutant = outcome.mutant
    killed = {} if mutant.kind == "harness" else pairs_as_json(outcome.killed)
    return {
        "id": mutant.id,
        "kind": mutant.kind,
        "expected": pairs_as_json(outcome.expected),
        "killed": killed,
        "exact": outcome.exact,
    }


def pairs_as_json(pairs: Iterable[Pair]) -> dict[str, list[str]]:
    """Requirement -> its codes, sorted."""
    found: dict[str, list[str]] = defaultdict(list)
    for law, code in sorted(pairs):
        found[law].append(code)
    return dict(found)


def write_json(table: Table, folder: Path) -> None:
    """Write ``mutants.json``, whole or not at all.

    Raises:
        UsageError: the folder cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--report {folder}: cannot be made ({error.strerror or error})") from error
    write_whole(folder / "mutants.json", json.dumps(as_json(table), indent=1) + "\n")


# --- what shows a difference


def keep_histories(outcome: Outcome, folder: Path) -> list[Path]:
    """Run again, in this process, what shows that a mutant is not as declared, and keep history and plan of each run.

    Args:
        outcome: of the mutant.
        folder: of the report; the files stand in ``mutants/ID`` below it.

    Returns:
        The histories, ``_KEPT`` at most; fewer where the world gave up.

    Raises:
        UsageError: the folder cannot be written.
    """
    told = (retold(outcome.mutant, Path(outcome.ran[plan]), plan) for plan in outcome.telling[:_KEPT])
    histories = [history for history in told if history is not None]
    if not histories:
        return []
    shelf = Shelf.opened(folder / "mutants" / outcome.mutant.id)
    for history in histories:
        shelf.keep(history)
    return [shelf.history(history.plan) for history in histories]


# --- for people


def line(outcome: Outcome) -> str:
    """One line for a mutant that is as declared; for another one more, which say what differs."""
    mutant = outcome.mutant
    head = f"{'ok' if outcome.exact else 'NO':<3} {mutant.role:<8} {mutant.kind:<14} {mutant.id:<34} {_result(outcome)}"
    return "\n".join([head.rstrip(), *(() if outcome.exact else _differences(outcome))])


def _result(outcome: Outcome) -> str:
    if outcome.void:
        return f"void: {outcome.void}"
    if outcome.mutant.kind == "harness":
        return f"green in {len(outcome.passed)}" if outcome.passed else "never green"
    if outcome.mutant.kind == "benign":
        return "survives" if outcome.exact else "killed"
    laws = sorted({law for law, _ in outcome.killed})
    return ", ".join(laws) or "survives"


def _differences(outcome: Outcome) -> Iterator[str]:
    for law, code in outcome.missing:
        yield f"       not caught:  {law} {code}"
    for one in outcome.undeclared if outcome.mutant.kind != "harness" else ():
        yield f"       undeclared:  {one[0]} {one[1]}  in {outcome.killed[one][0]} ({len(outcome.killed[one])})"
    for one, plans in outcome.unclear.items():
        yield f"       unclear:     {one[0]} {one[1]}  in {plans[0]} ({len(plans)})"
    for plan in outcome.passed:
        yield f"       green:       {plan}"
    for plan, why in outcome.errors:
        yield f"       error:       {plan}: {why}"


def last_word(table: Table, wall_s: float) -> str:
    """Totals, and on what plans the reference itself is not green."""
    totals = as_json(table)["totals"]
    red = [f"reference not green: {plan}: {why}" for plan, why in list(table.red.items())[:_RED_SHOWN]]
    more = [f"... and {len(table.red) - _RED_SHOWN} more"] if len(table.red) > _RED_SHOWN else []
    parts = (
        f"{totals['exact']} of {totals['mutants']} mutants killed exactly as declared",
        f"{totals['benign_killed']} of {totals['benign']} benign ones killed",
        f"{totals['harness_passed']} of {totals['harness']} broken harnesses green ({table.runs} runs, {wall_s:.0f} s)",
    )
    return "\n".join(["", *red, *more, ", ".join(parts)])
