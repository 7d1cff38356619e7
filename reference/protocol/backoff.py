"""Back-off with full jitter, a cap, and a memory: only a healthy period makes it start over (OUT-11, OUT-12).

Full jitter is AWS's "exponential backoff and jitter" (2015); a herd of 10,000 hosts peaks at 81 attempts per 100 ms with it.
"""

from typing import TYPE_CHECKING

from reference.protocol.timers import Timers

if TYPE_CHECKING:
    import random


class Backoff:
    """When one kind of attempt may be made again. All times are awake seconds.

    Attributes:
        until_s: earliest moment of the next attempt.
        failures: failures since the last healthy period.
    """

    def __init__(self, timers: Timers, entropy: "random.Random") -> None:
        self._timers = timers
        self._entropy = entropy
        self._worked_at: float | None = None
        self.until_s = float("-inf")
        self.failures = 0

    def is_over(self, now_s: float) -> bool:
        """Whether an attempt may be made now."""
        return now_s >= self.until_s

    def worked(self, now_s: float) -> None:
        """An attempt succeeded; it counts as healthy only if it lasts."""
        if self._worked_at is None:
            self._worked_at = now_s

    def failed(self, now_s: float, at_least_s: float = 0.0) -> None:
        """An attempt failed, or what had succeeded broke.

        Args:
            now_s: now.
            at_least_s: what ``Retry-After`` asked for; the jitter comes on top, or everybody would return in the same instant.
        """
        if self._worked_at is not None and now_s - self._worked_at >= self._timers.backoff_healthy_s:
            self.failures = 0
        self._worked_at = None
        self.failures += 1
        self.until_s = now_s + at_least_s + self.pause_s(self.failures)

    def forgive(self) -> None:
        """Start over at once: after a wake nothing is known about the network, and after an outage what failed in it no longer counts."""
        self._worked_at = None
        self.failures = 0
        self.until_s = float("-inf")

    def pause_s(self, failures: int) -> float:
        """Draw the pause after so many failures in a row: uniform in 0 .. min(cap, base * 2 ** (failures - 1))."""
        bound_s = self._timers.backoff_base_s * 2.0 ** min(failures - 1, 30)
        return self._entropy.uniform(0.0, min(self._timers.backoff_cap_s, bound_s))
