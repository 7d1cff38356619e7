"""The relay's age: seconds since its store was first opened, on a clock that never goes back.

Within one run it follows the elapsed clock, which runs on in sleep. Over a restart it goes on from the last stamp in the store by the larger
of what the elapsed clock and the calendar say: after a reboot the elapsed clock starts over, after a step back the calendar is behind, and where
both mislead credentials die early rather than live again (AUT-18).
"""

from typing import Any

from reference.protocol.instant import Instant


class Age:
    """Reads the age off an instant."""

    def __init__(self) -> None:
        self._offset = 0.0
        self._latest = 0.0

    def at(self, now: Instant) -> float:
        """Age in seconds; monotonic."""
        self._latest = max(self._latest, now.elapsed_s + self._offset)
        return self._latest

    def stamp(self, now: Instant) -> dict[str, float]:
        """What a record carries, so that a restart finds the age again."""
        return {"age": self.at(now), "elapsed": now.elapsed_s, "wall": now.wall_s}

    def restore(self, stamp: dict[str, Any] | None, now: Instant) -> None:
        """Go on from the last durable stamp; None for a new store."""
        age = 0.0
        if stamp is not None:
            age = stamp["age"] + max(0.0, now.elapsed_s - stamp["elapsed"], now.wall_s - stamp["wall"])
        self._offset = age - now.elapsed_s
        self._latest = age
