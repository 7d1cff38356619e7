"""Runs the gallery: every mutant through every scenario file, and what killed it beside what was declared.

The reference is judged first, on the same plans: where it is not green, a mutant's failure would mean nothing, so such plans are named and left
out. A mutant that cannot be set up anywhere, or whose broken place is never used, is void: it has shown nothing. Deliberately absent: retries.
"""

import itertools
import multiprocessing
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from harness.base.errors import UsageError
from harness.base.verdict import Verdict
from harness.run.gallery import Mutant, load_gallery
from harness.run.mutant_trial import REFERENCE, Job, Pair, Run, run_job
from harness.scenario.document import did_you_mean

type Witnesses = Mapping[str, Sequence[str]]
"""Mutant -> ids of the plans that together kill it as declared; of other files the first plan is run."""

type Baseline = Mapping[tuple[str, str], Run]
"""(plan, role on trial) -> what became of the reference."""


@dataclass(frozen=True)
class Outcome:
    """One mutant after all its runs.

    Attributes:
        mutant: who.
        killed: what failed it, each pair with the plans in which it did.
        void: why it has shown nothing; empty if it has.
        passed: plans with faults that a broken harness made green.
        unclear: what only this one left unclear, each with its plans; asked of benign ones.
        errors: what went wrong beyond the mutant itself, with the plan.
    """

    mutant: Mutant
    killed: Mapping[Pair, tuple[str, ...]]
    void: str = ""
    passed: tuple[str, ...] = ()
    unclear: Mapping[Pair, tuple[str, ...]] = field(default_factory=dict)
    errors: tuple[str, ...] = ()

    @property
    def missing(self) -> list[Pair]:
        """Declared and not found."""
        return sorted(self.mutant.expected - set(self.killed))

    @property
    def undeclared(self) -> list[Pair]:
        """Found and not declared."""
        return sorted(set(self.killed) - self.mutant.expected)

    @property
    def exact(self) -> bool:
        """Whether all is as declared: the kill map of a broken one, nothing for a benign one, no green by a broken harness."""
        if self.mutant.kind == "harness":
            return not (self.void or self.passed)
        return not (self.void or self.missing or self.undeclared or self.unclear or self.errors)


@dataclass(frozen=True)
class Table:
    """The whole gallery.

    Attributes:
        outcomes: in the order of the gallery.
        red: plans on which the reference is not green, with the reason; no mutant was judged on them.
        runs: how many there were, those of the reference included.
    """

    outcomes: tuple[Outcome, ...]
    red: Mapping[str, str]
    runs: int

    @property
    def is_good(self) -> bool:
        """Whether every mutant is as declared and the reference is green."""
        return not self.red and all(outcome.exact for outcome in self.outcomes)


def run_gallery(
    folder: Path,
    files: Sequence[Path],
    *,
    only: Sequence[str] = (),
    witnesses: Witnesses | None = None,
    workers: int = 2,
    tell: Callable[[Outcome], None] = lambda _outcome: None,
) -> Table:
    """Run mutants.

    Args:
        folder: the gallery.
        files: scenario files.
        only: ids of the mutants to run; empty for all.
        witnesses: run these plans, and of a file that has none of them the first; None runs every plan.
        workers: processes.
        tell: gets every outcome as soon as it is known.

    Raises:
        UsageError: the gallery cannot be used, or has no mutant of that id.
        ScenarioError: a file is broken.
    """
    chosen = _chosen(load_gallery(folder), only)
    wanted = {mutant.id: _plan_ids(witnesses, [mutant.id]) for mutant in chosen}
    wanted[REFERENCE] = _plan_ids(witnesses, [mutant.id for mutant in chosen])
    jobs = [Job(who, file, plans) for who, plans in sorted(wanted.items(), key=_reference_first) for file in files]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context) as pool:
        trials = zip(jobs, pool.map(partial(run_job, folder), jobs), strict=True)
        by_mutant = ((who, _runs(group)) for who, group in itertools.groupby(trials, key=lambda one: one[0].mutant))
        return _judged(by_mutant, {mutant.id: mutant for mutant in chosen}, tell)


def _chosen(gallery: Mapping[str, Mutant], only: Sequence[str]) -> list[Mutant]:
    strange = [name for name in only if name not in gallery]
    if strange:
        raise UsageError(f"--only {strange[0]}: there is no such mutant; {did_you_mean(strange[0], gallery)}")
    return [mutant for mutant in gallery.values() if not only or mutant.id in only]


