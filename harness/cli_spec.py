"""``relayproof spec``: the requirements as text, and what covers them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from harness.base.errors import UsageError
from harness.checks.requirements import Requirement, load_requirements
from harness.history.plan import Plan
from harness.run.coverage import CoverageRow, coverage
from harness.run.gallery import declared
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
        "status": f"{found.status}{f': {found.reason}' if found.reason else ''}",
        "scenarios": ", ".join(found.scenarios) or "none",
        "checks": ", ".join(found.checks) or "none",
        "mutants": ", ".join(found.mutants) or "none",
    }
    return "\n".join([row.id, f"  {row.text}", "", *(f"  {name:<14} {value}" for name, value in fields.items())])


def show_coverage(*, as_json: bool) -> str:
    """What is covered, not yet covered, and excluded with its reason."""
    rows = covered()
    if as_json:
        return json.dumps([asdict(row) for row in rows], indent=1, ensure_ascii=False)
    counts = {status: sum(row.status == status for row in rows) for status in ("covered", "not-yet", "excluded")}
    return "\n".join([*_lines(rows), "", "  ".join(f"{status} {count}" for status, count in counts.items())])


def _lines(rows: Sequence[CoverageRow]) -> Iterator[str]:
    for row in rows:
        shown = _counted(row) if row.status == "covered" else row.reason
        yield f"{row.status:<9} {row.level:<7} {row.id:<32} {shown}"


def _counted(row: CoverageRow) -> str:
    """How much covers a row, with names where they are few; ``--json`` has them all."""
    parts = ((row.scenarios, "scenarios"), (row.mutants, "mutants"))
    return "; ".join(
        f"{', '.join(names)}" if 0 < len(names) <= NAMES_SHOWN else f"{len(names)} {what}" for names, what in parts
    )


def covered(requirements: Mapping[str, Requirement] | None = None) -> list[CoverageRow]:
    """Rows of coverage for requirements, all if not given, by the scenarios that belong to relayproof, under every profile."""
    return coverage(_every_plan(), declared(GALLERY) if GALLERY.is_dir() else (), requirements)


def _every_plan() -> list[Plan]:
    return [plan for path in discover([OURS]) for profile in PROFILES for plan in plans(path, profile=profile)]
