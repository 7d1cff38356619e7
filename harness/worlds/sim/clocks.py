"""The three clocks of one machine, and the clock that trio sees.

Integer nanoseconds inside; floats only at the edge. MONOTONIC stands still in suspend, BOOTTIME does not, REALTIME is BOOTTIME plus an
offset that can be stepped (clock_gettime(2)); a drift bends all three, as a bad crystal does. Deliberately absent: other platforms'
profiles.
"""

import math
from collections.abc import Callable

import trio

NS = 1_000_000_000
PPM = 1_000_000
EPOCH_S = 1_771_934_400
"""Calendar time at which every world begins: 2026-02-24 12:00:00 UTC."""


class MachineClocks:
    """Readings of one machine's clocks as functions of true time.

    Args:
        now_ns: reads true time.
        offset_ns: reading of MONOTONIC at this moment, never 0: programs that take 0 for "unset" must not be spared.
        drift_ppm: how much faster than true time the machine's crystal runs.
    """

    def __init__(self, now_ns: Callable[[], int], offset_ns: int, drift_ppm: int = 0) -> None:
        assert offset_ns > 0
        self._now_ns = now_ns
        self._true_ns = now_ns()
        self._monotonic_ns = offset_ns
        self._boottime_ns = offset_ns
        self._calendar_ns = EPOCH_S * NS + self._true_ns - offset_ns
        self.drift_ppm = drift_ppm
        self.suspended = False

    def _elapsed_ns(self) -> int:
        return (self._now_ns() - self._true_ns) * (PPM + self.drift_ppm) // PPM

    def monotonic_ns(self) -> int:
        """CLOCK_MONOTONIC."""
        return self._monotonic_ns if self.suspended else self._monotonic_ns + self._elapsed_ns()

    def boottime_ns(self) -> int:
        """CLOCK_BOOTTIME."""
        return self._boottime_ns + self._elapsed_ns()

    def realtime_ns(self) -> int:
        """CLOCK_REALTIME, nanoseconds since 1970."""
        return self.boottime_ns() + self._calendar_ns

    def monotonic(self) -> float:
        """CLOCK_MONOTONIC in seconds."""
        return self.monotonic_ns() / NS

    def boottime(self) -> float:
        """CLOCK_BOOTTIME in seconds."""
        return self.boottime_ns() / NS

    def realtime(self) -> float:
        """CLOCK_REALTIME in seconds since 1970."""
        return self.realtime_ns() / NS

    def true_ns(self, monotonic_ns: int) -> int:
        """First true time at which MONOTONIC reads at least ``monotonic_ns``, were the machine awake from now on."""
        return self._true_ns + -((self._monotonic_ns - monotonic_ns) * PPM // (PPM + self.drift_ppm))

    def _rebase(self) -> None:
        self._monotonic_ns, self._boottime_ns = self.monotonic_ns(), self.boottime_ns()
        self._true_ns = self._now_ns()

    def suspend(self) -> None:
        """MONOTONIC stands from now on."""
        self._rebase()
        self.suspended = True

    def resume(self) -> None:
        """MONOTONIC runs again."""
        self._rebase()
        self.suspended = False

    def step(self, by_s: float) -> None:
        """Move the calendar; the other clocks do not notice."""
        self._calendar_ns += round(by_s * NS)

    def drift(self, drift_ppm: int) -> None:
        """Change the rate of all clocks from now on."""
        self._rebase()
        self.drift_ppm = drift_ppm

    def reboot(self, offset_ns: int) -> None:
        """Start MONOTONIC and BOOTTIME anew; the calendar goes on (it has a battery)."""
        self._calendar_ns += self.boottime_ns() - offset_ns
        self._true_ns, self._monotonic_ns, self._boottime_ns = self._now_ns(), offset_ns, offset_ns
        self.suspended = False


class TrioClock(trio.abc.Clock):
    """What trio sees of a machine: MONOTONIC, constant while the machine runs at one instant.

    Attributes:
        reading: MONOTONIC in seconds; the machine sets it before it runs.
        asked: the deadline trio sleeps until, None while it has tasks to run.
    """

    def __init__(self) -> None:
        self.reading = 0.0
        self.asked: float | None = None
        self._floor = -math.inf

    def set(self, monotonic_ns: int) -> None:
        """Take a new reading; never less than a deadline that was already met (float round-off would spin)."""
        self.reading = max(monotonic_ns / NS, self._floor)

    def met(self, deadline: float) -> None:
        """The machine was woken for this deadline: readings are at least so much."""
        self._floor = max(self._floor, deadline)

    def start_clock(self) -> None:
        """Nothing to start: time is the kernel's."""

    def current_time(self) -> float:
        """MONOTONIC in seconds."""
        return self.reading

    def deadline_to_sleep_time(self, deadline: float) -> float:
        """Note that trio is idle until ``deadline``; 0, because the host loop decides when it runs again."""
        self.asked = deadline
        return 0
