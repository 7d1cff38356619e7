"""A run without a story: everybody is set up, the agent talks, and faults come when somebody asks for them.

Walks on a ``Stage`` as the director does. Deliberately absent: who asks, and what shows that a fault bit.
"""

import math
from collections.abc import Callable

from harness.base.errors import UsageError, WorldError
from harness.base.span import format_span
from harness.faults.model import FAULTS
from harness.faults.proof import GRACE_S
from harness.history.plan import Plan, Step
from harness.worlds.in_force import InForce
from harness.worlds.opening import Opening
from harness.worlds.pace import Pace, StoryStopped
from harness.worlds.stage import Directions, Stage

FIRST_S = GRACE_S + 0.5
"""From a fault's beginning to the agent's first line: what is sent before may have been in flight and counts for nothing, and a host whose post hangs
sends no other for a while (measured)."""

SAYS_S = 2.0
"""Between two lines of the agent in a fault."""

IDLE_S = 5.0
"""Between two lines while nothing is in force: a sign of life."""

TALK_S = 60.0
"""For so long the agent goes on talking in a fault: bytes enough for its evidence. After that it is silent until the end, and the world may hurry."""

PATIENCE_S = 60.0
"""A fault that lasts longer is hurried: nobody waits for a night."""

SETTLE_S = 5.0
"""After the end of a fault; what was in flight then counts for its evidence."""

EVENTS_MAX = 40_000
"""A day at its true rate; to weigh a fault's evidence in what was seen until then takes ten seconds (measured: 19 ms a minute)."""


class Live:
    """One run that goes on until it is told to end.

    Args:
        plan: who takes part; its story is not walked.
        stage: where.
        ready: is called once everybody is set up.
        hurry: is told, whenever it changes, whether the world should hurry.
    """

    def __init__(
        self, plan: Plan, stage: Stage, *, ready: Callable[[], None], hurry: Callable[[bool], None] = lambda _: None
    ) -> None:
        self._plan, self._stage, self._pace = plan, stage, Pace(stage)
        self._opening, self._in_force = Opening(plan, self._pace), InForce(plan, self._pace)
        self._ready, self._hurry = ready, hurry
        self._hosts = [actor.name for actor in plan.cast if actor.role == "host"]
        self._asked: list[tuple[Step, Callable[[], None]]] = []
        self._held: dict[str, tuple[Step, float]] = {}
        self._begun: dict[str, tuple[float, float]] = {}
        self._lines = 0
        self._stirred = False
        self.is_ready = self.is_over = False

    # --- asked from outside

    def begin(self, step: Step, then: Callable[[], None]) -> None:
        """Have a fault begin at the next chance; ``then`` is called ``settle_s`` after it has healed.

        Raises:
            UsageError: it cannot begin now; the message says when.
        """
        if not self.is_ready:
            raise UsageError("the topology is still starting; try again in a few seconds")
        whose = machine_of(step)
        if whose in self._held:
            held, until = self._held[whose]
            left = format_span(max(round(until - self._stage.now), 1))
            raise UsageError(
                f"{whose} is in the hands of `{held.verb}` for another {left} of its time; wait for its end"
            )
        if not self._stage.alive(whose):
            raise UsageError(f"the program of {whose} has ended; `relayproof down` and `relayproof up` start anew")
        self._held[whose] = step, self._stage.now + lasts_s(step) + settle_s(step, self._plan)
        self._asked.append((step, then))

    def end(self) -> None:
        """Have the run end at the next chance."""
        self.is_over = True

    # --- walking

    def directions(self) -> Directions[None]:
        """The whole run.

        Raises:
            WorldError: somebody cannot be set up, or the run has become too long.
        """
        try:
            yield from self._opening.set_up()
        except StoryStopped as failure:
            raise WorldError(f"the topology does not come up: {failure}") from failure
        self.is_ready = True
        self._ready()
        while not self.is_over:
            self._begin_what_was_asked()
            self._stirred = False
            yield from self._pace.wait(self._speak(), self._is_called)
            if len(self._stage.events) > EVENTS_MAX:
                raise WorldError(f"more than {EVENTS_MAX} things have happened since `relayproof up`; start it anew")

    def _is_called(self) -> bool:
        return self.is_over or self._stirred or bool(self._asked)

    def _begin_what_was_asked(self) -> None:
        while self._asked:
            step, then = self._asked.pop(0)
            self._begun[step.id] = self._stage.now, lasts_s(step)
            self._hurry_if_wanted()
            self._in_force.begin(step, lambda step=step, then=then: self._healed(step, then))  # type: ignore[misc]

    def _healed(self, step: Step, then: Callable[[], None]) -> None:
        del self._begun[step.id]
        self._hurry_if_wanted()
        self._stirred = True
        self._pace.at(self._stage.now + settle_s(step, self._plan), lambda: self._settled(step, then))

    def _settled(self, step: Step, then: Callable[[], None]) -> None:
        del self._held[machine_of(step)]
        then()

    def _hurry_if_wanted(self) -> None:
        self._hurry(any(span_s > PATIENCE_S for _, span_s in self._begun.values()))

    def _speak(self) -> float:
        """Say a line where somebody may want to hear one; returns when to look again, true seconds."""
        since = max((began_at for began_at, _ in self._begun.values()), default=math.inf)
        if since <= self._stage.now < since + FIRST_S:
            return since + FIRST_S
        if self._stage.now >= since + TALK_S:
            return math.inf
        for host in self._hosts:
            if self._stage.alive(host) and not self._stands(host):
                self._lines += 1
                self._pace.agent("live", host, "say", text=f"line {self._lines}", step="live", at=self._stage.now)
        return self._stage.now + (SAYS_S if self._begun else IDLE_S)

    def _stands(self, host: str) -> bool:
        """Whether a machine sleeps or its program is stopped: nobody speaks there."""
        step = self._held.get(host, (None, 0.0))[0]
        return step is not None and step.id in self._begun and step.verb in _STANDS


_STANDS = frozenset({"sleeps", "dark_wakes", "freezes"})


def lasts_s(step: Step) -> float:
    """How long the fault of a step lasts, true seconds; 0 for a moment."""
    return FAULTS[step.verb](**step.args).lasts_s


def settle_s(step: Step, plan: Plan) -> float:
    """How long after its end its evidence is waited for; what follows from a moment comes out when a dead peer is noticed, at the latest."""
    return SETTLE_S if lasts_s(step) else plan.contract.dead_peer_bound_s


def machine_of(step: Step) -> str:
    """Whose machine a fault holds; of a link, the dialling side's."""
    return step.actor or str(step.args["link"]).partition("-")[0]
