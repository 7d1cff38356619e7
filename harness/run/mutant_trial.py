"""One mutant in one scenario file: which plans are run, and what is left of each run. This is what a worker process does.

Deliberately absent: what all files together say about the mutant (``mutants``).
"""

import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile

from harness.base.verdict import Verdict
from harness.checks.model import Finding
from harness.history.events import History
from harness.history.plan import Plan, Step
from harness.run.gallery import PROGRAM, Gallery, Mutant, load_gallery
from harness.run.judge import judge
from harness.run.judgement import Judgement
from harness.run.kill_map import Pair
from harness.run.pairing import pair
from harness.run.runner import World, run_in, world_named
from harness.run.shelf import Shelf
from harness.scenario.expand import plans

REFERENCE = ""
"""Stands for no mutant at all."""

ROLES = ("relay", "host", "device", "harness")


@dataclass(frozen=True, slots=True)
class Job:
    """One mutant and one file.

    Attributes:
        mutant: its id, or ``REFERENCE``.
        file: the scenario.
        wanted: ids of the plans to run; None for all. In the sim the reference runs the file's first plan in any case.
        world: ``sim`` or ``wire``.
        keep: folder for the histories; None keeps none. In the sim they can be had again (``retold``).
        seed: of everything random.
    """

    mutant: str
    file: Path
    wanted: frozenset[str] | None = None
    world: str = "sim"
    keep: Path | None = None
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Run:
    """What is left of one run.

    Attributes:
        plan: its id.
        role: who was on trial.
        verdict: of the run; ``HARNESS_ERROR`` if the world gave up.
        failed: what was found broken.
        unclear: what could not be told.
        hits: how often the broken place was used.
        is_set_up: the story got as far as its first step.
        faults: how many the plan has.
        why: what is wrong beyond findings of the mutant's own; empty if nothing is.
        used: seams that the reference used.
        file: of the scenario.
        simulated_s: how long the story was.
        told: the worst finding's own words; empty if nothing was found.
    """

    plan: str
    role: str
    verdict: Verdict
    failed: tuple[Pair, ...] = ()
    unclear: tuple[Pair, ...] = ()
    hits: int = 0
    is_set_up: bool = False
    faults: int = 0
    why: str = ""
    used: frozenset[str] = frozenset()
    file: str = ""
    simulated_s: float = 0.0
    told: str = ""


def run_job(folder: Path, job: Job) -> list[Run]:
    """Run a job; for the reference there is one ``Run`` for each role that may be on trial."""
    gallery, found = _gallery(folder), _plans(job.file, job.world, job.seed)
    chosen = [plan for plan in found if job.wanted is None or plan.id in job.wanted]
    if job.mutant == REFERENCE:
        first = [plan for plan in found[:1] if job.world == "sim" and plan not in chosen]
        chosen = [*first, *chosen]
        trials = [_watched(gallery, plan) for plan in chosen]
        _keep(trials, job.keep)
        return _as_each_role(chosen, trials, is_whole=len(chosen) == len(found))
    mutant = gallery.mutants[job.mutant]
    trials = [_tried(mutant, plan, gallery.homes[mutant.id]) for plan in chosen]
    _keep(trials, job.keep)
    return _summed_up(chosen, trials, mutant.role, is_whole=len(chosen) == len(found))


def _keep(trials: Iterable["_Trial"], folder: Path | None) -> None:
    if folder is not None:
        shelf = Shelf.opened(folder)
        for history in (trial.history for trial in trials if trial.history is not None):
            shelf.keep(history)


def retold(mutant: Mutant, file: Path, wanted: str) -> History | None:
    """The history of one run of a mutant in the sim, from running it again: same seed, same bytes. None if the world gave up."""
    return next((_in_process(mutant, plan).history for plan in _plans(file, "sim", 1) if plan.id == wanted), None)


@cache
def _gallery(folder: Path) -> Gallery:
    return load_gallery(folder)


@cache
def _plans(file: Path, world: str, seed: int) -> list[Plan]:
    return plans(file, world=world, seed=seed)


# --- running


@dataclass(frozen=True, slots=True)
class _Trial:
    """A run and its judgement, or why there is none."""

    history: History | None
    judgement: Judgement | None
    hits: int = 0
    why: str = ""
    used: frozenset[str] = frozenset()


def on_trial(plan: Plan, role: str) -> Plan:
    """The plan with exactly the actors of a role on trial; everybody else is the reference and believed."""
    if role == "harness":
        return plan
    return replace(plan, cast=tuple(replace(one, kind="sut" if one.role == role else "reference") for one in plan.cast))


def _tried(mutant: Mutant, plan: Plan, home: Path) -> _Trial:
    return _in_process(mutant, plan) if plan.world == "sim" else _as_processes(mutant, plan, home)


def _as_processes(mutant: Mutant, plan: Plan, home: Path) -> _Trial:
    """Run a mutant where every role is a process; they count into a file of this one that has no name, so that nothing is left behind."""
    with TemporaryFile() as uses:
        programs = commands(mutant, home, f"/proc/{os.getpid()}/fd/{uses.fileno()}")
        trial = _in_world(lambda: world_named(plan.world, programs), on_trial(plan, mutant.role))
        return replace(trial, hits=os.fstat(uses.fileno()).st_size)


