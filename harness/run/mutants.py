"""Runs the gallery: every mutant through every scenario file, and what killed it beside what was declared.

The reference is judged first, on the same plans: where it is not green, a mutant's failure would mean nothing, so such plans are named and left
out. A mutant that cannot be set up anywhere, or whose broken place is never used, is void: it has shown nothing. Deliberately absent: retries.
"""

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from harness.base.errors import UsageError
from harness.base.verdict import Verdict
from harness.run.gallery import Mutant, load_gallery
from harness.run.kill_map import KillMap, Kills, Pair, plans_of, read_kill_map
from harness.run.mutant_trial import REFERENCE, Job, Run, run_job
from harness.run.workers import pool_of
from harness.scenario.document import did_you_mean

type Baseline = Mapping[tuple[str, str], Run]
"""(plan, role on trial) -> what became of the reference."""


@dataclass(frozen=True)
class Outcome:
    """One mutant after all its runs.

    Attributes:
        mutant: who.
        expected: what must fail it: what it is there for, and what its kill map adds; each with the plan that the kill map names.
        killed: what failed it, each pair with the plans in which it did.
        void: why it has shown nothing; empty if it has.
        passed: plans with faults that a broken harness made green.
        unclear: what only this one left unclear, each with its plans; asked of benign ones.
        errors: what went wrong beyond the mutant itself: plan and reason.
        ran: plan -> its file, of all runs.
    """

    mutant: Mutant
    expected: Mapping[Pair, str]
    killed: Mapping[Pair, tuple[str, ...]]
    void: str = ""
    passed: tuple[str, ...] = ()
    unclear: Mapping[Pair, tuple[str, ...]] = field(default_factory=dict)
    errors: tuple[tuple[str, str], ...] = ()
    ran: Mapping[str, str] = field(default_factory=dict)

    @property
    def missing(self) -> list[Pair]:
        """Declared and not found."""
        return sorted(set(self.expected) - set(self.killed))

    @property
    def undeclared(self) -> list[Pair]:
        """Found and not declared."""
        return sorted(set(self.killed) - set(self.expected))

    @property
    def exact(self) -> bool:
        """Whether all is as declared: the kill map of a broken one, nothing for a benign one, no green by a broken harness."""
        if self.mutant.kind == "harness":
            return not (self.void or self.passed)
        return not (self.void or self.missing or self.undeclared or self.unclear or self.errors)

    @property
    def telling(self) -> list[str]:
        """Plans whose histories show what is not as declared, one for each difference; empty where nothing differs."""
        if self.exact:
            return []
        found = [self.killed[one][0] for one in self.undeclared] if self.mutant.kind != "harness" else []
        found += [plans[0] for plans in self.unclear.values()]
        found += [*self.passed, *(plan for plan, _ in self.errors)]
        found += [self.expected[one] for one in self.missing if self.expected[one] in self.ran]
        return list(dict.fromkeys(found or list(self.ran)[:1]))


@dataclass(frozen=True)
class Table:
    """The whole gallery.

    Attributes:
        outcomes: in the order of the gallery.
        plans: ids of all that were run.
        red: those on which the reference is not green, with the reason; no mutant was judged on them.
        runs: how many there were, those of the reference included.
    """

    outcomes: tuple[Outcome, ...]
    plans: frozenset[str]
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
    whole: bool = False,
    quick: bool = False,
    workers: int = 2,
    tell: Callable[[Outcome], None] = lambda _outcome: None,
    measured: Callable[[Table], None] = lambda _table: None,
) -> Table:
    """Run mutants.

    Args:
        folder: the gallery.
        files: scenario files.
        only: ids of the mutants to run; empty for all.
        whole: run every plan of each file; else the one by which the mutant dies according to its kill map, or the first.
        quick: run a mutant that has a kill map only in the plans which that names: it shows checks that went blind, not those that accuse anew;
            benign variants and broken harnesses in one file of each family.
        workers: processes.
        tell: gets every outcome as soon as it is known.
        measured: gets a table of no mutants once the reference has been through all plans, before the first mutant is told of.

    Raises:
        UsageError: the gallery cannot be used, or has no mutant of that id.
        ScenarioError: a file is broken.
    """
    chosen, known = chosen_of(load_gallery(folder).mutants, only), read_kill_map(folder)
    with pool_of(workers) as pool:
        run = partial(run_job, folder)
        wanted = None if whole else frozenset(plan for mutant in chosen for plan in plans_of(known.get(mutant.id, {})))
        by_file = dict(zip(files, pool.map(run, [Job(REFERENCE, file, wanted) for file in files]), strict=True))
        measure = _measured(by_file)
        plans = frozenset(plan for plan, _ in measure.baseline)
        measured(Table((), plans, measure.red, len(plans)))
        jobs = {
            mutant.id: list(_jobs(mutant, measure, None if whole else plans_of(known.get(mutant.id, {})), quick=quick))
            for mutant in chosen
        }
        trials = pool.map(run, itertools.chain.from_iterable(jobs.values()))
        outcomes = []
        for mutant in chosen:
            runs = [one for _ in jobs[mutant.id] for one in next(trials)]
            outcomes.append(outcome_of(mutant, known.get(mutant.id, {}), runs, measure.baseline, quick=quick))
            tell(outcomes[-1])
    return Table(tuple(outcomes), plans, measure.red, len(plans) + sum(len(one.ran) for one in outcomes))


