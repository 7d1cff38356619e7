"""The director walks a story: the same way in every world, through a ``Stage``, as a generator that yields whenever time has to pass.

Beats: a step that waited ends on the next whole second, so that a few milliseconds more or less in somebody's answer (another random draw in a
system under test) do not move the faults. Deliberately absent: judgement. The director records; a step that fails ends the story.
"""

from collections.abc import Callable

from harness.base.errors import WorldError
from harness.history.plan import Moment, Plan, Step
from harness.scenario.steps import STEPS
from harness.scenario.verbs import STORY
from harness.worlds.acts import Acts
from harness.worlds.in_force import InForce
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
        self._in_force = InForce(plan, self._pace)

    def directions(self) -> Directions[None]:
        """The whole run: set-up, story, final quiet, last look."""
        try:
            yield from self._opening.set_up()
            yield from self._walk(self._plan.story)
        except StoryStopped as failure:
            waited = self._waited() if failure.ran_out else {}
            told = {"step": failure.step, "why": failure.why, "code": failure.code}
            self._stage.record("harness", "story", "failed", **told, **waited)
        yield from self._drain()
        yield from self._last_look()

    def _waited(self) -> dict[str, float]:
        """How long the last wait was to be at most, and how long it was: more where the world stood."""
        began_at, until = self._pace.waited
        return {"deadline_s": round(until - began_at, 9), "waited_s": round(self._stage.now - began_at, 9)}

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
        yield from self._pace.wait_for(self._stage.now + step.deadline_s, holds)
        if not holds():
            why = f"{step.actor} never {step.verb} {step.args.get('value')!r} within {step.deadline_s:g} s"
            raise StoryStopped(step.id, why, "control", ran_out=True)

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
        yield from self._pace.wait(self._plan.pinned.get(step.id, self._stage.now))
        heals_at = self._in_force.begin(step)
        yield from self._walk(step.during)
        yield from self._pace.wait(heals_at + 1e-6)

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
        if not self._in_force.count:
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