def commands(mutant: Mutant, home: Path, uses: str) -> dict[str, tuple[str, ...]]:
    """The programs of a mutant as command templates of the wire world.

    Args:
        mutant: whose.
        home: the module in which it stands, beside the gallery's own program.
        uses: path of a file that grows by a byte whenever the broken place is used.
    """
    from harness.worlds.wire.world import REFERENCE as TEMPLATES  # noqa: PLC0415 - only who asks for that world pays for it

    assert mutant.programs is not None, mutant.id
    before = (sys.executable, "-P", str(home.with_name(PROGRAM).resolve()), str(home.resolve()), mutant.id, uses)
    return {role: (*before, role, *_options(TEMPLATES[role])) for role in mutant.programs(lambda: None)}


def _options(template: tuple[str, ...]) -> tuple[str, ...]:
    """What stands behind the role's name in the reference's own template."""
    return template[next(n for n, word in enumerate(template) if word in ROLES) + 1 :]


def _in_process(mutant: Mutant, plan: Plan) -> _Trial:
    hits = 0

    def count() -> None:
        nonlocal hits
        hits += 1

    plan = on_trial(plan, mutant.role)
    if mutant.programs is not None:
        make = mutant.programs
        trial = _in_world(lambda: world_named(plan.world, make(count)), plan)
    else:
        assert mutant.world is not None
        world = mutant.world
        trial = _in_world(lambda: world(count), plan)
    return replace(trial, hits=hits)


def _in_world(world: Callable[[], World], plan: Plan) -> _Trial:
    try:
        record = run_in(world(), plan)
    except Exception as error:  # noqa: BLE001 - whatever a broken system does to the harness, its run is a HARNESS_ERROR
        return _Trial(None, None, why=f"{type(error).__name__}: {error}")
    return _Trial(record.history, record.judgement)


def _as_each_role(chosen: list[Plan], trials: list[_Trial], *, is_whole: bool) -> list[Run]:
    """Judge runs of the reference as if each role in turn were on trial."""
    found: list[Run] = []
    for role in ROLES:
        judged = [
            replace(trial, judgement=judge(replace(trial.history, plan=on_trial(trial.history.plan, role))))
            if trial.history is not None
            else trial
            for trial in trials
        ]
        found += _summed_up(chosen, judged, role, is_whole=is_whole)
    return found


def _watched(gallery: Gallery, plan: Plan) -> _Trial:
    """Run the reference, and note what it uses where that can be seen."""
    if plan.world != "sim":
        return _in_world(lambda: world_named(plan.world), plan)
    used: set[str] = set()
    trial = _in_world(lambda: world_named(plan.world, gallery.watched(used.add)), plan)
    return replace(trial, used=frozenset(used))


# --- summing up


def _summed_up(chosen: list[Plan], trials: list[_Trial], role: str, *, is_whole: bool) -> list[Run]:
    """Sum runs up; only where all siblings were run it can be told whether a refusal has its acceptance."""
    judged = [trial.judgement for trial in trials if trial.judgement is not None]
    paired = iter(pair(judged) if is_whole else judged)
    return [
        _run(plan, role, trial, next(paired) if trial.judgement is not None else None)
        for plan, trial in zip(chosen, trials, strict=True)
    ]


def _run(plan: Plan, role: str, trial: _Trial, judged: Judgement | None) -> Run:
    faults = _faults(plan.story)
    if judged is None or trial.history is None:
        blank = Run(plan.id, role, Verdict.HARNESS_ERROR, file=plan.file)
        return replace(blank, hits=trial.hits, faults=faults, why=trial.why, used=trial.used)
    ours = [one for one in judged.findings if one.verdict > Verdict.FAIL]
    return Run(
        plan.id,
        role,
        judged.verdict,
        _pairs(judged, Verdict.FAIL),
        _pairs(judged, Verdict.INCONCLUSIVE),
        trial.hits,
        any(event.kind == "story" and event.what == "set_up" for event in trial.history.events),
        faults,
        f"{ours[0].verdict.name} {ours[0].code}: {ours[0].message}" if ours else "",
        trial.used,
        plan.file,
        trial.history.footer.simulated_s,
        _told(judged),
    )


def _told(judged: Judgement) -> str:
    found = sorted((one for one in judged.findings if one.verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE)), key=_order)
    return found[0].message if found else ""


def _order(one: Finding) -> tuple[bool, str, str]:
    """As ``failed`` and ``unclear`` stand one behind the other."""
    return one.verdict is not Verdict.FAIL, one.requirement, one.code


def _pairs(judged: Judgement, verdict: Verdict) -> tuple[Pair, ...]:
    return tuple(sorted({(one.requirement, one.code) for one in judged.findings if one.verdict is verdict}))


def _faults(steps: Iterable[Step]) -> int:
    return sum((step.do == "fault") + _faults(step.during) for step in steps)
