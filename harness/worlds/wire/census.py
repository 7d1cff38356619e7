"""Who dialled whom and what came of it, read from the packets at the router: what reaches it, and what leaves it on the other side.

A packet is seen twice, before the router's rules and after them; what was given and did not leave was stopped. Deliberately absent: the
rules themselves (``firewall``), and what toxiproxy holds back (``counters``).
"""

from collections import defaultdict
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import trio

from harness.worlds.wire.namespaces import RESOLVER, Namespaces
from harness.worlds.wire.packets import ACK, FIN, RST, SYN, Packet, hear, packets

TLS_HANDSHAKE = 0x16
"""First byte of a connection that begins with TLS (RFC 8446 section 5.1)."""

CROSSING_NS = 100_000_000
"""A packet crosses the router in microseconds; whoever reads of it may be this much later."""

EVERYBODY = "*"
DNS_PORT = 53

type Note = Callable[[int, str, str, dict[str, Any]], None]
"""Takes an observation: true REALTIME nanoseconds, actor, what, data."""


@dataclass
class Flow:
    """One connection of a machine, from its SYN on.

    Attributes:
        number: of the connection, in order of the dials of the whole run.
        machine: who dialled.
        own: the machine's address and port.
        target: address and port that it dialled.
        syn: sequence number of its SYN.
        last_ns: when it was last given anything, either way.
        is_answered: whether the other side's word that it takes it came to the machine.
        order: how many connections of the machine to this target's kind the other side had before it; -1 until it has it.
        sent: bytes of payload that left the router towards the other side.
        received: bytes that left it towards the machine.
        why: why it crosses no more; empty while it does.
        dark_ns: since when.
        over: whether its end was told.
        said_ns: when its machine gave bytes, in order.
        left_ns: when its machine let go of it; 0 until it does.
    """

    number: int
    machine: str
    own: tuple[str, int]
    target: tuple[str, int]
    syn: int
    last_ns: int
    is_answered: bool = False
    order: int = -1
    spoke: bool = False
    sent: int = 0
    received: int = 0
    why: str = ""
    dark_ns: int = 0
    over: bool = False
    said_ns: list[int] = field(default_factory=list)
    left_ns: int = 0


@dataclass
class Tally:
    """What was given to a link in one direction, and what passed.

    Attributes:
        ns: of the first packet.
        bytes: given, headers included.
        passed: of them.
        largest: payload of one that passed.
        stopped: segments that were given and did not pass.
        over_cap: of them, those whose payload is above the link's cap.
    """

    ns: int
    bytes: int = 0
    passed: int = 0
    largest: int = 0
    stopped: int = 0
    over_cap: int = 0


