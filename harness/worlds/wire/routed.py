"""The ground with a network namespace for each machine: a router with rules between them, names, and a census of what was dialled.

Deliberately absent: proxies, and which fault uses what (``operations``).
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import trio

from harness.base.errors import WorldError
from harness.worlds.way_out import PROXY_NAME, PROXY_PORT
from harness.worlds.wire.census import Census, Flow
from harness.worlds.wire.firewall import Firewall
from harness.worlds.wire.ground import Front
from harness.worlds.wire.limiting import Limit
from harness.worlds.wire.namespaces import RELAY, RESOLVER, Namespaces, closed_on_failure, tool
from harness.worlds.wire.packets import missed
from harness.worlds.wire.resolver import Names, Resolver, open_socket
from harness.worlds.wire.transit import Transit

RELAY_NAME, RELAY_PORT = "relay.test", 443
PORTAL_PORTS = (443, 80)

RESOLV_CONF = f"nameserver {RESOLVER}\noptions timeout:5 attempts:2\n"
"""As resolv.conf(5) has it by default."""

_WITH_NAMES = '/bin/mount --bind "$0" /etc/resolv.conf && exec "$@"'

IDLE_POLL_S = 0.05
"""True seconds between two looks for idle connections: 3 s of the world at x60."""

type Observe = Callable[[str, str, dict[str, Any], float], None]
"""Takes an observation: actor, what, data, the world's seconds."""


