"""What a link's proxy kept back, as the history tells it: how long each segment was under way in it.

Of a rate only what it explains is told. Any path keeps a segment for a moment, so what crossed is held, ``BUSY_S`` of the line's work at a time,
against what its bytes take at that rate. Deliberately absent: hearing it (``transit``).
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from harness.worlds.wire.routed import Routed
from harness.worlds.wire.transit import Wait

BUSY_S, SHARE = 5.0, 0.8
"""World seconds of a line's work that are judged together, and how much of them must have been spent in the proxy. Without a rate a segment of 300
bytes is under way for a tenth of what it takes at 2 kB a second, on a busy machine for half (measured)."""

type Told = tuple[float, str, dict[str, Any]]
"""World seconds, event, data."""


@dataclass
class Keeping:
    """One link's meter; called, it tells what there is to tell since it was called last.

    Args:
        link: of which.
        routed: where it is heard.
        what: the event, ``link.delayed``, ``link.throttled`` or ``link.kept``.
        bytes_per_s: of the rate; None if it is no rate that keeps them.
        least_s: world seconds; what was kept for less is not told.
    """

    link: str
    routed: Routed
    what: str
    bytes_per_s: float | None = None
    least_s: float = 0.0
    _open: "defaultdict[str, list[Wait]]" = field(default_factory=lambda: defaultdict(list))

    def __call__(self) -> Iterator[Told]:
        """Tell."""
        assert self.routed.transit is not None
        for direction, waits in self.routed.transit.told(self.link).items():
            long = [one for one in waits if self._kept_s(one) >= self.least_s]
            if self.bytes_per_s is not None:
                yield from self._explained(direction, long, self.bytes_per_s)
            elif long:
                yield self._told(direction, long)

    def _explained(self, direction: str, waits: list[Wait], bytes_per_s: float) -> Iterator[Told]:
        self._open[direction] += waits
        work_s = sum(one.size for one in self._open[direction]) / bytes_per_s
        if work_s >= BUSY_S:
            done = self._open.pop(direction)
            if sum(self._kept_s(one) for one in done) >= SHARE * work_s:
                yield self._told(direction, done)

    def _kept_s(self, wait: Wait) -> float:
        return self.routed.seconds(wait.passed_ns) - self.routed.seconds(wait.given_ns)

    def _told(self, direction: str, waits: list[Wait]) -> Told:
        added = [self._kept_s(one) for one in waits]
        sums = {"segments": len(waits), "added_s_min": round(min(added), 6), "added_s_max": round(max(added), 6)}
        first_ns = waits[0].passed_ns if self.least_s else waits[0].given_ns  # what was held is told when it came
        return self.routed.seconds(first_ns), self.what, {"direction": direction, **sums}
