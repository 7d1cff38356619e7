"""How long the programs of a run were able to run while this machine's other work had the processors.

The kernel counts for each thread how long it ran and how long it waited for a processor (``schedstat`` of proc_pid(5)). What the threads of the run
waited is no more this machine's own than others ran meanwhile: programs that take the processors from one another wait for themselves. What a
hypervisor took (``steal`` of proc_stat(5)) is added. Where nobody counts there is nothing to tell. Deliberately absent: waits for a disk or a page,
those of threads that ended within a span, and who is forgiven (``harness.checks.latency``).
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

import trio

from harness.worlds.wire.process_table import PROC, everybody, found, offspring, run_counts

COUNT_S = 0.25
"""True seconds between two counts; one takes 3.3 ms where ninety processes live and two dozen threads are of the run."""

TICK_NS = 10**9 // os.sysconf("SC_CLK_TCK")
"""Of the counts in ``/proc/stat``."""

_BUSY = (0, 1, 2, 5, 6)
"""Places of user, nice, system, irq and softirq in a line of ``/proc/stat``; guests are in user."""
_STEAL = 7


class Count(NamedTuple):
    """What was counted until a moment, in nanoseconds.

    Attributes:
        ran: by each thread of the run, how long it ran.
        waited: how long it waited for a processor.
        busy: how long all processors together ran anything.
        stolen: of each processor, what a hypervisor took.
    """

    ran: Mapping[int, int]
    waited: Mapping[int, int]
    busy: int
    stolen: tuple[int, ...]


def lost_ns(before: Count, now: Count, span_ns: int) -> int:
    """What one thread may have lost to this machine's other work between two counts; never more than there was."""
    waited, ran = _grown(before.waited, now.waited), _grown(before.ran, now.ran)
    of_others = max(0, now.busy - before.busy - ran)
    taken = max((b - a for a, b in zip(before.stolen, now.stolen, strict=False)), default=0)
    return min(span_ns, min(waited, of_others) + max(0, taken))


def _grown(before: Mapping[int, int], now: Mapping[int, int]) -> int:
    """By how much all together grew; a thread whose number was another's before counts from its beginning at most."""
    return sum(max(0, ns - before.get(thread, 0)) for thread, ns in now.items())


@dataclass
class RunQueue:
    """One run's counts.

    Attributes:
        time_of: true MONOTONIC nanoseconds -> the world's seconds.
    """

    time_of: Callable[[int], float]
    _lost: list[tuple[float, float, float]] = field(default_factory=list)

    async def count(self) -> None:
        """Count until cancelled."""
        before, since_ns = counted(), time.monotonic_ns()
        while True:
            await trio.sleep(COUNT_S)
            now, now_ns = counted(), time.monotonic_ns()
            self.take(since_ns, now_ns, lost_ns(before, now, now_ns - since_ns))
            before, since_ns = now, now_ns

    def take(self, since_ns: int, until_ns: int, ns: int) -> None:
        """Between two moments so much was lost."""
        since, until = self.time_of(since_ns), self.time_of(until_ns)
        if ns > 0:
            self._lost.append((since, until, ns * (until - since) / (until_ns - since_ns)))

    def told(self) -> Iterator[tuple[float, float, float]]:
        """Spans in which anything was lost, by the world's seconds, and how much."""
        yield from self._lost


def counted() -> Count:
    """What has been counted of this process and all that it started, and of the machine."""
    own = found(os.getpid())
    run = offspring([own] if own else [], list(everybody()))
    counts = {thread: count for one in run for thread, count in run_counts(one.pid).items()}
    busy, stolen = _machine()
    return Count(
        {thread: ran for thread, (ran, _) in counts.items()},
        {thread: waited for thread, (_, waited) in counts.items()},
        busy,
        stolen,
    )


def _machine() -> tuple[int, tuple[int, ...]]:
    """Nanoseconds of all processors that ran anything, and of each that a hypervisor took; none where they cannot be read."""
    lines: list[list[str]] = []
    with suppress(OSError), (PROC / "stat").open() as stat:
        lines = [line.split()[1:] for line in stat if line.startswith("cpu")]
    ticks = [[int(word) for word in line] for line in lines if len(line) > _STEAL]
    busy = sum(ticks[0][place] for place in _BUSY) if ticks else 0
    return busy * TICK_NS, tuple(one[_STEAL] * TICK_NS for one in ticks[1:])
