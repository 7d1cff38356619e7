"""How a story calls roles and lets time pass: tickets of calls, the agenda of what is due, beats, and the moments that have come.

Deliberately absent: what a story is made of (``director``, ``opening``, ``acts``).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from harness.sut.contract import Call
from harness.worlds.seen import Seen
from harness.worlds.stage import NEVER, Directions, Stage, Until

SETUP_DEADLINE_S = 60.0
"""How long a role may take to start: the reference takes below one second, a third party's cold start several."""


class StoryStopped(Exception):  # noqa: N818  an outcome of a story, not an error of ours
    """A step could not be done; ``why`` is for people, ``code`` for the judge, and so is ``ran_out``: the last wait ended without an answer."""

    def __init__(self, step: str, why: str, code: str, *, ran_out: bool = False) -> None:
        super().__init__(why)
        self.step, self.why, self.code, self.ran_out = step, why, code, ran_out


@dataclass
class Pace:
    """The time of one run on one stage.

    Attributes:
        stage: where it runs.
        moments: name -> when it came last, or will come.
        agenda: what is due, and when; the earliest first.
        waited: when the last wait began, and when it was to end at the latest.
    """

    stage: Stage
    moments: dict[str, float] = field(default_factory=dict)
    agenda: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    waited: tuple[float, float] = (0.0, 0.0)
    _tickets: int = 0

    def __post_init__(self) -> None:
        self.seen = Seen(self.stage)

    # --- calling

    def must(self, step: str, actor: str, verb: str, args: dict[str, Any]) -> Directions[dict[str, Any]]:
        """Call a verb without which there is no story; anything but a result ends it."""
        call = yield from self.call(actor, verb, args, is_needed=True)
        if call.result is None:
            raise StoryStopped(step, f"{actor} could not {verb}: {call.why}", "setup", ran_out=not call.done)
        return call.result

    def call(
        self,
        actor: str,
        verb: str,
        args: dict[str, Any],
        *,
        deadline_s: float = SETUP_DEADLINE_S,
        step: str = "",
        is_needed: bool = False,
    ) -> Directions[Call]:
        """Call a verb and wait for its outcome, whatever it is; both stand in the history. Without one that ``is_needed`` the story ends."""
        self._tickets += 1
        ticket = self._tickets
        self.stage.record(actor, "invoke", verb, op=ticket, step=step, **_shown(args))
        call: Call = self.stage.call(actor, verb, args)
        wait, stood_s = self.wait_for if is_needed else self.wait, self.stage.stood_s
        yield from wait(self.stage.now + deadline_s, lambda: call.done)
        data: dict[str, Any] = call.result if call.result is not None else {"code": call.error or "deadline"}
        if not call.done and self.stage.stood_s > stood_s:
            data["stood_s"] = round(self.stage.stood_s - stood_s, 9)
        self.stage.record(actor, call.outcome, verb, op=ticket, step=step, **_shown(data))
        return call

    def agent(self, place: str, actor: str, act: str, /, **args: Any) -> None:
        """Have the session act; with its host program it ends, and a story that needs it cannot go on: that is the system's doing."""
        if not self.stage.alive(actor):
            raise StoryStopped(place, f"the program of {actor} has ended, so its session cannot {act}", "control")
        self.stage.agent(actor, act, args)

    # --- waiting

    def beat(self) -> Directions[None]:
        """Let time pass until the next whole second."""
        yield from self.wait(math.floor(self.stage.now + 1e-6) + 1.0)

    def at(self, at: float, act: Callable[[], None]) -> None:
        """Put something on the agenda."""
        self.agenda.append((round(at, 9), len(self.agenda), act))
        self.agenda.sort(key=lambda entry: entry[:2])

    def wait(self, at: float, holds: Callable[[], bool] = NEVER) -> Directions[None]:
        """Let time pass until ``at`` or ``holds``, doing what the agenda says on the way.

        A world's clock has nanoseconds; a finer ``at`` would lie for ever a fraction ahead of it.
        """
        at = round(at, 9)
        self.waited = self.stage.now, at
        while True:
            self._do_what_is_due()
            if holds() or self.stage.now >= at:
                return
            due_at = self.agenda[0][0] if self.agenda else math.inf
            yield Until(min(at, due_at), holds)

    def wait_for(self, at: float, holds: Callable[[], bool]) -> Directions[None]:
        """Wait for what the story cannot go on without: it gets back what the machine stood meanwhile, and if it needed that, the history says so.

        In haste a second of true time is a whole minute of whoever is waited for.
        """
        began_at, stood_s, meant_at = self.stage.now, self.stage.stood_s, round(at, 9)
        yield from self.wait(meant_at, holds)
        while not holds() and (until := round(meant_at + self.stage.stood_s - stood_s, 9)) > self.stage.now:
            yield from self.wait(until, holds)
            if holds():
                self.stage.record("harness", "story", "given_back", stood_s=round(self.stage.stood_s - stood_s, 9))
        self.waited = began_at, meant_at

    def _do_what_is_due(self) -> None:
        while self.agenda and self.agenda[0][0] <= self.stage.now:
            self.agenda.pop(0)[2]()

    def moment(self, name: str, **data: Any) -> None:
        """Note that a moment has come."""
        self.moments[name] = self.stage.now
        self.stage.record("harness", "story", "moment", name=name, **data)


def _shown(data: dict[str, Any]) -> dict[str, Any]:
    """Data without credentials: they never reach a history."""
    return {key: ("***" if key == "credential" else value) for key, value in data.items()}
