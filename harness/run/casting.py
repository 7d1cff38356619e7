"""Which plans a mutant is run in on the wire: those that its kill map names, some at least, and a control; or why none.

What kills it as declared goes before what it only brings down, too: the latter may hang on a moment that a real machine does not hit. A control is
the shortest story of another file that uses what the mutant breaks. Deliberately absent: running, comparing (``mutants_wire``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from harness.run.gallery import Mutant
from harness.run.kill_map import KillMap, Pair, pairs_in, plans_of
from harness.run.mutant_trial import Run
from harness.run.mutants import why_red
from harness.run.runner import lacking
from harness.scenario.expand import plans

WIRE = "wire"

BENIGN_FILES = 3
"""Files in which a variant that is right must survive: it is killed nowhere, so the shortest stories that use what is different must do."""

SPARE_CONTROLS = 3
"""More of them, for what a control uses by chance only: in one of nine seeds a stream ended before its relief was there, which then used nothing."""


@dataclass(frozen=True)
class Playable:
    """What the wire can play of some files.

    Attributes:
        homes: plan -> its file, of all plans.
        refused: plan -> why the wire cannot play it.
    """

    homes: Mapping[str, Path]
    refused: Mapping[str, str]

    @classmethod
    def of(cls, files: Sequence[Path]) -> "Playable":
        """Expand the files; plans that do not apply to the wire count as refused."""
        there = {plan.id: plan for file in files for plan in plans(file, world=WIRE)}
        homes = {plan.id: file for file in files for plan in plans(file)}
        why = {plan: lacking(there[plan]) if plan in there else "its file excludes the wire world" for plan in homes}
        return cls(homes, {plan: reason for plan, reason in why.items() if reason})

    @property
    def first(self) -> list[str]:
        """The first plan of each file that has one."""
        found: dict[Path, str] = {}
        for plan, file in self.homes.items():
            if plan not in self.refused:
                found.setdefault(file, plan)
        return list(found.values())

    def killers(self, named: frozenset[str]) -> list[str]:
        """The plans among ``named`` that can be played; where none can, all of the same files that can, for siblings often kill alike."""
        able = [plan for plan in self.homes if plan not in self.refused]
        files = {self.homes[plan] for plan in named if plan in self.homes}
        return [plan for plan in able if plan in named] or [plan for plan in able if self.homes[plan] in files]


@dataclass(frozen=True)
class Measure:
    """What the sim says of the plans.

    Attributes:
        reference: plan -> what became of the reference, as each role in turn.
        kills: (mutant, plan) -> what became of a mutant in a plan that may kill it.
    """

    reference: Mapping[str, Sequence[Run]]
    kills: Mapping[tuple[str, str], Run] = field(default_factory=dict)

    def shortest(self, candidates: Sequence[str]) -> list[str]:
        """Those on which the reference is green, the shortest story first."""
        green = [plan for plan in candidates if plan in self.reference and not any(map(why_red, self.reference[plan]))]
        return sorted(green, key=lambda plan: (self.reference[plan][0].simulated_s, plan))

    def uses(self, mutant: Mutant, plan: str) -> bool:
        """Whether the reference uses in a plan what the mutant replaces."""
        return not mutant.is_spared(self.reference[plan][0].used)


@dataclass(frozen=True)
class Part:
    """A plan for a mutant to play in.

    Attributes:
        plan: its id.
        sim: what became of the mutant there in the sim.
        declared: what the kill map names this plan for.
        is_control: it is not there to kill.
        chances: what became of it there by other seeds: who is first after an outage is a matter of luck.
    """

    plan: str
    sim: Run
    declared: frozenset[Pair] = frozenset()
    is_control: bool = False
    chances: tuple[Run, ...] = ()

    @property
    def certain(self) -> frozenset[Pair]:
        """What fails the mutant there in the sim by every seed."""
        return frozenset(self.sim.failed).intersection(*(run.failed for run in self.chances))

    @property
    def always_fails(self) -> bool:
        """Whether the mutant fails there in the sim by every seed, be it for another reason each time."""
        return all(run.failed for run in (self.sim, *self.chances))

    @property
    def may_be_idle(self) -> bool:
        """Whether some seeds of the sim use what is broken there, the first among them, and others do not."""
        return bool(self.sim.hits) and not all(run.hits for run in self.chances)

    @property
    def possible(self) -> frozenset[Pair]:
        """What fails it there by some seed."""
        return frozenset(self.sim.failed).union(*(run.failed for run in self.chances))


@dataclass(frozen=True)
class Casting:
    """What a mutant plays.

    Attributes:
        parts: in any case.
        spare: further killers (of those that the mutant's purpose fails in the sim, if there are any) and controls, to be played one by one where
            those of ``parts`` showed nothing, by chance.
    """

    parts: list[Part]
    spare: list[Part] = field(default_factory=list)


def controls(mutant: Mutant, known: KillMap, playable: Playable, measure: Measure) -> list[str]:
    """The shortest plans of files that are not there to kill a mutant and use what it breaks: one, or ``BENIGN_FILES``, and some to spare."""
    deadly = {playable.homes.get(plan) for plan in plans_of(known.get(mutant.id, {}))}
    able = [plan for plan in measure.shortest(playable.first) if playable.homes[plan] not in deadly]
    using = (plan for plan in able if measure.uses(mutant, plan))
    return list(islice(using, (BENIGN_FILES if mutant.kind == "benign" else 1) + SPARE_CONTROLS))


def no_process(mutant: Mutant) -> str:
    """Why a mutant cannot be a process; empty if it can."""
    return "a broken harness is no program" if mutant.role == "harness" else mutant.sim_only


def cast(
    mutant: Mutant,
    known: KillMap,
    playable: Playable,
    measure: Measure,
    *,
    quick: bool = False,
    whole: bool = False,
) -> Casting | str:
    """What a mutant plays, killers as declared first and the shortest of them at their head; or why it plays nothing.

    It plays all plans that its kill map names for what it is there for, and a control. A ``quick`` run takes the first of them and no control, a
    ``whole`` one also the plans that are named for what the mutant brings down by the way. Benign variants have controls only.
    """
    why = no_process(mutant)
    if why:
        return why
    able = controls(mutant, known, playable, measure)
    others = [Part(plan, measure.kills[mutant.id, plan], is_control=True) for plan in able]
    others.sort(key=lambda part: not part.sim.hits)
    if mutant.kind == "benign":
        n = 1 if quick else BENIGN_FILES
        return (
            Casting(others[:n], others[n:]) if others else "no plan that the wire world can play uses what is different"
        )
    kills = known.get(mutant.id, {})
    named = plans_of(kills)
    if not named:
        return "it has no kill map"
    candidates = playable.killers(named)
    if not candidates:
        return "; ".join(sorted({playable.refused.get(plan, f"no file here has the plan {plan}") for plan in named}))
    parts = [Part(plan, measure.kills[mutant.id, plan], pairs_in(kills, plan)) for plan in measure.shortest(candidates)]
    killers = [part for part in parts if part.sim.failed or part.declared]
    if not killers:
        return "no plan that the wire world can play kills it in the sim"
    killers.sort(key=lambda part: [mutant.purpose.isdisjoint(pairs) for pairs in (part.declared, part.sim.failed)])
    as_declared = sum(not mutant.purpose.isdisjoint(part.declared) for part in killers)
    n = len(killers) if whole else 1 if quick else max(1, as_declared)
    m = 0 if quick else 1
    aimed = [part for part in killers if not mutant.purpose.isdisjoint(part.sim.failed)]
    return Casting([*killers[:n], *others[:m]], [*(aimed or killers)[n:], *others[m:]])