class Routed:
    """One run's namespaces, and what stands in the router.

    Args:
        clients: machines that dial the relay.
        folder: of the run.
        observe: takes what is seen.
        time_of: true MONOTONIC nanoseconds -> the world's seconds.

    Attributes:
        buried: is told of every connection that goes dark.
        limits: on what links carry, in force or not any more.
    """

    relay_name, relay_port = RELAY_NAME, RELAY_PORT
    relay_at = (RELAY, RELAY_PORT)

    def __init__(self, clients: list[str], folder: Path, observe: Observe, time_of: Callable[[int], float]) -> None:
        self._observe, self._time_of = observe, time_of
        self._real_ns = time.time_ns() - time.monotonic_ns()
        self._resolv = folder / "resolv.conf"
        self._resolv.write_text(RESOLV_CONF)
        self._idle: dict[str, trio.CancelScope] = {}
        self.buried: Callable[[Flow], None] = lambda _: None
        self.namespaces = Namespaces(clients)
        with closed_on_failure(self.namespaces.close):
            self.firewall = Firewall(self.namespaces)
        self.census = Census(self.namespaces, self._note)
        self.transit: Transit | None = None
        self.limits: list[Limit] = []
        self.resolver = Resolver(self.census.machine_at, self._asked)
        for client in clients:
            self.resolver.names[client] = Names({RELAY_NAME: self.namespaces.front(client, "relay")})

    # --- Ground

    async def start(self, nursery: trio.Nursery) -> None:
        """Enter the middle, listen to the router, answer questions for names."""
        self.namespaces.enter("middle")
        self._nursery = nursery
        self._heard = [self.census.open()]
        nursery.start_soon(self.census.listen, self._heard[0])
        nursery.start_soon(self.resolver.serve, await open_socket(RESOLVER))

    def time_links(self, backs: dict[tuple[str, int], str]) -> None:
        """Watch how long proxies keep what they are given.

        Args:
            backs: address and port that a link's proxy dials -> link.
        """
        fronts = {(self.namespaces.front(one, "relay"), RELAY_PORT): f"{one}-relay" for one in self.namespaces.clients}
        fronts |= {(self.namespaces.front(one, "proxy"), PROXY_PORT): f"{one}-relay" for one in self.namespaces.clients}
        self.transit = Transit(self.namespaces, fronts, backs)
        self._heard.append(self.transit.open())
        self._nursery.start_soon(self.transit.listen, self._heard[-1])

    def limit(self, link: str, direction: str, most: int) -> Limit:
        """From now on it is told what the link's connections carry in a direction while no more than so many bytes may pass."""
        assert self.transit is not None
        made = Limit(link, direction, most, self._note, self.census.number_at, self.stamp())
        made.begin(self.transit.links[link].crossings)
        self.transit.listeners.append(made)
        self.limits.append(made)
        return made

    def heal_limits(self, link: str, direction: str) -> None:
        """No limit is in force on the link in a direction any more."""
        for limit in self.limits:
            if (limit.link, limit.direction) == (link, direction):
                limit.healed_ns = min(limit.healed_ns, self.stamp())

    def inside(self, actor: str) -> list[str]:
        """In the machine's namespace, with its own resolver; proxies stand in the middle."""
        if not actor:
            return self.namespaces.inside("middle")
        place = actor if actor in self.namespaces.clients else "relay"
        names = [tool("unshare"), "--mount", tool("sh"), "-c", _WITH_NAMES, str(self._resolv)]
        return [*self.namespaces.inside(place), *names]

    def front(self, client: str, kind: Front) -> str:
        """Where the machine's packets for the relay or for its proxy arrive."""
        return f"{self.namespaces.front(client, kind)}:{RELAY_PORT if kind == 'relay' else PROXY_PORT}"

    def relay_url(self, client: str, front: str) -> str:
        """Its name; the resolver leads each machine to its own link."""
        del client, front
        return f"https://{RELAY_NAME}"

    def proxy_place(self, client: str, front: str) -> str:
        """Its name, which only the machine's own resolver knows."""
        del client, front
        return f"{PROXY_NAME}:{PROXY_PORT}"

    def portal_places(self, client: str) -> list[str]:
        """Where the machine's packets for the portal arrive, in clear and not."""
        return [f"{self.namespaces.front(client, 'portal')}:{port}" for port in PORTAL_PORTS]

    def shut(self, client: str) -> None:
        """The router drops whatever does not go to the proxy; no other name is known."""
        proxy = self.namespaces.front(client, "proxy")
        self.resolver.names[client].known = {PROXY_NAME: proxy}
        self._only(client, proxy)

    def portal(self, client: str, *, on: bool) -> None:
        """A portal answers for every name, and lets nobody past it; what was open goes dark."""
        address = self.namespaces.front(client, "portal") if on else None
        self.resolver.names[client].hijacked = address
        self._only(client, address)
        for flow in self.census.live(f"{client}-relay") if on else ():
            self.bury(flow, "portal")

    def _only(self, client: str, address: str | None) -> None:
        """Let a machine dial one address, or all; the resolver is not dialled."""
        near = self.namespaces.near(client)
        rules = [
            f'iifname "{near}" ip daddr != {{ {address}, {RESOLVER} }} drop',
            f'iifname "{near}" meta nfproto ipv6 drop',
        ]
        self.firewall.put(f"only way out of {client}", *(rules if address else []))
        self.census.only[client] = address

    def check(self) -> None:
        """Counters that heard not all have counted nothing.

        Raises:
            WorldError: packets were missed.
        """
        deaf = sum(missed(heard) for heard in self._heard)
        if deaf:
            raise WorldError(f"{deaf} packets went by unheard: this machine is too busy for the census of connections")

    def close(self) -> None:
        """Leave and let go of the namespaces."""
        self.namespaces.close()

    # --- observations

    def _note(self, real_ns: int, actor: str, what: str, data: dict[str, Any]) -> None:
        self._observe(actor, what, data, self.seconds(real_ns))

    def seconds(self, real_ns: int) -> float:
        """The world's time of a packet's stamp."""
        return self._time_of(real_ns - self._real_ns)

    def stamp(self) -> int:
        """Now, as packets are stamped."""
        return time.monotonic_ns() + self._real_ns

    def _asked(self, machine: str, name: str, answer: str) -> None:
        self._note(self.stamp(), machine, "dns.asked", {"name": name, "answer": answer})

    # --- connections

    def kill_sockets(self, client: str, flow: Flow | None = None) -> None:
        """Have the kernel end sockets of the middle towards a machine: RST to it, FIN to the other side; of all connections or of one.

        What the other side sends until it knows is read by nobody.
        """
        ended = [flow] if flow else self.census.live(f"{client}-relay")
        addresses = [self.namespaces.front(client, kind) for kind in ("relay", "proxy")]
        peer = ["dst", f"{flow.own[0]}:{flow.own[1]}"] if flow else []
        for address in addresses:
            self.namespaces.run("middle", "ss", "-K", "-H", "state", "connected", "src", address, *peer)
        for one in ended:
            self.buried(one)

    def kill_own(self, flow: Flow) -> None:
        """Have the kernel end a machine's own socket; its RST goes out."""
        own = f"{flow.own[0]}:{flow.own[1]}"
        self.namespaces.run(flow.machine, "ss", "-K", "-H", "state", "connected", "src", own)

    def bury(self, flow: Flow, why: str, notice: str = "none") -> None:
        """A connection crosses the router no more, in silence."""
        self.firewall.bury(*flow.own)
        self.buried(flow)
        self.census.forget(flow, self.stamp(), why, notice)

    def forget_idle(self, link: str, idle_s: float | None, notice: str) -> None:
        """From now on connections that were idle for so long are dropped from the router's table; None ends it."""
        if link in self._idle:
            self._idle.pop(link).cancel()
        if idle_s is not None:
            scope = self._idle[link] = trio.CancelScope()
            self._nursery.start_soon(self._watch_idle, scope, link, idle_s, notice)

    async def _watch_idle(self, scope: trio.CancelScope, link: str, idle_s: float, notice: str) -> None:
        with scope:
            while True:
                for flow in self.census.live(link):
                    if self._idle_s(flow) >= idle_s:
                        self._drop_idle(flow, notice)
                await trio.sleep(IDLE_POLL_S)

    def _idle_s(self, flow: Flow) -> float:
        return self.seconds(self.stamp()) - self.seconds(flow.last_ns)

    def _drop_idle(self, flow: Flow, notice: str) -> None:
        if notice == "rst":
            self.kill_sockets(flow.machine, flow)
            self.census.forget(flow, self.stamp(), "idle", notice)
        else:
            self.bury(flow, "idle")

    def move(self, client: str) -> str:
        """Give a machine another address; what it had open goes dark."""
        address = self.namespaces.move(client)
        for flow in self.census.live(f"{client}-relay"):
            self.bury(flow, "moved")
        self.census.learn()
        return address