@dataclass
class Census:
    """Reads the router's packets and tells of connections.

    Args:
        namespaces: of the run.
        note: takes observations.

    Attributes:
        flows: all connections so far, by number.
        counted: links whose traffic is added up.
        caps: links whose segments above so many bytes of payload are counted apart.
        probing: a machine whose connections are our own probe's at the moment, or ``EVERYBODY``.
        only: machine -> the one address that it may dial; absent or None, all.
    """

    namespaces: Namespaces
    note: Note
    flows: dict[int, Flow] = field(default_factory=dict)
    counted: set[str] = field(default_factory=set)
    caps: dict[str, int] = field(default_factory=dict)
    probing: str = ""
    only: dict[str, str | None] = field(default_factory=dict)
    _by_key: dict[tuple[tuple[str, int], tuple[str, int]], Flow] = field(default_factory=dict)
    _machines: dict[str, str] = field(default_factory=dict)
    _established: "defaultdict[tuple[str, str], int]" = field(default_factory=lambda: defaultdict(int))
    _tallies: dict[tuple[str, str], Tally] = field(default_factory=dict)
    _inside: dict[Packet, tuple[int, str, str]] = field(default_factory=dict)

    def open(self) -> trio.socket.SocketType:
        """The socket that hears the router's packets; the addresses of the machines are learnt."""
        self.learn()
        with self.namespaces.within("router"):
            return hear()

    def learn(self) -> None:
        """Know the machines' present addresses; former ones stay known."""
        for client in self.namespaces.clients:
            self._machines[self.namespaces.address(client)] = client

    def machine_at(self, address: str) -> str | None:
        """Which machine has or had an address."""
        return self._machines.get(address)

    async def listen(self, heard: trio.socket.SocketType) -> None:
        """Take packets until cancelled."""
        async with aclosing(packets(heard)) as found:
            async for packet in found:
                self.take(packet)

    # --- packets

    def take(self, packet: Packet) -> None:
        """Account for one packet."""
        upward = packet.source[0] in self._machines
        machine = self._machines.get(packet.source[0] if upward else packet.target[0])
        if machine is None:
            return
        if packet.is_datagram:
            if upward and not packet.leaves:
                self._datagram(packet, machine)
            return
        own, other = (packet.source, packet.target) if upward else (packet.target, packet.source)
        flow = self._by_key.get((own, other))
        begins = packet.flags & (SYN | ACK) == SYN
        if upward and not packet.leaves and begins and (flow is None or flow.syn != packet.sequence):
            flow = self._dialled(packet, machine)
        if flow is None:
            return
        self._count(packet, flow, "up" if upward else "down")
        if flow.why and packet.ns > flow.dark_ns:
            self._tell(packet.ns, flow, "flow.lost", **{"passed" if packet.leaves else "bytes": packet.size})
        if not packet.leaves:
            self._given(packet, flow, upward=upward)
        elif upward:
            flow.sent += packet.payload
            self._left(packet, flow)
        else:
            flow.received += packet.payload
            self._reached(packet, flow)

    def _datagram(self, packet: Packet, machine: str) -> None:
        """A machine sends without a connection: as good as a dial, but for questions for names; told once for each place."""
        key = (packet.source[0], 0), packet.target
        if packet.target != (RESOLVER, DNS_PORT) and key not in self._by_key:
            self._by_key[key] = self._dialled(packet, machine)

    def _dialled(self, packet: Packet, machine: str) -> Flow:
        flow = Flow(len(self.flows) + 1, machine, packet.source, packet.target, packet.sequence, packet.ns)
        self.flows[flow.number] = self._by_key[packet.source, packet.target] = flow
        kind = self._kind(flow)
        to = {"relay": "relay", "": packet.target[0]}.get(kind, f"{machine}.{kind}")
        told = {"to": to, "address": packet.target[0], "port": packet.target[1]}
        told |= {"protocol": "udp"} if packet.is_datagram else {}
        told |= {"via": "proxy" if kind == "proxy" else "direct", "allowed": self.allowed(machine, packet.target[0])}
        self._tell(packet.ns, flow, "socket.dialled", **told)
        return flow

    def _kind(self, flow: Flow) -> str:
        """What a machine dialled: its ``relay``, ``proxy``, ``portal``, or something else, which is empty."""
        kinds = ("relay", "proxy", "portal")
        return next((kind for kind in kinds if self.namespaces.front(flow.machine, kind) == flow.target[0]), "")

    def allowed(self, machine: str, address: str) -> bool:
        """Whether the machine's network lets it dial an address."""
        return self.only.get(machine) in (None, address)

    def _given(self, packet: Packet, flow: Flow, *, upward: bool) -> None:
        """Something came to the router."""
        flow.last_ns = packet.ns
        if not upward:
            return
        if packet.payload:
            flow.said_ns.append(packet.ns)
        if packet.payload and not flow.spoke:
            flow.spoke = True
            self._tell(packet.ns, flow, "socket.spoke", tls=packet.first == TLS_HANDSHAKE)
        if packet.flags & (FIN | RST):
            flow.left_ns = flow.left_ns or packet.ns
            self._ended(packet.ns, flow, None)

    def _left(self, packet: Packet, flow: Flow) -> None:
        """Something left the router for the other side: the machine's first word after the answer is when that side has the connection."""
        if flow.is_answered and flow.order < 0 and not packet.flags & SYN:
            place = flow.machine, self._kind(flow)
            flow.order = self._established[place]
            self._established[place] += 1

    def _reached(self, packet: Packet, flow: Flow) -> None:
        """Something left the router towards the machine."""
        if packet.flags & RST:
            self._ended(packet.ns, flow, "reset" if flow.is_answered else "refused")
        elif packet.flags & SYN and not flow.is_answered:
            flow.is_answered = True
            self._tell(packet.ns, flow, "socket.connected")
        elif packet.flags & FIN:
            self._ended(packet.ns, flow, "fin")

    def _ended(self, ns: int, flow: Flow, error: str | None) -> None:
        if not flow.over:
            flow.over = True
            self._tell(ns, flow, "socket.closed", sent=flow.sent, received=flow.received, error=error)

    def forget(self, flow: Flow, ns: int, why: str, notice: str) -> None:
        """A connection crosses the router no more."""
        flow.why, flow.dark_ns = why, ns
        self._tell(ns, flow, "flow.forgotten", why=why, notice=notice)

    def live(self, link: str) -> list[Flow]:
        """Connections of a link that came about and whose end was not seen, oldest first."""
        return [
            flow
            for flow in self.flows.values()
            if f"{flow.machine}-relay" == link and flow.is_answered and not flow.over and not flow.why
        ]

    def number_of(self, machine: str, kind: str, order: int) -> int | None:
        """The number of a machine's connection, by its place among those established."""
        found = (flow for flow in self.flows.values() if flow.machine == machine and flow.order == order)
        return next((flow.number for flow in found if self._kind(flow) == kind), None)

    def number_at(self, ends: tuple[tuple[str, int], tuple[str, int]]) -> int | None:
        """The number of a connection, by the machine's end of it and the other."""
        flow = self._by_key.get(ends)
        return None if flow is None else flow.number

    def _tell(self, ns: int, flow: Flow, what: str, **data: Any) -> None:
        probe = {"probe": True} if self.probing in (flow.machine, EVERYBODY) else {}
        link = f"{flow.machine}-relay"
        actor = link if what.startswith("flow.") else flow.machine
        self.note(ns, actor, what, {"conn": flow.number, "link": link} | data | probe)

    # --- what links carry

    def _count(self, packet: Packet, flow: Flow, direction: str) -> None:
        link = f"{flow.machine}-relay"
        if link not in self.counted:
            return
        tally = self._tallies.setdefault((link, direction), Tally(packet.ns))
        if not packet.leaves:
            self._inside[_anywhere(packet)] = packet.ns, link, direction
            tally.bytes += packet.size
        elif self._inside.pop(_anywhere(packet), None) is not None:  # else it is the router's own word
            tally.passed += packet.size
            tally.largest = max(tally.largest, packet.payload)

    def stop_counting(self, link: str) -> None:
        """A link's traffic is added up no more."""
        self.counted.discard(link)
        if not self.counted:
            self._inside.clear()

    def told(self, link: str, now_ns: int) -> dict[str, Tally]:
        """What a link that is counted carried since this was asked last, at an instant as packets are stamped: direction -> tally."""
        self._sweep(link, now_ns - CROSSING_NS)
        found = {direction: tally for (name, direction), tally in self._tallies.items() if name == link}
        for direction in found:
            del self._tallies[link, direction]
        return found

    def _sweep(self, link: str, before_ns: int) -> None:
        """What came to the router so long ago and did not leave it was stopped there."""
        gone = [packet for packet, (ns, of, _) in self._inside.items() if of == link and ns < before_ns]
        for packet in gone:
            ns, _, direction = self._inside.pop(packet)
            tally = self._tallies.setdefault((link, direction), Tally(ns))
            tally.stopped += 1
            tally.over_cap += link in self.caps and packet.payload > self.caps[link]


def _anywhere(packet: Packet) -> Packet:
    """A packet, wherever and whenever it is seen."""
    return packet._replace(ns=0, interface="", leaves=False)
