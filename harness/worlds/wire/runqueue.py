"""How long the programs of a run were able to run and had no processor: the kernel's own count of each thread (proc_pid_schedstat(5)).

Where a word passes from program to program, the waits of all of them in between are at least what this machine's other work took of its delay. What a
hypervisor took (``steal`` of proc_stat(5)) is added. Where the kernel counts neither there is nothing to tell. Deliberately absent: waits for a
disk, and who is forgiven for them (``harness.checks.latency``).
"""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import trio

from harness.worlds.wire.process_table import PROC, everybody, found, offspring, run_delays_ns

SPAN_S = 0.25
"""True seconds that share one count; taking it costs 3.3 ms where two dozen threads run."""

_STEAL = 8
"""Place of the ticks that a hypervisor took, in the first line of ``/proc/stat``."""
TICK_NS = 10**9 // os.sysconf("SC_CLK_TCK")


@dataclass
class RunQueue:
    """One run's count.

    Attributes:
        time_of: true MONOTONIC nanoseconds -> the world's seconds.
        read_ns: what each thread of the run has waited so far, and the machine; by default of this process and all that it started.
    """

    time_of: Callable[[int], float]
    read_ns: Callable[[], dict[int, int]] = field(default_factory=lambda: _read_ns)
    _waited: list[tuple[float, float, float]] = field(default_factory=list)

    async def count(self) -> None:
        """Count until cancelled."""
        before, since_ns = self.read_ns(), time.monotonic_ns()
        while True:
            await trio.sleep(SPAN_S)
            now, now_ns = self.read_ns(), time.monotonic_ns()
            self.take(since_ns, now_ns, sum(ns - before.get(whose, 0) for whose, ns in now.items()))
            before, since_ns = now, now_ns

    def take(self, since_ns: int, until_ns: int, waited_ns: int) -> None:
        """Between two moments so much was waited."""
        since, until = self.time_of(since_ns), self.time_of(until_ns)
        if waited_ns > 0:
            self._waited.append((since, until, waited_ns * (until - since) / (until_ns - since_ns)))

    def told(self) -> Iterator[tuple[float, float, float]]:
        """Spans in which anybody waited, by the world's seconds, and what all together did."""
        yield from self._waited


def _read_ns() -> dict[int, int]:
    """What the threads of this process and of all that it started have waited, and under 0 what the hypervisor took."""
    own = found(os.getpid())
    run = offspring([own] if own else [], list(everybody()))
    delays = {thread: ns for one in run for thread, ns in run_delays_ns(one.pid).items()}
    return {0: _stolen_ns()} | delays


def _stolen_ns() -> int:
    with (PROC / "stat").open() as stat:
        words = stat.readline().split()
    return int(words[_STEAL]) * TICK_NS if len(words) > _STEAL else 0
