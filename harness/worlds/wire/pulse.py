"""How late this machine is: a beat of ours, in true time; what it comes late is, in the world's time, how late any program may have been.

At x60 ten milliseconds of a busy processor look like 0.6 s. Deliberately absent: who is forgiven for it (``harness.checks``).
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import trio

BEAT_S = 0.02
"""True seconds between two beats; each costs 0.1 ms."""
LATE_S = 0.25
"""World seconds below which nobody cares: all slacks of the checks are longer."""
CLOSE_LATE_S = 0.05
"""The same where budgets of delay are below half a second: the tightest of them is 0.1 above the round trips."""
SPAN_S = 60.0
"""World seconds that share one observation, their worst."""


@dataclass
class Pulse:
    """One run's beat.

    Attributes:
        time_of: true MONOTONIC nanoseconds -> the world's seconds.
        least_s: world seconds below which nothing is told or counted.
    """

    time_of: Callable[[int], float]
    least_s: float = LATE_S
    _worst: dict[int, tuple[float, float]] = field(default_factory=dict)
    _stood_s: float = 0.0
    _next_ns: int | None = None

    async def beat(self) -> None:
        """Beat until cancelled."""
        while True:
            self._next_ns = time.monotonic_ns() + round(BEAT_S * 1e9)
            await trio.sleep(BEAT_S)
            self.take(self._next_ns, time.monotonic_ns())

    def take(self, meant_ns: int, came_ns: int) -> None:
        """A beat came when it came."""
        t, late_s = self.time_of(came_ns), self._late_s(meant_ns, came_ns)
        self._next_ns = None
        self._stood_s += late_s
        span = int(t // SPAN_S)
        if late_s > self._worst.get(span, (0.0, 0.0))[1]:
            self._worst[span] = t, late_s

    def stood_s(self, now_ns: int) -> float:
        """World seconds so far that beats were late altogether, the next one included: whoever asks may have woken before it."""
        return self._stood_s + (0.0 if self._next_ns is None else self._late_s(self._next_ns, now_ns))

    def _late_s(self, meant_ns: int, came_ns: int) -> float:
        late_s = self.time_of(came_ns) - self.time_of(meant_ns)
        return late_s if late_s >= self.least_s else 0.0

    def told(self) -> Iterator[tuple[float, float]]:
        """World seconds and lateness of the worst beat of each span in which one was late."""
        yield from self._worst.values()
