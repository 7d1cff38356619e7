"""Many deadlines in one heap, cheap to move later: what most of them do most of the time."""

import heapq

EARLY_S = 1e-6
"""An alarm this little early counts as due: clocks that differ by an offset differ in the last bits too."""


class Alarms[Key]:
    """Keys with a time each, on one clock."""

    def __init__(self) -> None:
        self._at: dict[Key, float] = {}
        self._heap: list[tuple[float, int, Key]] = []
        self._count = 0

    def set(self, key: Key, at: float) -> None:
        """Set or move an alarm."""
        before = self._at.get(key)
        self._at[key] = at
        if before is None or at < before:
            self._push(key, at)

    def clear(self, key: Key) -> None:
        """Take an alarm back; unknown ones are ignored."""
        self._at.pop(key, None)

    def next(self) -> float | None:
        """Earliest time, or None."""
        while self._heap:
            at, _, key = self._heap[0]
            meant = self._at.get(key)
            if meant == at:
                return at
            heapq.heappop(self._heap)
            if meant is not None and meant > at:
                self._push(key, meant)
        return None

    def pop(self, now: float) -> Key | None:
        """Take out the earliest key whose time has come, or None; one at a time, because what it causes may clear another."""
        at = self.next()
        if at is None or at > now + EARLY_S:
            return None
        key = heapq.heappop(self._heap)[2]
        del self._at[key]
        return key

    def _push(self, key: Key, at: float) -> None:
        self._count += 1
        heapq.heappush(self._heap, (at, self._count, key))
