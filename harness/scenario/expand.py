"""A scenario file -> its plans: the one way from YAML to what a world runs.

Deliberately absent: running, and choosing a world; what does not apply to the profile, the world or the system on trial is left out by name
and with a reason, never silently.
"""

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path
from typing import Any

from harness.base.errors import Place, Problem, ScenarioError
from harness.checks.catalogue import INVARIANTS
from harness.checks.requirements import load_requirements
from harness.history.plan import Actor, Contract, Expectation, Plan, Step
from harness.scenario.claims import claims
from harness.scenario.discover import family
from harness.scenario.document import Document, Problems
from harness.scenario.load import parse
from harness.scenario.model import Scenario, outline
from harness.scenario.parameters import faults
from harness.scenario.permute import Permutation, permutations
from harness.scenario.profiles import DEFAULT, contract_of
from harness.scenario.reading import Reading
from harness.scenario.setting import on_trial, overridden, read_cast, read_given
from harness.scenario.story import story
from harness.scenario.verbs import STORY

TEXT = "<text>"
"""Stands for the file's name where the YAML came as text."""

WAKES = ("sleeps", "dark_wakes")
"""Faults that end with the moment ``wake``; all others end with ``heal``."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A run, or one expectation of it, that does not apply here: NOT_APPLICABLE, decided before anything runs.

    ``id`` is the plan's id, with ``: RC-...`` behind it for a single expectation.
    """

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Expansion:
    """Everything one file stands for: the plans that run and what was left out."""

    plans: list[Plan]
    left_out: list[LeftOut]


@dataclass(frozen=True, slots=True)
class Setup:
    """What the caller decides about a run, as the flags of ``relayproof run`` say it.

    Attributes:
        world: ``sim``, ``wire`` or ``compose``.
        seed: of everything random.
        profile: name of the profile in force; None = the scenario's first, else the default.
        faults_off: effects off, book-keeping on.
        suts: names of the cast, or roles, that are on trial; None = all that the file marks ``sut``.
    """

    world: str = "sim"
    seed: int = 1
    profile: str | None = None
    faults_off: bool = False
    suts: Collection[str] | None = None


def plans(
    source: Path | str | bytes,
    *,
    world: str = "sim",
    seed: int = 1,
    profile: str | None = None,
    faults_off: bool = False,
    suts: Collection[str] | None = None,
) -> list[Plan]:
    """Plans of one scenario, in the order of the file.

    Args:
        source: a ``Path`` to a file, or the YAML itself as text or bytes.
        world: see ``Setup``, as the others.
        seed: of everything random in the run.
        profile: name of a profile.
        faults_off: effects off, book-keeping on.
        suts: names of the cast, or roles, that are on trial.

    Raises:
        ScenarioError: with every problem of the file.
        UsageError: for an unknown profile.
    """
    return expand(source, Setup(world, seed, profile, faults_off, suts)).plans


def expand(source: Path | str | bytes, setup: Setup | None = None) -> Expansion:
    """Plans of one scenario together with what was left out; raises as ``plans``."""
    content, file = _content(source)
    document = parse(content, file)
    problems = Problems(document)
    scenario, wrong = outline(document, problems)
    if isinstance(source, Path) and "scenario" not in wrong and source.stem != scenario.scenario:
        message = f"the file is called `{source.stem}`, the scenario `{scenario.scenario}`"
        problems.add(("scenario",), message, "give both the same name")
    if not (scenario.expect or scenario.cases or wrong & {"expect", "cases"}):
        problems.add((), "no expectation: a scenario that claims nothing proves nothing", "add `expect:` or `cases:`")
    if "cast" in wrong:
        problems.stop()
    author = _Author(scenario, document, problems, read_cast(scenario, problems), setup or Setup(), wrong)
    expansion = author.write(digest=hashlib.sha256(content).hexdigest())
    problems.stop()
    return expansion


def _content(source: Path | str | bytes) -> tuple[bytes, str]:
    if isinstance(source, bytes):
        return source, TEXT
    if isinstance(source, str):
        return source.encode("utf-8", "surrogatepass"), TEXT
    try:
        return source.read_bytes(), str(source)
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        raise ScenarioError([Problem(Place(str(source), 1, 1), message, "check the path")]) from None


