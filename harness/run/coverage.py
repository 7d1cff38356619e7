"""What covers each requirement: scenarios, checks, worlds, and the mutants that show that the checks can fail.

Deliberately absent: running anything. What a plan expects and what the kill map holds is enough to know what is looked at, and which looks were
seen to accuse.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import harness.checks.catalogue  # noqa: F401  fills EXPECTATIONS and LAWS
from harness.checks.model import EXPECTATIONS, LAWS
from harness.checks.requirements import Requirement, load_requirements
from harness.history.plan import Plan
from harness.run.judgement import CONTROL, WORLD
from harness.run.kill_map import KillMap

_EVERY_RUN = ((CONTROL, "control"), (WORLD, "record"))
"""What the judge itself looks at in every run."""

type Status = Literal["covered", "not-yet", "excluded"]


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """One requirement and what covers it.

    Attributes:
        id: of the requirement.
        level: MUST, SHOULD, MAY.
        source: article claims and properties.
        status: ``covered`` if a check judges it; ``excluded`` with a reason; else ``not-yet``.
        scenarios: that name it in an expectation; a law needs none.
        checks: that judge it where scenarios name it.
        laws: that judge it in every run.
        mutants: that were seen to fail it.
        worlds: in which it is judged.
        reason: why it is not covered.
        unproven: it is covered, but no mutant was ever seen to fail it: nobody knows whether its check can accuse.
    """

    id: str
    level: str
    source: tuple[str, ...]
    status: Status
    scenarios: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    laws: tuple[str, ...] = ()
    mutants: tuple[str, ...] = ()
    worlds: tuple[str, ...] = ()
    reason: str = ""
    unproven: bool = False


@dataclass
class _Found:
    scenarios: set[str] = field(default_factory=set)
    checks: set[str] = field(default_factory=set)
    laws: set[str] = field(default_factory=set)
    worlds: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Musts:
    """The MUST rows, counted: judged by nobody, judged, judged and seen to fail.

    Attributes:
        all: how many there are.
        covered: how many a check judges.
        with_mutant: how many of these a mutant was seen to fail.
        without_mutant: ids of the others: a check looks, but was never seen to accuse anybody.
    """

    all: int
    covered: int
    with_mutant: int
    without_mutant: tuple[str, ...]


def musts(rows: Iterable[CoverageRow]) -> Musts:
    """Count the MUST rows."""
    found = [row for row in rows if row.level == "MUST"]
    covered = [row for row in found if row.status == "covered"]
    bare = tuple(row.id for row in covered if row.unproven)
    return Musts(len(found), len(covered), len(covered) - len(bare), bare)


def coverage(
    plans: Iterable[Plan], kill_map: KillMap | None = None, requirements: Mapping[str, Requirement] | None = None
) -> list[CoverageRow]:
    """Set requirements beside plans and mutants.

    Args:
        plans: every permutation that would be run.
        kill_map: which mutants were seen to fail which requirements.
        requirements: rows; those of docs/spec if not given.

    Returns:
        A row for each requirement, in the order of the file.
    """
    found = _found(plans)
    killers: dict[str, set[str]] = defaultdict(set)
    for mutant, kills in (kill_map or {}).items():
        for requirement in kills:
            killers[requirement].add(mutant)
    rows = load_requirements() if requirements is None else requirements
    return [_row(row, found.get(row.id, _Found()), killers.get(row.id, set())) for row in rows.values()]


def _found(plans: Iterable[Plan]) -> dict[str, _Found]:
    found: dict[str, _Found] = defaultdict(_Found)
    for plan in plans:
        roles = {actor.name: actor.role for actor in plan.cast}
        for entry in plan.expectations:
            role = roles.get(entry.actor, entry.actor)
            if (role, entry.verb) in EXPECTATIONS:
                one = found[entry.proves]
                one.scenarios.add(plan.scenario)
                one.checks.add(f"{role}.{entry.verb}")
                one.worlds.add(plan.world)
        laws = [(requirement, name) for name in plan.invariants for requirement in LAWS.get(name, ())]
        for requirement, law in [*laws, *_EVERY_RUN]:
            found[requirement].laws.add(law)
            found[requirement].worlds.add(plan.world)
    return dict(found)


def _row(requirement: Requirement, found: _Found, killers: set[str]) -> CoverageRow:
    covered = bool(found.checks or found.laws)
    status: Status = "covered" if covered else "excluded" if requirement.excluded else "not-yet"
    reason = "" if covered else requirement.excluded or requirement.not_yet or "no scenario expects it"
    return CoverageRow(
        requirement.id,
        requirement.level,
        requirement.source,
        status,
        tuple(sorted(found.scenarios)),
        tuple(sorted(found.checks)),
        tuple(sorted(found.laws)),
        tuple(sorted(killers)),
        tuple(sorted(found.worlds)),
        reason,
        unproven=covered and not killers,
    )
