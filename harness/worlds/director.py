"""The director walks a story: the same way in every world, through a ``Stage``, as a generator that yields whenever time has to pass.

Beats: a step that waited ends on the next whole second, so that a few milliseconds more or less in somebody's answer (another random draw in a
system under test) do not move the faults. Deliberately absent: judgement. The director records; a step that fails ends the story.
"""

from collections.abc import Callable
from dataclasses import asdict
from functools import partial

import harness.faults.catalogue  # noqa: F401  fills FAULTS
from harness.base.errors import WorldError
from harness.faults.model import FAULTS, Fault
from harness.history.plan import Moment, Plan, Step
from harness.scenario.steps import STEPS
from harness.scenario.verbs import STORY
from harness.worlds.acts import Acts
from harness.worlds.opening import Opening
from harness.worlds.pace import Pace, StoryStopped
from harness.worlds.seen import AWAITED
from harness.worlds.stage import Directions, Stage

QUIET_S = 20.0
"""The final quiet: longer than a heartbeat, so that a late duplicate or a false presence still shows."""

VERBS = {(verb.role, verb.name): verb for verb in STORY}


class Director:
    """Walks one plan on one stage."""

    def __init__(self, plan: Plan, stage: Stage) -> None:
        self._plan, self._stage, self._pace = plan, stage, Pace(stage)
        self._opening = Opening(plan, self._pace)
        self._acts = Acts(plan, self._pace, self._opening)
        self._roles = {actor.name: actor.role for actor in plan.cast}
        self._active = 0

    def directions(self) -> Directions[None]:
        """The whole run: set-up, story, final quiet, last look."""
        try:
            yield from self._opening.set_up()
            yield from self._walk(self._plan.story)
        except StoryStopped as failure:
            self._stage.record("harness", "story", "failed", step=failure.step, why=failure.why, code=failure.code)
        yield from self._drain()
        yield from self._last_look()

    # --- the story

    def _walk(self, steps: tuple[Step, ...]) -> Directions[None]:
        for step in steps:
            self._stage.record(step.actor or "harness", "story", "step", step=step.id, verb=step.verb or step.do)
            yield from _STEPS[step.do](self, step)
            self._stage.record(step.actor or "harness", "story", "done", step=step.id)
            yield from self._pace.beat()

    def _verb(self, step: Step) -> Directions[None]:
        verb = VERBS[self._roles[step.actor], step.verb]
        yield from self._control(step) if verb.waits else self._acts.act(step, verb)

    def _control(self, step: Step) -> Directions[None]:
        holds = self._pace.seen.condition(step.actor, step.verb, step.args.get("value"))
        yield from self._pace.wait(self._stage.now + step.deadline_s, holds)
        if not holds():
            why = f"{step.actor} never {step.verb} {step.args.get('value')!r} within {step.deadline_s:g} s"
            raise StoryStopped(step.id, why, "control")

    def _pause(self, step: Step) -> Directions[None]:
        if step.until is None:
            yield from self._pace.wait(self._stage.now + float(step.args["for_s"]))
        else:
            yield from self._pace.wait(self._moment_at(step, step.until))

    def _python(self, step: Step) -> Directions[None]:
        if step.verb not in STEPS:
            raise WorldError(f"{step.id}: no python step is called {step.verb!r}; its conftest.py is not where it was")
        yield from STEPS[step.verb](self._stage, step)

    def _fault(self, step: Step) -> Directions[None]:
        fault = FAULTS[step.verb](**step.args)
        yield from self._pace.wait(self._plan.pinned.get(step.id, self._stage.now))
        began_at = self._stage.now
        self._active += 1
        meant = {"id": step.id, "name": step.verb, "effect": not self._plan.faults_off}
        meant |= {"realised_by": self._realised_by(fault)}
        self._stage.record(_subject(step), "fault", "began", **meant, **asdict(fault))
        self._schedule(fault, began_at)
        self._pace.at(began_at + fault.lasts_s, lambda: self._healed(step, fault))
        yield from self._walk(step.during)
        yield from self._pace.wait(began_at + fault.lasts_s + 1e-6)

    def _realised_by(self, fault: Fault) -> list[str]:
        """By what the world carries the fault out, each named once; by nothing where effects are off."""
        operations = () if self._plan.faults_off else (*fault.begin(), *fault.heal())
        return list(dict.fromkeys(by for operation in operations for by in self._stage.realised_by(operation)))

    def _schedule(self, fault: Fault, began_at: float) -> None:
        for operation in fault.begin():
            if not self._plan.faults_off:
                self._pace.at(began_at + operation.after_s, partial(self._stage.perform, operation))

    def _healed(self, step: Step, fault: Fault) -> None:
        self._active -= 1
        if not self._plan.faults_off:
            for operation in fault.heal():
                self._stage.perform(operation)
        self._stage.record(_subject(step), "fault", "healed", id=step.id, name=step.verb)
        self._pace.moment("wake" if step.verb in ("sleeps", "dark_wakes") else "heal", id=step.id)

    def _moment_at(self, step: Step, moment: Moment) -> float:
        at = self._pace.moments.get(moment.of)
        if at is None:
            raise StoryStopped(step.id, f"nobody knows when {moment.of} is", "no-moment")
        return at + moment.offset_s

    # --- the end

    def _drain(self) -> Directions[None]:
        """Wait until everything expected has come, then through a final quiet; at most as long as anybody may take."""
        limits = [entry.within_s or 0.0 for entry in self._plan.expectations]
        latest = self._stage.now + max([self._plan.contract.reconnect_budget_s, *limits]) + 5.0
        latest = max([latest, *(at + 5.0 for at, _, _ in self._pace.agenda)])
        wanted = [
            self._pace.seen.condition(entry.actor, entry.verb, entry.args.get("value"))
            for entry in self._plan.expectations
            if entry.verb in AWAITED and entry.times != 0
        ]
        yield from self._pace.wait(latest, lambda: not self._pace.agenda and all(holds() for holds in wanted))
        yield from self._pace.wait(self._stage.now + QUIET_S)
        if not self._active:
            self._stage.record("harness", "story", "drained")

    def _last_look(self) -> Directions[None]:
        for actor in self._plan.cast:
            if actor.role != "relay" and self._stage.alive(actor.name):
                yield from self._pace.call(actor.name, "screen", {}, deadline_s=5.0, step="end")


_STEPS: dict[str, Callable[[Director, Step], Directions[None]]] = {
    "verb": Director._verb,
    "fault": Director._fault,
    "wait": Director._pause,
    "python": Director._python,
}


def _subject(step: Step) -> str:
    return str(step.args.get("link") or step.args.get("machine") or "harness")
