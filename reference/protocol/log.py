"""One session's log: a total order of entries, gap-free, kept as bytes that are ready to be sent.

Deliberately absent: what entries mean (``relay_state.py``) and who may see them (``relay.py``).
"""

from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from reference.protocol import limits


class Entry(NamedTuple):
    """One stored entry: its place, its author, its SSE event, encoded once for everybody."""

    seq: int
    author: str
    frame: bytes


class SessionLog:
    """Entries ``first .. seq``; the oldest fall off at ``LOG_ENTRIES_MAX`` or ``LOG_BYTES_MAX``."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque()
        self._bytes = 0
        self.seq = 0

    @property
    def first(self) -> int:
        """Sequence number of the oldest entry kept; ``seq + 1`` when none is."""
        return self._entries[0].seq if self._entries else self.seq + 1

    def append(self, entry: Entry) -> None:
        """Add the next entry and let the oldest go."""
        assert entry.seq == self.seq + 1, (entry.seq, self.seq)
        self.seq = entry.seq
        self._entries.append(entry)
        self._bytes += len(entry.frame)
        while len(self._entries) > limits.LOG_ENTRIES_MAX or (
            self._bytes > limits.LOG_BYTES_MAX and len(self._entries) > 1
        ):
            self._bytes -= len(self._entries.popleft().frame)

    def holds(self, cursor: int) -> bool:
        """Whether the entries after this cursor are exactly what its owner misses."""
        return self.first - 1 <= cursor <= self.seq

    def after(self, cursor: int) -> Iterator[Entry]:
        """Entries behind the cursor, in order; counted from the end, because readers are mostly there."""
        newest_first = islice(reversed(self._entries), max(0, self.seq - cursor))
        return reversed(list(newest_first))
