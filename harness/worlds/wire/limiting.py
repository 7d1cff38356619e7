"""A limit on what a link's connections carry one way, as it was kept: how much of each passed the proxy, how much more was given to it, who ended it.

Heard packet by packet on both sides of the proxy (``transit``), never asked of it. Deliberately absent: setting it (``operations``).
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import batched
from typing import NamedTuple

from harness.sut.tap import Chunk
from harness.worlds.wire.census import Note
from harness.worlds.wire.packets import FIN, RST, Packet
from harness.worlds.wire.transit import Crossing, Pair

RECORD_BYTES, RECORD_OVERHEAD = 16_384, 22
"""Of TLS 1.3: most plaintext of a record, and what is around it: header, type and tag (RFC 8446 section 5.2)."""


@dataclass
class Progress:
    """One connection under a limit; offsets are of its own bytes in the limited direction.

    Attributes:
        base_min: what had passed when the proxy was told of the limit; 0 of one that was dialled later.
        base_max: what had passed when it had answered.
        passed: offset up to which it has passed.
        given: when how much had been given to the proxy: nanoseconds, offset.
        port: of the proxy's own end towards what it leads to.
        left: one of its ends has closed it.
        is_over: the proxy has ended it.
        is_past: it has carried more than it may.
    """

    base_min: int = 0
    base_max: int = 0
    passed: int = 0
    given: list[tuple[int, int]] = field(default_factory=list)
    port: int = 0
    left: bool = False
    is_over: bool = False
    is_past: bool = False


@dataclass
class Limit:
    """One limit, from the call that set it on.

    Args:
        link: of which.
        direction: ``up`` or ``down``.
        most: bytes.
        note: takes ``flow.limited``.
        number_of: a connection's number, by its ends on the dialling side.
        began_ns: before the proxy was told, as packets are stamped.

    Attributes:
        set_ns: when it had answered.
        healed_ns: when it had answered that the limit is gone.
    """

    link: str
    direction: str
    most: int
    note: Note
    number_of: Callable[[Pair], int | None]
    began_ns: int
    set_ns: int = 0
    healed_ns: float = math.inf
    _crossings: dict[int, Progress] = field(default_factory=dict)

    def begin(self, crossings: Iterable[Crossing]) -> None:
        """Count what is there from here on."""
        for number, crossing in enumerate(crossings):
            given, passed = self._reached(crossing)
            self._crossings[number] = Progress(passed, passed, passed, [(self.began_ns, given)])

    def _reached(self, crossing: Crossing) -> tuple[int, int]:
        """Offsets up to which a connection's bytes came to the proxy, and left it."""
        legs = (crossing.near, crossing.far) if self.direction == "up" else (crossing.far, crossing.near)
        given, passed = (leg.reached.get(self.direction, 0) for leg in legs)
        return given, passed

    def take(self, packet: Packet, number: int, crossing: Crossing, direction: str, *, given: bool) -> None:
        """Account for one packet of the link: one that was given to the proxy, or that it sent."""
        one = self._crossings.setdefault(number, Progress())
        if packet.ns > self.healed_ns or one.is_over:
            return
        ends = bool(packet.flags & (FIN | RST))
        one.left |= given and ends
        if direction != self.direction:
            return
        upto, one.passed = self._reached(crossing)
        if given:
            one.given.append((max(packet.ns, self.began_ns), upto))  # one that is read late was there at the beginning
            return
        if packet.ns <= self.began_ns:
            one.base_min = one.passed
        if packet.ns <= self.set_ns:
            one.base_max = one.passed
        one.is_over = ends and not one.left
        is_past = one.passed - one.base_max > self.most
        if one.is_over or (is_past and not one.is_past):
            one.is_past, one.port = is_past, crossing.far.pair[0][1]
            self._tell(packet.ns, one, crossing, upto)

    def _tell(self, ns: int, one: Progress, crossing: Crossing, upto: int) -> None:
        measured = {"passed_min": one.passed - one.base_max, "passed_max": one.passed - one.base_min}
        measured |= {"lost": max(upto - one.passed, 0), "ended": one.is_over}
        where = {"link": self.link, "conn": self.number_of(crossing.near.pair), "direction": self.direction}
        self.note(ns, self.link, "flow.limited", where | measured)

    def ended(self) -> Iterator[Progress]:
        """Connections that the proxy has ended."""
        return (one for one in self._crossings.values() if one.is_over)


class Unread(NamedTuple):
    """What of a connection's bytes towards its client passed, where more was given to the link.

    Attributes:
        passed: offset of the last byte that passed.
        given: when how much had been given: the world's seconds, offset; in order.
    """

    passed: int
    given: tuple[tuple[float, int], ...]


def read_only(chunks: Iterable[Chunk], unread: Mapping[int | str, Unread]) -> Iterator[Chunk]:
    """What clients read of what was sent to them: of a connection that was ended in mid-stream the records that passed whole.

    A chunk's bytes begin where those given before it end: behind those of the chunk before, or behind what had left by then.

    Args:
        chunks: of a run, in order of time.
        unread: by connection.
    """
    ends: dict[int | str, int] = {}
    for chunk in chunks:
        passed, given = unread.get(chunk.conn, (0, ()))
        before = bisect_left(given, (chunk.t,))
        if not before or chunk.direction == "out" or not chunk.data:
            yield chunk
            continue
        upto = max(ends.get(chunk.conn, 0), given[before - 1][1])
        whole = bytearray()
        for record in batched(chunk.data, RECORD_BYTES, strict=False):
            upto += len(record) + RECORD_OVERHEAD
            whole += bytes(record) if upto <= passed else b""
        ends[chunk.conn] = upto
        if whole:
            yield chunk._replace(data=bytes(whole))
