"""What was given to each link, added up by whole seconds (docs/spec/history.md, "What is counted on a link").

Every sum carries the time of its first segment and is told when its second is over. Deliberately absent: payloads, and what programs did.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from harness.worlds.sim.clocks import NS

if TYPE_CHECKING:
    from harness.worlds.sim.kernel import Kernel

DIRECTIONS = ("up", "down")
HEADER_BYTES = 40
"""IPv4 and TCP header of each segment."""

type Observe = Callable[[str, str, dict[str, Any], float], None]
"""Takes one observation: (actor, what, data, true seconds), named as in docs/spec/history.md, kind ``os``.

The time is earlier than now, by less than a second, for what is added up by seconds."""

type _Key = tuple[str, ...]


class Traffic:
    """Adds up traffic.

    Args:
        kernel: the world's time.
        observe: takes each sum.
    """

    def __init__(self, kernel: "Kernel", observe: Observe) -> None:
        self._kernel, self._observe = kernel, observe
        self._sums: dict[_Key, tuple[float, dict[str, Any]]] = {}
        self._second = -1

    def _sum(self, what: str, link: str, key: str, fresh: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        now_ns = self._kernel.now_ns
        if now_ns // NS != self._second:
            self.flush()
            self._second = now_ns // NS
            self._kernel.at_ns((self._second + 1) * NS, self._second_over)
        full = (what, link, key)
        if full not in self._sums:
            self._sums[full] = (now_ns / NS, fresh())
        return self._sums[full][1]

    def _second_over(self) -> None:
        if self._kernel.now_ns // NS > self._second:
            self.flush()

    def flush(self) -> None:
        """Tell all sums; also at the end of a world."""
        sums, self._sums, self._second = self._sums, {}, -1
        for (what, link, _), (t, data) in sums.items():
            self._observe(link, what, data, t)

    def given(self, link: str, direction: int, segments: int, size: int, largest: int, *, passed: bool) -> None:
        """Segments were given to a link; ``size`` is their payload together, ``largest`` that of one."""
        data = self._sum(
            "socket.attempted",
            link,
            DIRECTIONS[direction],
            lambda: {"link": link, "direction": DIRECTIONS[direction], "bytes": 0, "passed": 0, "largest": 0},
        )
        wire_bytes = size + segments * HEADER_BYTES
        data["bytes"] += wire_bytes
        if passed:
            data["passed"] += wire_bytes
            data["largest"] = max(data["largest"], largest)

    def held(self, what: str, link: str, direction: int, added_s: float | None) -> None:
        """A segment was held up by ``added_s`` seconds, or held back for good (None), by a rule of its link."""
        name = DIRECTIONS[direction]
        data = self._sum(what, link, name, lambda: {"link": link, "direction": name, "segments": 0})
        data["segments"] += 1
        if added_s is not None:
            data["added_s_min"] = min(data.get("added_s_min", added_s), added_s)
            data["added_s_max"] = max(data.get("added_s_max", added_s), added_s)

    def flow_lost(self, link: str, connection: int, size: int) -> None:
        """Payload was given to a forgotten connection."""
        data = self._sum("flow.lost", link, str(connection), lambda: {"link": link, "conn": connection, "bytes": 0})
        data["bytes"] += size + HEADER_BYTES

    def limited(self, link: str, connection: int, direction: int, passed: int, lost: int, *, ended: bool) -> None:
        """A link ended a connection in mid-stream, at its limit, or it carried more."""
        data = {"link": link, "conn": connection, "direction": DIRECTIONS[direction]}
        data |= {"passed_min": passed, "passed_max": passed, "lost": lost, "ended": ended}
        self._observe(link, "flow.limited", data, self._kernel.now)

    def forgotten(self, link: str, connection: int, why: str, notice: str) -> None:
        """A connection crosses a link no more."""
        data = {"link": link, "conn": connection, "why": why, "notice": notice}
        self._observe(link, "flow.forgotten", data, self._kernel.now)
