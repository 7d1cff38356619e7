"""Runs the gallery as processes: what kills a mutant in the sim must kill it on the wire, by the same checks with the same codes.

A mutant is run in the plans that its kill map names for what it is there for, and in one control: a file that is not there to kill it and uses
what it breaks. The sim is asked in the very same plans, by a few seeds, and by many where the worlds differ: what fails by all must fail on the
wire, what fails by none must not. The reference goes first in both worlds. Deliberately absent: looking for new kills (``mutants``), and any count
of what was left out.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice
from pathlib import Path

from harness.run.casting import WIRE, Measure, Part, Playable, cast, controls, no_process
from harness.run.gallery import Mutant, load_gallery
from harness.run.kill_map import KillMap, Pair, plans_of, read_kill_map
from harness.run.mutant_trial import REFERENCE, Job, Run, run_job
from harness.run.mutants import chosen_of, why_red
from harness.run.workers import pool_of

SEEDS = (2, 3, 4, 5)
"""Asked in the sim beside the first: back-off has full jitter, and what else fails may hang on who comes back first."""

MORE_SEEDS = tuple(range(6, 31))
"""Asked besides where the wire differs: one time in seven a tablet came back too late to hear of a decision, which five seeds do not show."""

WIRE_ALONE = frozenset(
    {"RC-AUT-015.not-in-argv", "RC-AUT-015.not-in-log", "RC-LOC-005.at-rest", "RC-LOC-005.private"}
    | {"RC-OPS-004.leaves-nobody", "RC-OPS-004.obeys-signal", "RC-OUT-015.syncs-first"}
)
"""Requirements that no simulated run can judge (docs/guide/wire.md): a host that hears nothing hears no signal either, and the sim cannot say so."""


type _Seen = dict[tuple[str, str], list[Run]]
"""(mutant or ``REFERENCE``, plan) -> what became of it on the wire."""


@dataclass(frozen=True)
class Crossing:
    """One mutant in one plan, in both worlds.

    Attributes:
        plan: its id.
        is_control: the plan is not there to kill it.
        expected: what fails it in the sim by every seed.
        possible: what fails it there by some.
        found: what fails it on the wire, but for what is judged there alone.
        unclear: what only the mutant left unclear on the wire; asked of benign ones.
        why: what makes the comparison worthless; empty if nothing does.
        must_fail: every seed of the sim fails it there, be it for another reason each time.
        is_idle: what is broken was not used, as in the sim by some seeds, although not by the first.
        is_used: it was used.
    """

    plan: str
    is_control: bool
    expected: frozenset[Pair]
    possible: frozenset[Pair]
    found: frozenset[Pair]
    unclear: frozenset[Pair] = frozenset()
    why: str = ""
    must_fail: bool = False
    is_idle: bool = False
    is_used: bool = True

    @property
    def differs(self) -> bool:
        """Whether something failed in one world that did not in the other."""
        return not self.expected <= self.found <= self.possible or (self.must_fail and not self.found)

    @property
    def exact(self) -> bool:
        """Whether both worlds say the same, and nothing spoils it."""
        return not (self.why or self.unclear or self.differs)


@dataclass(frozen=True)
class Crossed:
    """One mutant after all its comparisons.

    Attributes:
        mutant: who.
        crossings: killers first, those that kill as declared at their head and of these the shortest; then the controls; then what was needed
            besides, because these showed nothing by chance.
        left_out: why there are none; empty if there are.
    """

    mutant: Mutant
    crossings: tuple[Crossing, ...] = ()
    left_out: str = ""

    @property
    def lacking(self) -> frozenset[bool]:
        """Of which sort, controls (True) or killers (False), those that ran show nothing, by chance; of none where anything else is wrong.

        The killers must catch what the mutant is there for and any seed of the sim catches in them; a control must use what is broken.
        """
        if not all(one.exact for one in self.crossings):
            return frozenset()
        killers = [one for one in self.crossings if not one.is_control]
        found = frozenset(chain.from_iterable(one.found for one in killers))
        aim = self.mutant.purpose.intersection(chain.from_iterable(one.possible for one in killers))
        has_missed = bool(killers) and not (found and aim <= found)
        idle = [one.is_idle for one in self.crossings if one.is_control]
        return frozenset({False} if has_missed else ()) | frozenset({True} if idle and all(idle) else ())

    @property
    def exact(self) -> bool:
        """Whether both worlds say the same everywhere, and a broken one was killed."""
        killed = any(one.found for one in self.crossings if not one.is_control)
        is_right = killed is (self.mutant.kind != "benign") and all(one.exact for one in self.crossings)
        return is_right and not self.lacking

    def then(self, parts: Sequence[Part], seen: _Seen) -> "Crossed":
        """Add what became of it in further plans, each run as the reference and as the mutant."""
        more = [crossing(self.mutant, one, seen[REFERENCE, one.plan], *seen[self.mutant.id, one.plan]) for one in parts]
        return replace(self, crossings=(*self.crossings, *more))


@dataclass(frozen=True)
class Passage:
    """The whole gallery.

    Attributes:
        outcomes: in the order of the gallery, those left out included.
        runs: on the wire, those of the reference included.
    """

    outcomes: tuple[Crossed, ...]
    runs: int

    @property
    def ran(self) -> list[Crossed]:
        """Those that were not left out."""
        return [one for one in self.outcomes if not one.left_out]

    @property
    def is_good(self) -> bool:
        """Whether every mutant that ran is as in the sim; nothing is good where none ran."""
        return bool(self.ran) and all(one.exact for one in self.ran)


def run_on_wire(
    folder: Path,
    files: Sequence[Path],
    *,
    only: Sequence[str] = (),
    quick: bool = False,
    whole: bool = False,
    workers: int = 1,
    keep: Path | None = None,
    tell: Callable[[Crossed], None] = lambda _outcome: None,
) -> Passage:
    """Run mutants as processes and compare.

    Where the sim, asked by more seeds, kills a mutant by chance only, or uses by chance only what is broken, and the wire did not have that chance,
    the next killer or control is run.

    Args:
        folder: the gallery.
        files: scenario files.
        only: ids of the mutants to run; empty for all.
        quick: one killer for each mutant and no control; one file for a benign one.
        whole: all plans that the kill map names.
        workers: worlds at once; those that share two cores disturb each other's hurried clocks.
        keep: folder for the histories of the wire, below it one for each mutant and ``reference``; None keeps none.
        tell: gets every outcome as soon as it is known; of those where the worlds seem to differ after the others.

    Raises:
        UsageError: the gallery cannot be used, or has no mutant of that id.
        ScenarioError: a file is broken.
    """
    mutants, known = chosen_of(load_gallery(folder).mutants, only), read_kill_map(folder)
    playable = Playable.of(files)
    with pool_of(workers) as pool:
        run = partial(run_job, folder)
        measure = _measured(pool, run, mutants, known, playable)
        casting = {mutant.id: cast(mutant, known, playable, measure, quick=quick, whole=whole) for mutant in mutants}
        outcomes = {mutant.id: Crossed(mutant) for mutant in mutants}
        for name, why in casting.items():
            if isinstance(why, str):
                outcomes[name] = replace(outcomes[name], left_out=why)
                tell(outcomes[name])
        able = {name: one for name, one in casting.items() if not isinstance(one, str)}
        turn = {name: one.parts for name, one in able.items()}
        spare = {name: [*one.spare] for name, one in able.items()}
        seen: _Seen = {}
        while turn:
            turn = _by_chance(pool, run, turn, playable, SEEDS)
            doubtful = {}
            for name in _play(pool, run, turn, playable, keep, seen):
                outcome = outcomes[name].then(turn[name], seen)
                if outcome.exact:
                    outcomes[name] = outcome
                    tell(outcome)
                else:
                    doubtful[name] = turn[name]
            for name, parts in _by_chance(pool, run, doubtful, playable, MORE_SEEDS).items():
                outcomes[name] = outcomes[name].then(parts, seen)
            turn = {name: more for name in doubtful if (more := _next_of(spare[name], outcomes[name].lacking))}
            for name in doubtful:
                if name not in turn:
                    tell(outcomes[name])
    return Passage(tuple(outcomes.values()), len(seen))


def _next_of(spare: list[Part], lacking: frozenset[bool]) -> list[Part]:
    """Take the next of each sort that is lacking."""
    found = [next((part for part in spare if part.is_control is sort), None) for sort in sorted(lacking)]
    chosen = [part for part in found if part is not None]
    for part in chosen:
        spare.remove(part)
    return chosen


# --- asking the sim


type _RunJob = Callable[[Job], list[Run]]


def _measured(pool: Executor, run: _RunJob, mutants: Sequence[Mutant], known: KillMap, playable: Playable) -> Measure:
    """Ask the sim: the reference in every plan that may be chosen, each mutant in those that may kill it and in the controls."""
    killers = {mutant.id: playable.killers(plans_of(known.get(mutant.id, {}))) for mutant in mutants}
    wanted = {*chain.from_iterable(killers.values()), *playable.first}
    by_file: dict[Path, set[str]] = {}
    for plan in wanted:
        by_file.setdefault(playable.homes[plan], set()).add(plan)
    files = [Job(REFERENCE, file, frozenset(several)) for file, several in by_file.items()]
    reference: dict[str, list[Run]] = {}
    for one in chain.from_iterable(pool.map(run, files)):
        reference.setdefault(one.plan, []).append(one)
    measure = Measure(reference)
    ours = [
        Job(mutant.id, playable.homes[plan], frozenset([plan]))
        for mutant in mutants
        for plan in [*killers[mutant.id], *controls(mutant, known, playable, measure)]
        if not no_process(mutant)
    ]
    told = zip(ours, pool.map(run, ours), strict=True)
    return Measure(reference, {(job.mutant, one.plan): one for job, runs in told for one in runs})


def _by_chance(
    pool: Executor, run: _RunJob, casting: Mapping[str, list[Part]], playable: Playable, seeds: Sequence[int]
) -> dict[str, list[Part]]:
    """Ask the sim by other seeds too: the wire has a luck of its own."""
    asked = [(name, part) for name, parts in casting.items() for part in parts]
    jobs = [
        Job(name, playable.homes[part.plan], frozenset([part.plan]), seed=seed)
        for name, part in asked
        for seed in seeds
    ]
    told = chain.from_iterable(pool.map(run, jobs))
    found: dict[str, list[Part]] = {name: [] for name in casting}
    for name, part in asked:
        found[name].append(replace(part, chances=(*part.chances, *islice(told, len(seeds)))))
    return found


# --- running and comparing


def _play(
    pool: Executor, run: _RunJob, casting: Mapping[str, list[Part]], playable: Playable, keep: Path | None, seen: _Seen
) -> Iterator[str]:
    """Run on the wire and put into ``seen``; a name comes as soon as all its plans were run."""
    jobs = list(_jobs(casting, playable, keep, seen))
    found = zip(jobs, pool.map(run, jobs), strict=True)
    for name, parts in casting.items():
        while any((name, one.plan) not in seen for one in parts):
            job, runs = next(found)
            seen[job.mutant, runs[0].plan] = runs
        yield name


def _jobs(casting: Mapping[str, list[Part]], playable: Playable, keep: Path | None, seen: _Seen) -> Iterator[Job]:
    """The runs of the wire in order; the reference goes before the first mutant of a plan."""
    measured = {plan for name, plan in seen if name == REFERENCE}
    for name, parts in casting.items():
        for part in parts:
            file, wanted = playable.homes[part.plan], frozenset([part.plan])
            if part.plan not in measured:
                measured.add(part.plan)
                yield Job(REFERENCE, file, wanted, WIRE, keep and keep / "reference")
            yield Job(name, file, wanted, WIRE, keep and keep / name)


def crossing(mutant: Mutant, part: Part, reference: Sequence[Run], wire: Run) -> Crossing:
    """Compare what became of a mutant in the two worlds.

    Args:
        mutant: who.
        part: its plan and its run in the sim.
        reference: its run on the wire, as each role in turn.
        wire: the mutant's run there.
    """
    known = {one for run in reference if run.role == mutant.role for one in run.unclear}
    unclear = frozenset(wire.unclear) - known if mutant.kind == "benign" else frozenset()
    found = frozenset(one for one in wire.failed if one[0] not in WIRE_ALONE)
    why = _spoilt(part, reference, wire)
    is_idle = part.may_be_idle and not wire.hits
    return Crossing(
        part.plan,
        part.is_control,
        part.certain,
        part.possible,
        found,
        unclear,
        why,
        part.always_fails,
        is_idle,
        bool(wire.hits),
    )


def _spoilt(part: Part, reference: Sequence[Run], wire: Run) -> str:
    red = next(filter(None, map(why_red, reference)), "")
    if red:
        return f"the reference is not green there: {red}"
    if part.sim.why or wire.why:
        return part.sim.why or wire.why
    stale = sorted(part.declared - set(part.sim.failed))
    if stale:
        return f"the kill map names {' '.join(stale[0])}, which the sim does not find there; `--remember` makes the map anew"
    if wire.hits or not part.sim.hits or (part.may_be_idle and not wire.failed):
        return ""
    return "its broken place was used in the sim and not here"