def unmapped_of(mutants: Iterable[Mutant], known: KillMap) -> tuple[str, ...]:
    """Ids of broken systems whose kills over all scenarios were never measured: nothing can be exact about them yet."""
    return tuple(one.id for one in mutants if one.kind not in ("benign", "harness") and one.id not in known)


def chosen_of(gallery: Mapping[str, Mutant], only: Sequence[str]) -> list[Mutant]:
    """The mutants of these ids, in the order of the gallery; all without ids. Raises UsageError for an id that is none."""
    strange = [name for name in only if name not in gallery]
    if strange:
        raise UsageError(f"--only {strange[0]}: there is no such mutant; {did_you_mean(strange[0], gallery)}")
    return [mutant for mutant in gallery.values() if not only or mutant.id in only]


# --- the reference as a measure


@dataclass(frozen=True, slots=True)
class _Measure:
    """What became of the reference: by file, by plan and role, and where it is not green."""

    by_file: Mapping[Path, Sequence[Run]]
    baseline: Baseline
    red: Mapping[str, str]


def _measured(by_file: Mapping[Path, Sequence[Run]]) -> _Measure:
    runs = [run for found in by_file.values() for run in found]
    baseline = {(run.plan, run.role): run for run in runs}
    return _Measure(by_file, baseline, {run.plan: why for run in runs if (why := why_red(run))})


def why_red(run: Run) -> str:
    """Why the reference is no measure in a plan: it must be green as cast, and not broken whoever is on trial."""
    if run.verdict > Verdict.INCONCLUSIVE or (run.role == "harness" and run.verdict is Verdict.INCONCLUSIVE):
        law, code = (*run.failed, *run.unclear, ("", ""))[0]
        return run.why or ": ".join(filter(None, (f"{run.verdict.name} {law} {code}".strip(), run.told)))
    return ""


def _one_of_each_family(measure: _Measure) -> set[Path]:
    """The first file of each folder in which there is a fault."""
    first: dict[Path, Path] = {}
    for file, found in measure.by_file.items():
        if any(run.faults for run in found):
            first.setdefault(file.parent, file)
    return set(first.values())


def _jobs(mutant: Mutant, measure: _Measure, known: frozenset[str] | None, *, quick: bool) -> Iterator[Job]:
    """What is worth running: the mutant's plans of each file, without those in which it would be the reference.

    What has no kill map because it must kill nothing (benign variants, broken harnesses) is sampled in a quick run: a file of each family.
    """
    sampled = _one_of_each_family(measure) if quick and mutant.kind in ("benign", "harness") else set(measure.by_file)
    for file, found in measure.by_file.items():
        if file not in sampled:
            continue
        ours = [run for run in found if run.role == mutant.role]
        named = [run for run in ours if known is None or run.plan in known]
        chosen = named if known and quick else named or ours[:1]
        live = [run for run in chosen if run.plan not in measure.red]
        if mutant.kind != "benign":
            live = [run for run in live if not mutant.is_spared(run.used)]
        if live:
            yield Job(mutant.id, file, frozenset(run.plan for run in live))


# --- judging mutants


def outcome_of(
    mutant: Mutant, known: Kills, runs: Sequence[Run], baseline: Baseline, *, quick: bool = False
) -> Outcome:
    """Sum up one mutant's runs, on plans where the reference is green; ``known`` is what its kill map holds.

    In a ``quick`` run of only the plans that the map names no story need begin: that one did elsewhere was seen when the map was made.
    """
    killed = _by_pair((run.plan, run.failed) for run in runs)
    found_in = {(law, code): plan for law, codes in known.items() for code, plan in codes.items()}
    expected = {} if mutant.kind in ("benign", "harness") else dict.fromkeys(mutant.purpose, "") | found_in
    void, ran = _void(mutant, runs, needs_story=not (quick and known)), {run.plan: run.file for run in runs}
    if mutant.kind == "harness":
        green = tuple(run.plan for run in runs if run.faults and run.hits and run.verdict <= Verdict.PASS)
        return Outcome(mutant, expected, killed, void, green, ran=ran)
    unclear = _by_pair((run.plan, _only_here(run, baseline)) for run in runs) if mutant.kind == "benign" else {}
    unhit = ((run.plan, "failed, but the broken place was not used") for run in runs if run.failed and not run.hits)
    errors = (*((run.plan, run.why) for run in runs if run.why), *unhit)
    return Outcome(mutant, expected, killed, void, (), unclear, errors, ran)


def _only_here(run: Run, baseline: Baseline) -> list[Pair]:
    known = baseline.get((run.plan, run.role))
    return [one for one in run.unclear if known is None or one not in known.unclear]


def _by_pair(found: Iterable[tuple[str, Iterable[Pair]]]) -> dict[Pair, tuple[str, ...]]:
    plans: dict[Pair, list[str]] = defaultdict(list)
    for plan, pairs in found:
        for one in pairs:
            plans[one].append(plan)
    return {one: tuple(several) for one, several in sorted(plans.items())}


def _void(mutant: Mutant, runs: Sequence[Run], *, needs_story: bool) -> str:
    if not runs:
        return "it was never run, or no scenario uses what it breaks"
    if not any(run.hits for run in runs):
        return "its broken place was never used"
    if mutant.kind == "harness":
        return "" if any(run.faults and run.hits for run in runs) else "no scenario with a fault was run"
    if needs_story and mutant.kind != "unconditional" and not any(run.is_set_up for run in runs):
        return "no story ever began"
    return ""
