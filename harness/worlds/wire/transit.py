"""How long a link's proxy keeps what it is given: when bytes came to it on one side, and when it sent them on the other.

Both sides are heard in the middle, where the proxy stands; the k-th connection that it took is the k-th that it dialled. Deliberately absent:
what the delay ought to be.
"""

from collections import defaultdict, deque
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import trio

from harness.worlds.wire.namespaces import Namespaces
from harness.worlds.wire.packets import ACK, SYN, Packet, hear, packets

type End = tuple[str, int]
type Pair = tuple[End, End]


class Wait(NamedTuple):
    """What was kept for how long.

    Attributes:
        given_ns: when it came, as packets are stamped.
        passed_ns: when its last byte was sent on.
        size: bytes.
    """

    given_ns: int
    passed_ns: int
    size: int


@dataclass
class Leg:
    """One side of a connection.

    Attributes:
        pair: its ends, that which dialled first.
        first: sequence number of its first byte, each way.
        reached: how many of its bytes were seen, each way.
    """

    pair: Pair = (("", 0), ("", 0))
    first: dict[str, int] = field(default_factory=dict)
    reached: dict[str, int] = field(default_factory=dict)

    def upto(self, packet: Packet, direction: str) -> int:
        """The offset after the packet's last byte; 0 for one without."""
        if packet.flags & SYN:
            self.first[direction] = packet.sequence + 1
        if not packet.payload or direction not in self.first:
            return 0
        upto = (packet.sequence - self.first[direction]) % (1 << 32) + packet.payload
        self.reached[direction] = max(upto, self.reached.get(direction, 0))
        return upto


@dataclass
class Crossing:
    """One connection through the proxy."""

    near: Leg = field(default_factory=Leg)
    far: Leg = field(default_factory=Leg)
    kept: "defaultdict[str, deque[tuple[int, int, int]]]" = field(default_factory=lambda: defaultdict(deque))


@dataclass
class Link:
    """One link's connections and what was kept in them."""

    crossings: list[Crossing] = field(default_factory=list)
    near: dict[Pair, int] = field(default_factory=dict)
    far: dict[Pair, int] = field(default_factory=dict)
    waits: "defaultdict[str, list[Wait]]" = field(default_factory=lambda: defaultdict(list))

    def crossing(self, number: int) -> Crossing:
        """The k-th connection, whichever side of it is seen first."""
        while number >= len(self.crossings):
            self.crossings.append(Crossing())
        return self.crossings[number]


class Listener(Protocol):
    """Looks at one link's packets on both sides of its proxy."""

    link: str

    def take(self, packet: Packet, number: int, crossing: Crossing, direction: str, *, given: bool) -> None:
        """Take one: of the k-th connection, given to the proxy or sent by it."""


@dataclass
class Transit:
    """Hears the middle.

    Args:
        namespaces: of the run.
        fronts: address and port at which a link's proxy listens -> link.
        backs: address and port that it dials -> link.

    Attributes:
        listeners: who else is told of each packet, once it is accounted for.
    """

    namespaces: Namespaces
    fronts: dict[End, str]
    backs: dict[End, str]
    links: "defaultdict[str, Link]" = field(default_factory=lambda: defaultdict(Link))
    listeners: list[Listener] = field(default_factory=list)

    async def listen(self, heard: trio.socket.SocketType) -> None:
        """Take packets until cancelled."""
        async with aclosing(packets(heard)) as found:
            async for packet in found:
                self.take(packet)

    def open(self) -> trio.socket.SocketType:
        """The socket that hears the middle."""
        with self.namespaces.within("middle"):
            return hear()

    def take(self, packet: Packet) -> None:
        """Account for one packet; loopback shows each twice, of which that which leaves is taken."""
        if packet.interface == "lo":
            if packet.leaves:
                self._leg(packet, self.backs, near=False)
        else:
            self._leg(packet, self.fronts, near=True)

    def _leg(self, packet: Packet, ends: dict[End, str], *, near: bool) -> None:
        up = packet.target in ends
        name = ends.get(packet.target if up else packet.source)
        if name is None:
            return
        link, direction = self.links[name], "up" if up else "down"
        pair = (packet.source, packet.target) if up else (packet.target, packet.source)
        numbers = link.near if near else link.far
        if up and packet.flags & (SYN | ACK) == SYN:
            numbers[pair] = len(numbers)
        if pair not in numbers:
            return
        crossing = link.crossing(numbers[pair])
        leg = crossing.near if near else crossing.far
        leg.pair = pair
        if near == up:
            self._given(packet, crossing, direction, leg)
        else:
            self._passed(packet, link, crossing, direction, leg)
        for listener in self.listeners:
            if listener.link == name:
                listener.take(packet, numbers[pair], crossing, direction, given=near == up)

    def _given(self, packet: Packet, crossing: Crossing, direction: str, leg: Leg) -> None:
        upto = leg.upto(packet, direction)
        if upto:
            crossing.kept[direction].append((upto, packet.ns, packet.payload))

    def _passed(self, packet: Packet, link: Link, crossing: Crossing, direction: str, leg: Leg) -> None:
        upto, kept = leg.upto(packet, direction), crossing.kept[direction]
        while kept and kept[0][0] <= upto:
            _, given_ns, size = kept.popleft()
            link.waits[direction].append(Wait(given_ns, packet.ns, size))

    def told(self, link: str) -> dict[str, list[Wait]]:
        """What a link's proxy passed on since this was asked last: direction -> waits."""
        found, self.links[link].waits = self.links[link].waits, defaultdict(list)
        return found
