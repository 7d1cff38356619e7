"""How long the programs of a run had no processor while they were able to run, and what others did with the processors meanwhile.

The kernel counts for each thread how long it waited (``schedstat`` of proc_pid(5)). What others ran is what the processors that the run may use ran,
less what the run did itself, threads and children that ended included: programs that take the processors from one another wait for themselves.
What a hypervisor took is ``steal`` of proc_stat(5). Ticks have a grain of 10 ms. Deliberately absent: waits for memory, pages and disks; programs
that are no children of the harness (``docker run``), which count as others; and who is forgiven (``harness.checks.latency``).
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

import trio

from harness.worlds.wire.process_table import PROC, everybody, found, offspring, ran_ticks, waited_ns

COUNT_S = 0.25
"""True seconds between two counts; one takes 3.3 ms where ninety processes live, most of it to find out which are of the run."""

TICK_S = 1 / os.sysconf("SC_CLK_TCK")
"""Unit of the counts in ``/proc/stat`` and ``/proc/PID/stat``."""

_BUSY = (0, 1, 2, 5, 6)
"""Places of user, nice, system, irq and softirq in a line of ``/proc/stat`` behind the processor's name; guests are in user."""
_STEAL = 7


class Count(NamedTuple):
    """What was counted until a moment, in seconds.

    Attributes:
        waited: of each thread of the run, how long it had no processor.
        ran: how long all of the run together ran, also who has ended.
        busy: how long the processors that the run may use ran anything.
        stolen: of each of these, how long a hypervisor had taken it.
    """

    waited: Mapping[int, float] = {}
    ran: float = 0.0
    busy: float = 0.0
    stolen: tuple[float, ...] = ()


class Wait(NamedTuple):
    """What is told of a span; all in the world's seconds.

    Attributes:
        since: when it began.
        until: when it ended.
        waited_s: how long threads of the run had no processor, all together.
        others_s: how long others ran; the grain of ticks may make it negative.
        stolen_s: how long a hypervisor took the processor of which it took most.
    """

    since: float
    until: float
    waited_s: float
    others_s: float
    stolen_s: float


@dataclass
class RunQueue:
    """One run's counts.

    Attributes:
        time_of: true MONOTONIC nanoseconds -> the world's seconds.
    """

    time_of: Callable[[int], float]
    _waits: list[Wait] = field(default_factory=list)

    async def count(self) -> None:
        """Count until cancelled."""
        before, since_ns = counted(), time.monotonic_ns()
        while True:
            await trio.sleep(COUNT_S)
            now, now_ns = counted(), time.monotonic_ns()
            self.take(since_ns, now_ns, before, now)
            before, since_ns = now, now_ns

    def take(self, since_ns: int, until_ns: int, before: Count, now: Count) -> None:
        """Of two moments these are the counts; a thread whose number was another's before is not counted from below nothing."""
        since, until = self.time_of(since_ns), self.time_of(until_ns)
        pace = (until - since) / (until_ns - since_ns) * 1e9
        waited = sum(max(0.0, end - before.waited.get(thread, 0.0)) for thread, end in now.waited.items())
        ran = max(0.0, now.ran - before.ran)  # whom nobody waits for is lost to the count, with all that it ran
        others = (now.busy - before.busy) - ran
        stolen = max((b - a for a, b in zip(before.stolen, now.stolen, strict=False)), default=0.0)
        self._waits.append(Wait(since, until, waited * pace, others * pace, max(0.0, stolen) * pace))

    def told(self) -> Iterator[Wait]:
        """All spans, in order."""
        yield from self._waits


def counted() -> Count:
    """What has been counted of this process and all that it started, and of the machine."""
    own = found(os.getpid())
    run = offspring([own] if own else [], list(everybody(dead=True)))
    ran = sum(ran_ticks(one.pid) for one in run) * TICK_S
    waited = {thread: ns / 1e9 for one in run for thread, ns in waited_ns(one.pid).items()}
    return Count(waited, ran, *_machine())


def _machine() -> tuple[float, tuple[float, ...]]:
    """Seconds that the processors that this process may use ran anything, and that a hypervisor took of each; none where they cannot be read."""
    own = {f"cpu{number}" for number in os.sched_getaffinity(0)}
    lines: list[list[str]] = []
    with suppress(OSError), (PROC / "stat").open() as stat:
        lines = [words for words in map(str.split, stat) if words[0] in own and len(words) > 1 + _STEAL]
    ticks = [[int(word) for word in words[1:]] for words in lines]
    return sum(one[place] for one in ticks for place in _BUSY) * TICK_S, tuple(one[_STEAL] * TICK_S for one in ticks)
