"""The discrete-event kernel: one heap, one true time, many machines.

True time is integer nanoseconds since the world began and has no tick: it jumps from event to event. ``run`` is synchronous and resumable,
so a director can act between two instants. Deliberately absent: what machines and networks are; they only put functions on the heap.
"""

import hashlib
import heapq
import math
import random
from collections.abc import Callable
from typing import Protocol

from harness.base.errors import WorldError

NS = 1_000_000_000

EVENTS_PER_INSTANT_MAX = 100_000
"""More network events than this without time passing is a loop of zero-latency answers, not a program."""

WORK_MAX = 750_000
"""Turns of programs and events of the world in one run; a run that takes more is cut short, at the same instant for the same seed.
Of ours the heaviest are ``a-long-afternoon`` (37,900), ``laptop-sleeps[nap=8h]`` (34,500) and ``load-balancer-idle`` (33,300): a limit of 20 times
that stops only what would never end, within about a minute."""

LONGEST_SHOWN = 3
"""So many of those who worked most are named when a run is cut short."""


class Runnable(Protocol):
    """What the kernel runs: a machine."""

    name: str

    def run_until_idle(self) -> None:
        """Run until nothing is left to do at this instant."""


class Spent(WorldError):  # noqa: N818  an outcome of a run, not only an error
    """A run took more work than any run may: something in it spins. What was seen until then stands."""


class Trace:
    """A digest of everything that crossed the network, and how many segments there were.

    Args:
        keep: also keep one line for each segment, to show where two runs part.
    """

    def __init__(self, *, keep: bool = False) -> None:
        self._digest = hashlib.sha256()
        self.segments = 0
        self.lines: list[str] | None = [] if keep else None

    def add(self, t_ns: int, connection: int, direction: int, payload: bytes) -> None:
        """Note one delivered segment."""
        self.segments += 1
        self._digest.update(b"%d %d %d %d " % (t_ns, connection, direction, len(payload)))
        self._digest.update(payload)
        if self.lines is not None:
            short = hashlib.sha256(payload).hexdigest()[:12]
            self.lines.append(f"{t_ns / NS:.9f} conn {connection} dir {direction} {len(payload)} B {short}")

    def sha256(self) -> str:
        """Hexadecimal digest so far."""
        return self._digest.hexdigest()


def derived_random(seed: int, *names: object) -> random.Random:
    """A random source of its own for a purpose: a draw elsewhere never moves it (keeps shrinking local)."""
    key = "/".join(str(name) for name in (seed, *names)).encode()
    return random.Random(int.from_bytes(hashlib.sha256(key).digest()))  # noqa: S311  reproducible on purpose


class Kernel:
    """True time and what happens in it.

    Args:
        seed: everything random in the world derives from it.
        keep_trace: keep a readable line for every segment.
        is_overdue: asked after every instant whether the run takes too long for whoever waits for it; the kernel itself knows no real time.

    Attributes:
        work: turns of programs and events of the world so far.
    """

    def __init__(self, seed: int, *, keep_trace: bool = False, is_overdue: Callable[[], bool] = lambda: False) -> None:
        self.seed = seed
        self.now_ns = 0
        self.trace = Trace(keep=keep_trace)
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._order = 0
        self._events = 0
        self.work = 0
        self._turns: dict[str, int] = {}
        self._is_overdue = is_overdue
        self._ready: dict[Runnable, None] = {}

    @property
    def now(self) -> float:
        """True seconds since the world began."""
        return self.now_ns / NS

    def rng(self, *names: object) -> random.Random:
        """The random source of a purpose, e.g. ``rng("link", "host-relay")``; a fresh one at its beginning each time."""
        return derived_random(self.seed, *names)

    def at_ns(self, t_ns: int, fn: Callable[[], None]) -> None:
        """Call ``fn`` at a true time, now at the earliest; equal times in the order of asking."""
        self._order += 1
        heapq.heappush(self._heap, (max(t_ns, self.now_ns), self._order, fn))

    def call_at(self, t: float, fn: Callable[[], None]) -> None:
        """Call ``fn`` at true seconds ``t``."""
        self.at_ns(round(t * NS), fn)

    def call_later(self, delay_s: float, fn: Callable[[], None]) -> None:
        """Call ``fn`` in so many true seconds."""
        self.at_ns(self.now_ns + round(delay_s * NS), fn)

    def ready(self, machine: Runnable) -> None:
        """Have a machine run at this instant."""
        self._ready[machine] = None

    def took_turns(self, machine: str, turns: int) -> None:
        """Count the work of a program."""
        self.work += turns
        self._turns[machine] = self._turns.get(machine, 0) + turns

    def busiest(self) -> str:
        """Who took most turns, for people."""
        most = sorted(self._turns.items(), key=lambda entry: (-entry[1], entry[0]))[:LONGEST_SHOWN]
        return ", ".join(f"{name} {turns:,}" for name, turns in most) or "nobody"

    def run(self, until: float = math.inf, stop: Callable[[], bool] = lambda: False) -> None:
        """Let time pass until ``stop()``, checked after every instant, or until true seconds ``until``.

        Raises:
            Spent: the run takes more work than any run may.
            WorldError: a livelock, a run that is overdue, or whatever a machine did that no simulated machine may do.
        """
        until_ns = math.inf if until == math.inf else round(until * NS)
        while True:
            self._run_machines()
            self._look_at_the_bill()
            if stop():
                return
            if not self._heap or self._heap[0][0] > until_ns:
                if until_ns != math.inf:
                    self.now_ns = max(self.now_ns, int(until_ns))
                return
            self._run_instant()

    def _look_at_the_bill(self) -> None:
        if self.work > WORK_MAX:
            told = f"budget spent: {self.work:,} turns and events by {self.now:.6f} s; turns taken: {self.busiest()}"
            raise Spent(
                f"{told}. A program that never rests does this; if the story is only that long, tell it in parts."
            )
        if self._is_overdue():
            told = f"overdue: the run has come no further than {self.now:.6f} s; turns taken: {self.busiest()}"
            raise WorldError(
                f"{told}. Look at what that program does in one turn, give the machine more time, or shorten the story."
            )

    def _run_machines(self) -> None:
        while self._ready:
            machine = next(iter(self._ready))
            del self._ready[machine]
            machine.run_until_idle()

    def _run_instant(self) -> None:
        heap = self._heap
        now_ns = heap[0][0]
        if now_ns > self.now_ns:
            self.now_ns, self._events = now_ns, 0
        while heap and heap[0][0] == now_ns:
            heapq.heappop(heap)[2]()
            self._events += 1
            self.work += 1
            if self._events > EVENTS_PER_INSTANT_MAX:
                raise WorldError(f"livelock: {self._events} events at {self.now:.6f} s without time passing")