@dataclass(slots=True)
class _Author:
    """Writes the plans of one document."""

    scenario: Scenario
    document: Document
    problems: Problems
    cast: dict[str, Actor]
    setup: Setup
    wrong: Collection[str]

    def write(self, *, digest: str) -> Expansion:
        partial = bool(self.wrong) or len(self.cast) < len(self.scenario.cast)
        runs = permutations(self.scenario, self.document, self.problems, partial=partial)
        contract = contract_of(self._profile())
        written = [self._plan(run, contract, digest) for run in runs]
        if self.problems.found:
            return Expansion([], [])
        reason = self._inapplicable()
        if reason:
            return Expansion([], [LeftOut(plan.id, reason) for plan in written])
        return _applicable(written)

    def _profile(self) -> str:
        return self.setup.profile or next(iter(self.scenario.profile), DEFAULT)

    def _inapplicable(self) -> str:
        """Why nothing of this file applies to the set-up; empty if it does."""
        holds, worlds, suts = self.scenario.profile, self.scenario.worlds, self.setup.suts
        if holds and self._profile() not in holds:
            return f"holds under the profile {' and '.join(holds)} only"
        if worlds and self.setup.world not in worlds:
            return f"runs in the world {' and '.join(worlds)} only"
        if suts is not None and not any(actor.kind == "sut" for actor in on_trial(self.cast, suts)):
            marked = sorted(actor.name for actor in self.cast.values() if actor.kind == "sut")
            return f"puts {' and '.join(marked)} on trial, not {' and '.join(sorted(suts))}"
        return ""

    def _plan(self, run: Permutation, contract: Contract, digest: str) -> Plan:
        unread = not {"vary", "cases"}.isdisjoint(self.wrong)
        reading = Reading(self.problems, self.cast, contract, run.params, run.written, unread)
        given = read_given(reading, reading.filled(self.scenario.given, ("given",)))
        reading.contract = overridden(contract, self.cast, given)
        steps = story(reading, reading.filled(self.scenario.story, ("story",)))
        expected = claims(reading, reading.filled(self.scenario.expect, ("expect",)))
        if run.case is not None:
            path = ("cases", run.case, "expect")
            expected += claims(reading, reading.filled(self.scenario.cases[run.case].expect, path), path)
        if not self.problems.found:
            _moments_happen(reading, given, steps, expected)
            _has_control(reading, steps)
            _heal_apart(reading, steps)
        file = self.document.file
        return Plan(
            id=run.name,
            scenario=self.scenario.scenario,
            family=family(Path(file)) if file != TEXT else "",
            file=file,
            digest=digest,
            about=self.scenario.about,
            params=run.params,
            world=self.setup.world,
            seed=self.setup.seed,
            contract=reading.contract,
            cast=on_trial(self.cast, self.setup.suts),
            given=given,
            story=steps,
            expectations=expected,
            invariants=tuple(sorted(INVARIANTS)),
            faults_off=self.setup.faults_off,
        )


def _applicable(written: list[Plan]) -> Expansion:
    """Take out expectations whose requirement is outside of the profile, and plans that have none left."""
    expansion = Expansion([], [])
    rows = load_requirements()
    for plan in written:
        profile = plan.contract.profile
        outside = [
            claim for claim in plan.expectations if claim.proves in rows and not rows[claim.proves].holds_in(profile)
        ]
        reason = f"no requirement of the profile {profile}"
        expansion.left_out.extend(LeftOut(f"{plan.id}: {claim.proves}", reason) for claim in outside)
        kept = tuple(claim for claim in plan.expectations if claim not in outside)
        if kept:
            expansion.plans.append(replace(plan, expectations=kept))
    return expansion


def _moments_happen(
    reading: Reading, given: dict[str, dict[str, Any]], steps: tuple[Step, ...], expected: tuple[Expectation, ...]
) -> None:
    """Note moments that the story never reaches: a heal without a fault, a wake without a sleep."""
    begun = [step.verb for step in _all(steps) if step.do == "fault"]
    comes = {
        "heal": any(verb not in WAKES for verb in begun),
        "wake": any(verb in WAKES for verb in begun),
        "token.expiry": any("lives" in facts.get("token", {}) for facts in given.values()),
    }
    named = [(step.line, step.until.of) for step in _all(steps) if step.until]
    named += [(claim.line, of) for claim in expected for of in (claim.of, claim.since) if of]
    for line, of in named:
        if not comes.get(of, True):
            reading.wrong_line(line, f"`{of}` never comes in this story", _CAUSES[of])


def _has_control(reading: Reading, steps: tuple[Step, ...]) -> None:
    """Note a story whose first fault comes before any step that waits: its PASS would not say that the path worked before."""
    before = list(takewhile(lambda step: step.do != "fault", steps))
    if len(before) == len(steps):
        return
    shown = (reading.cast[step.actor].role + "." + step.verb for step in before if step.do == "verb")
    if not any(verb in _CONTROLS for verb in shown):
        message = "nothing shows that the path worked before the first fault"
        reading.wrong_line(
            steps[len(before)].line, message, "put a step that waits before it, like `- phone.sees: ...`"
        )


def _heal_apart(reading: Reading, steps: tuple[Step, ...], around: tuple[Step, ...] = ()) -> None:
    """Note a fault under one that is undone by the same operation: whichever ends first would end the other, too."""
    for step in steps:
        if step.do == "fault":
            other = next((one for one in around if not _undoes(one).isdisjoint(_undoes(step))), None)
            if other is not None:
                message = f"the end of this `{step.verb}` would end the `{other.verb}` of line {other.line}, too"
                reading.wrong_line(step.line, message, "put one after the other")
            _heal_apart(reading, step.during, (*around, step))


def _undoes(step: Step) -> frozenset[str]:
    """What the heal of a fault does, operation by operation."""
    return frozenset(map(repr, faults()[step.verb](**step.args).heal()))


_CONTROLS = frozenset(f"{row.role}.{row.name}" for row in STORY if row.waits)

_CAUSES = {
    "heal": "add the fault that it ends, like `cut: host-relay`",
    "wake": "add the sleep that it ends, like `host.sleeps: 8h`",
    "token.expiry": "say whose token and how long it lives: `given: {phone.token: {lives: 10m, renews: never}}`",
}


def _all(steps: tuple[Step, ...]) -> Iterator[Step]:
    for step in steps:
        yield step
        yield from _all(step.during)
