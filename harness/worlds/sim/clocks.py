"""The three clocks of one machine, and the clock that trio sees.

Integer nanoseconds inside; floats only at the edge. MONOTONIC stands still in suspend, BOOTTIME does not, REALTIME is the calendar: it can
be stepped, and it can run at a rate of its own (clock_gettime(2)). Deliberately absent: other platforms' profiles.
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
    """

    def __init__(self, now_ns: Callable[[], int], offset_ns: int) -> None:
        assert offset_ns > 0
        self._now_ns = now_ns
        self._booted_ns = now_ns() - offset_ns
        self._slept_ns = 0
        self._suspended_ns: int | None = None
        self._stepped_ns = 0
        self._drift_ppm = 0.0
        self._drift_since_ns = now_ns()

    @property
    def suspended(self) -> bool:
        """Whether MONOTONIC stands."""
        return self._suspended_ns is not None

    def monotonic_ns(self) -> int:
        """CLOCK_MONOTONIC."""
        awake_until_ns = self._now_ns() if self._suspended_ns is None else self._suspended_ns
        return awake_until_ns - self._booted_ns - self._slept_ns

    def boottime_ns(self) -> int:
        """CLOCK_BOOTTIME."""
        return self._now_ns() - self._booted_ns

    def realtime_ns(self) -> int:
        """CLOCK_REALTIME, nanoseconds since 1970."""
        drifted_ns = self._drifted_ns() if self._drift_ppm else 0
        return EPOCH_S * NS + self._now_ns() + self._stepped_ns + drifted_ns

    def _drifted_ns(self) -> int:
        return round((self._now_ns() - self._drift_since_ns) * self._drift_ppm / PPM)

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
        """True time at which MONOTONIC reads ``monotonic_ns``, were the machine awake from now on."""
        return monotonic_ns + self._booted_ns + self._slept_ns

    def suspend(self) -> None:
        """MONOTONIC stands from now on."""
        self._suspended_ns = self._now_ns()

    def resume(self) -> None:
        """MONOTONIC runs again."""
        assert self._suspended_ns is not None
        self._slept_ns += self._now_ns() - self._suspended_ns
        self._suspended_ns = None

    def step(self, by_s: float) -> None:
        """Move the calendar; the other clocks do not notice."""
        self._stepped_ns += round(by_s * NS)

    def drift(self, ppm: float) -> tuple[float, float]:
        """Let the calendar run so many parts per million faster from now on; what it gained stays.

        Returns:
            What the rate until now made of it: (seconds gained, over how many seconds).
        """
        gained_ns, over_ns = self._drifted_ns(), self._now_ns() - self._drift_since_ns
        self._stepped_ns += gained_ns
        self._drift_ppm, self._drift_since_ns = ppm, self._now_ns()
        return gained_ns / NS, over_ns / NS

    @property
    def drift_ppm(self) -> float:
        """Present rate of the calendar."""
        return self._drift_ppm

    def reboot(self, offset_ns: int) -> None:
        """Start MONOTONIC and BOOTTIME anew; the calendar goes on (it has a battery)."""
        self._booted_ns = self._now_ns() - offset_ns
        self._slept_ns, self._suspended_ns = 0, None


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

    def turn(self) -> None:
        """A turn begins: trio has not asked yet."""
        self.asked = None

    def start_clock(self) -> None:
        """Nothing to start: time is the kernel's."""

    def current_time(self) -> float:
        """MONOTONIC in seconds."""
        return self.reading

    def deadline_to_sleep_time(self, deadline: float) -> float:
        """Note that trio is idle until ``deadline``; 0, because the host loop decides when it runs again."""
        self.asked = deadline
        return 0
