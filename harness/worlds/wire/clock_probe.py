"""Whether programs go by the world's clock: each is asked what its own clocks say, all through a run, and that is held against what they must.

What they must is worked out from the world's own account and not from the page that programs read, so a page that stands is found out. Deliberately
absent: what a wrong clock means for a verdict (``harness.run.temper``), and whether a run may be hurried at all (``preflight``).
"""

import math
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import trio

from harness.sut.contract import Call
from harness.worlds.wire.warp import NS, MachineClocks, WorldClock

if TYPE_CHECKING:
    from harness.worlds.wire.roles import Role

ASK_EVERY_S = 1.0
"""True seconds between two questions to one program: a minute of a world in haste; an answer takes 1 ms."""

TOLERANCE, SLACK_S = 0.01, 0.05
"""Share of a span, and seconds, by which a clock may be off: the goal for timers is 1 %, a clock may count in ticks of 16 ms."""

VERB = "clock"
CLOCKS = ("monotonic_s", "wall_s")


class Moment(NamedTuple):
    """What a machine's clocks show at one instant, in seconds: MONOTONIC and REALTIME."""

    monotonic_s: float
    wall_s: float


def shown(clock: WorldClock, clocks: MachineClocks) -> Moment:
    """What a machine's clocks show now by the world's own account."""
    world_ns = round(clock.of(time.monotonic_ns()) * NS)
    return Moment((world_ns + clocks.awake_ns) / NS, (world_ns + clocks.wall_ns) / NS)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a program's clocks said at some instant between two.

    Attributes:
        said: seconds since whatever they count from.
        earliest: what they had to show when the question was asked.
        latest: the same when the answer had come.
    """

    said: Moment
    earliest: Moment
    latest: Moment

    def differs(self, before: "Reading") -> dict[str, Any]:
        """How far a clock has gone otherwise than it had to since another reading: ``{clock, went_s, must_s}``; empty if it has not."""
        for n, clock in enumerate(CLOCKS):
            went_s = self.said[n] - before.said[n]
            bounds = sorted((self.earliest[n], self.latest[n])), sorted((before.earliest[n], before.latest[n]))
            least_s, most_s = bounds[0][0] - bounds[1][1], bounds[0][1] - bounds[1][0]
            slack_s = SLACK_S + TOLERANCE * max(abs(least_s), abs(most_s))
            if not least_s - slack_s <= went_s <= most_s + slack_s:
                return {"clock": clock, "went_s": round(went_s, 3), "must_s": [round(least_s, 3), round(most_s, 3)]}
        return {}


def moment_in(call: Call) -> Moment | None:
    """The two clocks that an answer tells of; None if it tells of none."""
    told = [(call.result or {}).get(name) for name in CLOCKS]
    numbers = [float(one) for one in told if isinstance(one, (int, float)) and math.isfinite(one)]
    return Moment(*numbers) if len(numbers) == len(CLOCKS) else None


type Life = tuple[str, int]
"""A program, by its actor's name and incarnation."""


@dataclass
class ClockProbe:
    """One run's.

    Attributes:
        roles: who is asked.
        clock: of the world.
    """

    roles: Mapping[str, "Role"]
    clock: WorldClock
    _asked: Counter[str] = field(default_factory=Counter)
    _compared: Counter[str] = field(default_factory=Counter)
    _waiting: dict[Life, Call] = field(default_factory=dict)
    _last: dict[str, tuple[int, Reading]] = field(default_factory=dict)
    _refuses: set[str] = field(default_factory=set)

    async def keep_asking(self) -> None:
        """Ask everybody until cancelled."""
        while True:
            self.ask()
            await trio.sleep(ASK_EVERY_S)

    def ask(self) -> None:
        """Ask everybody who can answer and owes no answer."""
        for name, role in self.roles.items():
            waiting = self._waiting.get((name, role.incarnation))
            if role.is_listening and name not in self._refuses and (waiting is None or waiting.done):
                self._ask(name, role)

    def _ask(self, name: str, role: "Role") -> None:
        self._asked[name] += 1
        earliest, incarnation = shown(self.clock, role.clocks), role.incarnation
        call = self._waiting[name, incarnation] = role.call(VERB, {})
        call.when_done(lambda: self._take(name, call, earliest, incarnation))

    def _take(self, name: str, call: Call, earliest: Moment, incarnation: int) -> None:
        role, said = self.roles[name], moment_in(call)
        if said is None:
            self._refuses |= {name} if call.error == "unsupported" else set()
            return
        reading = Reading(said, earliest, shown(self.clock, role.clocks))
        of, before = self._last.get(name, (0, reading))
        self._last[name] = incarnation, reading
        if of == incarnation:
            self._compared[name] += 1
            found = reading.differs(before)
            if found:
                role.record("saw", "clock.differs", **found)

    @property
    def is_answered(self) -> bool:
        """Whether nobody who can answer owes an answer."""
        return all(call.done or not self._is_there(life) for life, call in self._waiting.items())

    def _is_there(self, life: Life) -> bool:
        name, incarnation = life
        return self.roles[name].is_listening and self.roles[name].incarnation == incarnation

    def tell(self, *, hurried: bool) -> None:
        """Record how often each program was asked and did not leave over it, and how often two of its answers were compared."""
        left = Counter(life[0] for life, call in self._waiting.items() if self._has_left(life, call))
        for name, asked in self._asked.items():
            counts = {"asked": asked - left[name], "compared": self._compared[name]}
            told = {"refuses": name in self._refuses, "hurried": hurried}
            self.roles[name].record("saw", "clock.compared", **counts, **told)

    def _has_left(self, life: Life, call: Call) -> bool:
        """Whether a program's life ended over its last question: a host may be told to stop within a second of its start."""
        name, incarnation = life
        is_over = not self.roles[name].alive or self.roles[name].incarnation != incarnation
        return is_over and moment_in(call) is None
