"""The network: who has which address, which link lies between whom, who listens, which connections live.

Deliberately absent: how a link treats segments (``link``), how TCP copes (``tcp``, ``dial``).
"""

import errno
import itertools
from collections.abc import Callable
from typing import Any, Literal, Protocol

from harness.worlds.sim.census import Census
from harness.worlds.sim.dial import Dial
from harness.worlds.sim.endpoint import Address, Endpoint
from harness.worlds.sim.kernel import Kernel
from harness.worlds.sim.link import DOWN, UP, Link, LinkPolicy
from harness.worlds.sim.machine import Machine
from harness.worlds.sim.resolver import SimResolver
from harness.worlds.sim.sockets import SimSocket, SocketFactory
from harness.worlds.sim.tcp import Connection
from harness.worlds.sim.traffic import Traffic

EPHEMERAL_FIRST = 40_000

type Verdict = Literal["pass", "drop", "refuse"]


class Egress(Protocol):
    """A rule about where a machine may dial; a firewall."""

    def judge(self, to: Address) -> Verdict:
        """Whether a new connection may leave."""


class Network:
    """All links, listeners and connections of a world.

    Args:
        kernel: its time.
        census: told of everything that happens to sockets.
        traffic: counts what is given to links.
    """

    def __init__(self, kernel: Kernel, census: Census, traffic: Traffic) -> None:
        self.kernel = kernel
        self.census, self.traffic = census, traffic
        self.machines: dict[str, Machine] = {}
        self.names: dict[str, str] = {}
        self.links: dict[str, Link] = {}
        self.connections: dict[int, Connection] = {}
        self.egress: dict[str, Egress] = {}
        self.proxies: dict[str, str] = {}
        self._routes: dict[tuple[str, str], tuple[Link, int]] = {}
        self._addresses: dict[str, Machine] = {}
        self._former: dict[str, list[str]] = {}
        self._resolvers: dict[str, SimResolver] = {}
        self._listeners: dict[tuple[str, int], SimSocket] = {}
        self._ports: dict[str, itertools.count[int]] = {}
        self._connection_numbers = itertools.count(1)
        self._socket_numbers = itertools.count(1)
        self._subnets = itertools.count(200)

    # --- machines, names and addresses

    def add(self, machine: Machine) -> None:
        """Put a machine on the network under its own name."""
        self.machines[machine.name] = machine
        self.names[machine.name] = machine.name
        self._addresses[machine.address] = machine
        self._former[machine.name] = []
        self._resolvers[machine.name] = SimResolver(self, machine)
        self._ports[machine.name] = itertools.count(EPHEMERAL_FIRST)

    def owner_of(self, address: str) -> Machine | None:
        """Who answers at an address now."""
        return self._addresses.get(address)

    def address_of(self, name: str) -> str | None:
        """The address of a DNS name (``names`` maps it to a machine)."""
        machine = self.machines.get(self.names.get(name, ""))
        return machine.address if machine else None

    def former_address(self, name: str) -> str | None:
        """The last address before the present one."""
        former = self._former.get(self.names.get(name, ""), [])
        return former[-1] if former else None

    def seen_address(self, machine: Machine) -> str:
        """The source address that the other side of a connection sees."""
        return machine.address

    def resolver_of(self, machine: Machine) -> SimResolver:
        """The machine's resolver, to misconfigure."""
        return self._resolvers[machine.name]

    def move(self, machine: Machine) -> str:
        """Give a machine another address; its connections lead nowhere from now on. Return the address."""
        del self._addresses[machine.address]
        self._former[machine.name].append(machine.address)
        machine.address = f"10.{next(self._subnets)}.0.1"
        self._addresses[machine.address] = machine
        for connection in self.connections.values():
            if any(end.machine is machine for end in connection.ends) and not connection.passage.forgotten:
                connection.link.forget(connection.passage, "moved")
        return machine.address

    # --- links

    def link(self, a: str, b: str, policy: LinkPolicy | None = None) -> Link:
        """Make the link ``a-b``; b is the end that lies up (towards the relay)."""
        name = f"{a}-{b}"
        link = Link(name, policy or LinkPolicy(), self.kernel.rng("link", name), self.traffic)
        self.links[name] = link
        self.route(a, b, link)
        return link

    def route(self, a: str, b: str, link: Link) -> None:
        """Send what goes between two machines over a link that exists; b lies up."""
        self._routes[a, b] = link, UP
        self._routes[b, a] = link, DOWN

    def _route(self, a: Machine, b: Machine) -> tuple[Link, int]:
        if (a.name, b.name) not in self._routes:
            self.link(a.name, b.name, LinkPolicy(latency_s=0.0 if a is b else 0.001))
        return self._routes[a.name, b.name]

    def link_to(self, a: Machine, b: Machine | None) -> Link:
        """The link that traffic from a to b crosses; to nobody (None) it takes a's way up.

        Machines without a link of their own share a fast local network.
        """
        return self._route(a, b)[0] if b is not None else self.uplink(a)

    def uplink(self, a: Machine) -> Link:
        """A machine's way out: its first link that leads up, or else a link to nowhere."""
        for (from_name, _), (link, direction) in self._routes.items():
            if from_name == a.name and direction == UP:
                return link
        return self.links.get(f"{a.name}-nowhere") or self.link(a.name, "nowhere")

    def direction(self, a: Machine, b: Machine | None) -> int:
        """Which way a to b is on their link."""
        return self._route(a, b)[1] if b is not None else UP

    # --- sockets

    def socket_of(self, machine: Machine) -> SimSocket:
        """A new socket of a machine."""
        return SimSocket(self, machine, next(self._socket_numbers))

    def ephemeral_port(self, machine: Machine) -> int:
        """The next free port of a machine."""
        return next(self._ports[machine.name])

    def listen(self, socket: SimSocket, local: Address) -> None:
        """Register a listener.

        Raises:
            OSError: EADDRINUSE.
        """
        key = (socket.machine.name, local[1])
        if key in self._listeners:
            raise OSError(errno.EADDRINUSE, "Address already in use")
        self._listeners[key] = socket
        self.census.listening(socket.machine, f"{local[0] or '0.0.0.0'}:{local[1]}")  # noqa: S104  a report, no socket

    def unlisten(self, socket: SimSocket) -> None:
        """Forget a listener."""
        self._listeners = {key: listener for key, listener in self._listeners.items() if listener is not socket}

    def listener(self, machine: Machine, to: Address) -> SimSocket | None:
        """Who accepts connections to an address of a machine, if anybody."""
        return self._listeners.get((machine.name, to[1]))

    def next_connection(self) -> int:
        """The number of the next connection."""
        return next(self._connection_numbers)

    def dial(self, machine: Machine, local: Address, to: Address, done: Callable[[], None]) -> Dial:
        """Begin to connect; ``done`` is called once ``Dial.outcome`` is there."""
        dial = Dial(self, machine, local, to, done)
        dial.start()
        return dial

    def admit(self, machine: Machine, number: int, link: str, to: Address) -> Verdict:
        """Ask the machine's firewall about a new connection, and note the attempt."""
        firewall = self.egress.get(machine.name)
        verdict: Verdict = firewall.judge(to) if firewall else "pass"
        owner = self.owner_of(to[0])
        via = "proxy" if owner is not None and self.proxies.get(machine.name) == owner.name else "direct"
        name = owner.name if owner else to[0]
        self.census.dialled(machine, number, link, name, to, via=via, allowed=verdict == "pass")
        return verdict

    def established(self, connection: Connection) -> None:
        """A connection begins."""
        self.connections[connection.number] = connection

    def dial_failed(self, machine: Machine, number: int, link: str, code: int) -> None:
        """A connection never came about."""
        self.census.closed(machine, number, link, sent=0, received=0, code=code, by_peer=False)

    def connection_over(self, connection: Connection) -> None:
        """Neither end knows it any more."""
        self.connections.pop(connection.number, None)

    def crossing(self, link: Link) -> list[Connection]:
        """Live connections on a link, oldest first."""
        return [connection for connection in self.connections.values() if connection.link is link]

    # --- what machines report (``machine.Nic``)

    def socket_factory(self, machine: Machine) -> SocketFactory:
        """Sockets of a machine."""
        return SocketFactory(self, machine)

    def hostname_resolver(self, machine: Machine) -> Any:
        """Resolver of a machine."""
        return self._resolvers[machine.name]

    def asked(self, machine: Machine, name: str, answer: str) -> None:
        """A name was looked up."""
        self.census.asked(machine, name, answer)

    def _ends_of(self, machine: Machine) -> list[Endpoint]:
        return [end for conn in list(self.connections.values()) for end in conn.ends if end.machine is machine]

    def _drop_listeners(self, machine: Machine) -> None:
        self._listeners = {key: one for key, one in self._listeners.items() if one.machine is not machine}

    def process_ended(self, machine: Machine) -> None:
        """The operating system closes everything the process had open."""
        self._drop_listeners(machine)
        for end in self._ends_of(machine):
            if not end.detached:
                end.close()

    def power_lost(self, machine: Machine) -> None:
        """All connection state is gone."""
        self._drop_listeners(machine)
        for end in self._ends_of(machine):
            end.vanish()

    def resumed(self, machine: Machine) -> None:
        """Its retransmission timers run again."""
        for end in self._ends_of(machine):
            end.tx.resumed()
