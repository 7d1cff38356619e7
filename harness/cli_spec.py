"""``relayproof spec``: the requirements as text, and what covers them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from harness.base.errors import UsageError
from harness.checks.requirements import Requirement, load_requirements
from harness.history.plan import Plan
from harness.run.coverage import CoverageRow, coverage, musts
from harness.run.kill_map import read_kill_map
from harness.scenario.discover import OURS, discover
from harness.scenario.document import did_you_mean
from harness.scenario.expand import plans
from harness.scenario.profiles import PROFILES

NAMES_SHOWN = 3
"""So many names fit a line; more are counted."""

GALLERY = Path(__file__).parents[1] / "tests" / "mutants"


def show_requirements(id: str | None, *, as_json: bool) -> str:  # noqa: A002 - as on the command line
    """Text of all requirements, of an area (``RC-OUT``), or of one with its sources and scenarios.

    Raises:
        UsageError: no requirement begins so.
    """
    chosen = {key: row for key, row in load_requirements().items() if key.startswith(id or "")}
    if not chosen:
        raise UsageError(f"no requirement begins with {id}; {did_you_mean(str(id), load_requirements())}")
    if as_json:
        return json.dumps([asdict(row) for row in chosen.values()], indent=1, ensure_ascii=False)
    if len(chosen) == 1:
        return _whole(next(iter(chosen.values())))
    return "\n".join(f"{key:<28} {row.level:<7} {row.text}" for key, row in chosen.items())


def _whole(row: Requirement) -> str:
    found = next(one for one in covered({row.id: row}) if one.id == row.id)
    fields = {
        "level": row.level,
        "who is judged": row.role,
        "profiles": ", ".join(row.profile) or "all",
        "from": f"{row.provenance}: {', '.join(row.source)}",
        "status": f"{found.status}{', unproven' if found.unproven else ''}{f': {found.reason}' if found.reason else ''}",
        "named in": ", ".join(found.scenarios) or "no scenario",
        "checks": ", ".join(found.checks) or "none",
        "every run": ", ".join(found.laws) or "no law",
        "mutants": ", ".join(found.mutants) or "none yet",
    }
    return "\n".join([row.id, f"  {row.text}", "", *(f"  {name:<14} {value}" for name, value in fields.items())])


def show_coverage(*, as_json: bool) -> str:
    """What is covered, not yet covered, and excluded with its reason; and which checks were never seen to accuse anybody."""
    rows = covered()
    counts = {status: sum(row.status == status for row in rows) for status in ("covered", "not-yet", "excluded")}
    counts["unproven"] = sum(row.unproven for row in rows)
    if as_json:
        found = {"totals": counts, "must": asdict(musts(rows)), "rows": [asdict(row) for row in rows]}
        return json.dumps(found, indent=1, ensure_ascii=False)
    totals = "  ".join(f"{status} {count}" for status, count in counts.items())
    return "\n".join([*_lines(rows), "", *_musts(rows), "", totals])


def _lines(rows: Sequence[CoverageRow]) -> Iterator[str]:
    for row in rows:
        shown = _counted(row) if row.status == "covered" else row.reason
        yield f"{row.status:<9} {'unproven' if row.unproven else '':<9} {row.level:<7} {row.id:<32} {shown}"


def _counted(row: CoverageRow) -> str:
    """How much covers a row, with names where they are few; ``--json`` has them all."""
    parts = (
        [_named(row.scenarios, "named in", "scenario")] if row.scenarios else [],
        [f"every run: {', '.join(row.laws)}"] if row.laws else [],
        [_named(row.mutants, "failed by", "mutant") if row.mutants else "no mutant yet"],
    )
    return "; ".join(text for part in parts for text in part)


def _named(names: Sequence[str], verb: str, what: str) -> str:
    shown = f": {', '.join(names)}" if len(names) <= NAMES_SHOWN else ""
    return f"{verb} {len(names)} {what}{'s' if len(names) > 1 else ''}{shown}"


def _musts(rows: Sequence[CoverageRow]) -> Iterator[str]:
    found = musts(rows)
    yield f"MUST: {found.covered} of {found.all} covered; {found.with_mutant} of these failed by a mutant of the kill map"
    if found.without_mutant:
        yield f"covered, no mutant yet ({len(found.without_mutant)}):"
        yield from (f"  {name}" for name in found.without_mutant)


def covered(requirements: Mapping[str, Requirement] | None = None) -> list[CoverageRow]:
    """Rows of coverage for requirements, all if not given, by the scenarios that belong to relayproof, under every profile."""
    return coverage(_every_plan(), read_kill_map(GALLERY), requirements)


def _every_plan() -> list[Plan]:
    return [plan for path in discover([OURS]) for profile in PROFILES for plan in plans(path, profile=profile)]