def _plan_ids(witnesses: Witnesses | None, mutants: Iterable[str]) -> frozenset[str] | None:
    if witnesses is None:
        return None
    return frozenset(plan for mutant in mutants for plan in witnesses.get(mutant, ()))


def _reference_first(item: tuple[str, frozenset[str] | None]) -> bool:
    return item[0] != REFERENCE


def _runs(group: Iterable[tuple[Job, list[Run]]]) -> list[Run]:
    return [run for _, runs in group for run in runs]


# --- judging mutants


def _judged(
    by_mutant: Iterator[tuple[str, list[Run]]], mutants: Mapping[str, Mutant], tell: Callable[[Outcome], None]
) -> Table:
    who, reference = next(by_mutant)
    assert who == REFERENCE
    baseline = {(run.plan, run.role): run for run in reference}
    red = {run.plan: why for run in reference if (why := _why_red(run))}
    outcomes, runs = [], len(reference) // len({run.role for run in reference} or {""})
    for name, found in by_mutant:
        runs += len(found)
        outcome = outcome_of(mutants[name], [run for run in found if run.plan not in red], baseline)
        outcomes.append(outcome)
        tell(outcome)
    return Table(tuple(outcomes), red, runs)


def _why_red(run: Run) -> str:
    """Why the reference is no measure in a plan: it must be green as cast, and not broken whoever is on trial."""
    if run.verdict > Verdict.INCONCLUSIVE or (run.role == "harness" and run.verdict is Verdict.INCONCLUSIVE):
        law, code = (*run.failed, *run.unclear, ("", run.why))[0]
        return f"{run.verdict.name} {law} {code}".strip()
    return ""


def outcome_of(mutant: Mutant, runs: Sequence[Run], baseline: Baseline) -> Outcome:
    """Sum up one mutant's runs, on plans where the reference is green."""
    killed = _by_pair((run.plan, run.failed) for run in runs)
    if mutant.kind == "harness":
        green = tuple(run.plan for run in runs if run.faults and run.verdict <= Verdict.PASS)
        return Outcome(mutant, killed, _void(mutant, runs), green)
    unclear = _by_pair((run.plan, _only_here(run, baseline)) for run in runs) if mutant.kind == "benign" else {}
    unhit = (f"{run.plan}: failed, but the broken place was not used" for run in runs if run.failed and not run.hits)
    errors = (*(f"{run.plan}: {run.why}" for run in runs if run.why), *unhit)
    return Outcome(mutant, killed, _void(mutant, runs), (), unclear, errors)


def _only_here(run: Run, baseline: Baseline) -> list[Pair]:
    known = baseline.get((run.plan, run.role))
    return [one for one in run.unclear if known is None or one not in known.unclear]


def _by_pair(found: Iterable[tuple[str, Iterable[Pair]]]) -> dict[Pair, tuple[str, ...]]:
    plans: dict[Pair, list[str]] = defaultdict(list)
    for plan, pairs in found:
        for one in pairs:
            plans[one].append(plan)
    return {one: tuple(several) for one, several in sorted(plans.items())}


def _void(mutant: Mutant, runs: Sequence[Run]) -> str:
    if not runs:
        return "it was never run"
    if not any(run.hits for run in runs):
        return "its broken place was never used"
    if mutant.kind == "harness":
        return "" if any(run.faults for run in runs) else "no scenario with a fault was run"
    if mutant.kind != "unconditional" and not any(run.is_set_up for run in runs):
        return "no story ever began"
    return ""


# --- witnesses


def witnesses_of(table: Table) -> dict[str, list[str]]:
    """The fewest plans, found greedily, that kill each mutant as in this table; mutants that first plans suffice for are in it too."""
    return {one.mutant.id: plans for one in table.outcomes if (plans := _cover(one.killed))}


def _cover(killed: Mapping[Pair, tuple[str, ...]]) -> list[str]:
    left = set(killed)
    chosen: list[str] = []
    kills: dict[str, set[Pair]] = defaultdict(set)
    for one, plans in killed.items():
        for plan in plans:
            kills[plan].add(one)
    while left:
        best = max(kills, key=lambda plan: len(kills[plan] & left))
        chosen.append(best)
        left -= kills[best]
    return sorted(chosen)
