"""What covers each requirement: scenarios, checks, worlds, and the mutants that show that the checks can fail.

Deliberately absent: running anything. What a plan expects and what a mutant declares is enough to know what would be looked at.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import harness.checks.catalogue  # noqa: F401  fills LAWS
from harness.checks.model import LAWS
from harness.checks.requirements import Requirement, load_requirements
from harness.history.plan import Plan
from harness.run.judge import CONTROL, WORLD

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
        status: ``covered`` by a scenario or a law; ``excluded`` with a reason; else ``not-yet``.
        scenarios: that expect it.
        checks: that judge it.
        mutants: that it must catch.
        worlds: in which it is judged.
        reason: why it is not covered.
    """

    id: str
    level: str
    source: tuple[str, ...]
    status: Status
    scenarios: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    mutants: tuple[str, ...] = ()
    worlds: tuple[str, ...] = ()
    reason: str = ""


@dataclass
class _Found:
    scenarios: set[str] = field(default_factory=set)
    checks: set[str] = field(default_factory=set)
    worlds: set[str] = field(default_factory=set)


def coverage(
    plans: Iterable[Plan],
    mutants: Sequence[Mapping[str, Any]] = (),
    requirements: Mapping[str, Requirement] | None = None,
) -> list[CoverageRow]:
    """Set requirements beside plans and mutants.

    Args:
        plans: every permutation that would be run.
        mutants: ``{id, kills: {requirement: code}}`` each.
        requirements: rows; those of docs/spec if not given.

    Returns:
        A row for each requirement, in the order of the file.
    """
    found = _found(plans)
    killers: dict[str, set[str]] = defaultdict(set)
    for mutant in mutants:
        for requirement in mutant.get("kills", {}):
            killers[requirement].add(str(mutant["id"]))
    rows = load_requirements() if requirements is None else requirements
    return [_row(row, found.get(row.id, _Found()), killers.get(row.id, set())) for row in rows.values()]


def _found(plans: Iterable[Plan]) -> dict[str, _Found]:
    found: dict[str, _Found] = defaultdict(_Found)
    for plan in plans:
        roles = {actor.name: actor.role for actor in plan.cast}
        proven = [(entry.proves, f"{roles.get(entry.actor, entry.actor)}.{entry.verb}") for entry in plan.expectations]
        laws = [(requirement, name) for name in plan.invariants for requirement in LAWS.get(name, ())]
        for requirement, check in [*proven, *laws, *_EVERY_RUN]:
            entry = found[requirement]
            entry.scenarios.add(plan.scenario)
            entry.checks.add(check)
            entry.worlds.add(plan.world)
    return dict(found)


def _row(requirement: Requirement, found: _Found, killers: set[str]) -> CoverageRow:
    covered = bool(found.checks)
    status: Status = "covered" if covered else "excluded" if requirement.excluded else "not-yet"
    reason = "" if covered else requirement.excluded or requirement.not_yet or "no scenario expects it"
    return CoverageRow(
        requirement.id,
        requirement.level,
        requirement.source,
        status,
        tuple(sorted(found.scenarios)),
        tuple(sorted(found.checks)),
        tuple(sorted(killers)),
        tuple(sorted(found.worlds)),
        reason,
    )
