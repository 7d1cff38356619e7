"""The wire world: a plan in, a history out, by real processes over TLS on this machine.

Every role is a process behind docs/spec/sut.md; each link is a toxiproxy-server; clocks are hurried by ``warp``. Deliberately absent: the story's
meaning (``director``), judgement, and files that outlive the run.
"""

import os
import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import trio

from harness.base.errors import HarnessError
from harness.faults.model import FAULTS, Operation
from harness.history.events import Event, Footer, History, Kind
from harness.history.plan import Actor, Plan, every_step
from harness.sut.contract import Call
from harness.sut.tap import Chunk, decode
from harness.worlds import start_args
from harness.worlds.director import Director
from harness.worlds.errands import Errands
from harness.worlds.pki import Authority
from harness.worlds.secrets import plant
from harness.worlds.stage import NEVER, Until
from harness.worlds.way_out import WAYS_OUT, Settings
from harness.worlds.wire import proxy, tap, toxiproxy
from harness.worlds.wire.able import lacks
from harness.worlds.wire.census import Flow
from harness.worlds.wire.children import Children
from harness.worlds.wire.ground import Ground, Loopback
from harness.worlds.wire.haste import haste_of
from harness.worlds.wire.listeners import listening
from harness.worlds.wire.namespaces import unavailable
from harness.worlds.wire.operations import perform
from harness.worlds.wire.ports import free_port
from harness.worlds.wire.probe import probe
from harness.worlds.wire.proxy import Middlebox
from harness.worlds.wire.roles import Role
from harness.worlds.wire.routed import Routed
from harness.worlds.wire.tap import Tap, delivered
from harness.worlds.wire.toxiproxy import LinkProxy, Shape
from harness.worlds.wire.warp import NS, WorldClock, shim

PUBLIC_TEXTS_MAX = 5
"""So many of the texts that were said aloud are looked for as the scanner's positive control."""

SAMPLE_S = 0.2
"""True seconds between two readings of the counters of a blocked link; a reading takes 5 ms."""

SETTLE_S = 0.05
"""True seconds in which the census has heard of the probe's last packet; it takes below one millisecond."""

OF_TAP = ("certificate.shown", "answer.dropped")
"""Observations whose connection is the tap's."""

type Meter = Callable[[], Iterable[tuple[float, str, dict[str, Any]]]]
"""Says what crossed since it was asked last: world seconds, event, data."""

type Command = tuple[str, ...]
"""Template of a program: ``{ca_file} {cert_file} {state_dir} {agent_cmd}`` are filled in."""

REFERENCE: dict[str, Command] = {
    "relay": (sys.executable, "-m", "reference", "relay", "--shim", "--state", "{state_dir}", "--cert", "{cert_file}"),
    "host": (
        *(sys.executable, "-m", "reference", "host", "--shim", "--state", "{state_dir}", "--ca", "{ca_file}"),
        *("--agent", "{agent_cmd}"),
    ),
    "device": (sys.executable, "-m", "reference", "device", "--shim", "--state", "{state_dir}", "--ca", "{ca_file}"),
}


class WireWorld:
    """Runs plans with real processes.

    Args:
        programs: role or actor -> command that stands in instead of the reference's.
    """

    def __init__(self, programs: Mapping[str, Command] | None = None) -> None:
        self._programs = {**REFERENCE, **(programs or {})}

    @staticmethod
    def lacks(plan: Plan) -> str:
        """Why this world cannot play a plan; empty if it can."""
        return lacks(plan)

    def run(self, plan: Plan) -> History:
        """Run a plan to its end.

        Raises:
            WorldError: this world cannot do what the plan asks, or a piece of it broke.
        """
        try:
            return trio.run(self._run, plan)
        except BaseExceptionGroup as group:
            raise _first(group) from group

    async def _run(self, plan: Plan) -> History:
        with Children() as children:
            async with trio.open_nursery() as nursery:
                stage = WireStage(plan, children, nursery, self._programs)
                try:
                    history = await stage.play()
                finally:
                    await children.reap_all()
                    nursery.cancel_scope.cancel()
            return history


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What the user should hear of: an error of ours before any other."""
    leaves: list[BaseException] = []
    pending: list[BaseException] = [group]
    while pending:
        one = pending.pop(0)
        if isinstance(one, BaseExceptionGroup):
            pending += one.exceptions
        else:
            leaves.append(one)
    return next((leaf for leaf in leaves if isinstance(leaf, HarnessError)), leaves[0])


class WireStage:
    """One plan on stage: what ``harness.worlds.stage.Stage`` asks for."""

    def __init__(self, plan: Plan, children: Children, nursery: trio.Nursery, programs: Mapping[str, Command]) -> None:
        self.plan = plan
        self.events: list[Event] = []
        self.links: dict[str, LinkProxy] = {}
        self.boxes: dict[str, Middlebox] = {}
        self.clock = WorldClock()
        self.children = children
        self.clients = [actor.name for actor in plan.cast if actor.role != "relay"]
        self.routed = None if unavailable() else Routed(self.clients, children.folder, self.observe, self.clock.of)
        self.ground: Ground = self.routed or Loopback()
        self.authority = Authority(plan.seed, "public")
        self._nursery, self._programs = nursery, programs
        self._haste = haste_of(plan)
        self._changed = trio.Event()
        self._credentials: dict[str, str] = {}
        self._canaries: dict[str, list[str]] = {}
        self._watched: dict[tuple[str, str], Meter] = {}
        self._stirred_at = 0.0
        self._over = False
        self.roles: dict[str, Role] = {}

    # --- setting the stage

    async def play(self) -> History:
        """Walk the story and return what happened."""
        began = time.perf_counter()
        try:
            await self._set()
            for name in self.roles:
                if self.plan.given.get(name, {}).get("starts") != "later":
                    self.boot(name)
            for until in Director(self.plan, self).directions():
                await self._let_pass(until)
            simulated_s = self.now
            self._strike()
        finally:
            self.ground.close()
        events = self._in_order()
        slept_s = sum(event.data["slept_s"] for event in events if event.what == "machine.resumed")
        footer = Footer(simulated_s, max(simulated_s - slept_s, 0.0), time.perf_counter() - began, "", 0)
        return History(self.plan, events, footer)

    async def _set(self) -> None:
        (self.children.folder / "ca.pem").write_bytes(self.authority.certificate_pem)
        (self.children.folder / "relay.pem").write_bytes(self.authority.leaf_pem(self.ground.relay_name))
        await self.ground.start(self._nursery)
        self.children.before = self.ground.inside("")
        for actor in self.plan.cast:
            self.roles[actor.name] = await self._role(actor)
        relay = next(actor.name for actor in self.plan.cast if actor.role == "relay")
        self.tap = Tap({client: free_port() for client in self.clients}, self.clock.of, self.observe, relay)
        name, at = self.ground.relay_name, self.ground.relay_at
        self.boxes = {box.machine: box for box in self._boxes({name: relay})}
        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(tap.start, self.children, self._nursery, self.tap, name=name, relay=at))
            for client in self.clients:
                nursery.start_soon(self._start_link, client)
            for box in self.boxes.values():
                nursery.start_soon(self._start_box, box)
        for client in self.clients:
            self._lay(client)
        if self.routed is not None:
            if any(operation.name in ("delay", "rate") for operation in _operations(self.plan)):
                self.routed.time_links({_end(link.leads): name for name, link in self.links.items()})
            self.routed.buried = self._bury
            await self._probe(self.routed)

    def _bury(self, flow: Flow) -> None:
        """A connection has gone dark: what comes of it from now on is read by nobody."""
        corporate = self._proxy_of(flow.machine)
        conns: Sequence[int | str] = self.tap.order[flow.machine] if corporate is None else corporate.order
        if flow.order < len(conns):
            self.tap.bury(flow.machine, conns[flow.order], self.now)

    async def _start_link(self, client: str) -> None:
        self.links[f"{client}-relay"] = await toxiproxy.start(self.children, client)

    def _boxes(self, names: Mapping[str, str]) -> Iterator[Middlebox]:
        """What stands in machines' ways out: a proxy where it is the only one, else a portal where the story has one."""
        changed = {one.args["machine"] for one in _operations(self.plan) if one.name == "middlebox"}
        for client in self.clients:
            way_out = self.plan.given.get(client, {}).get("network", {}).get("only_way_out")
            common = (self.clock, self.observe, self.tap.chunks.append, names)
            if way_out is not None:
                yield Middlebox(client, "proxy", WAYS_OUT[way_out], *common)
            elif client in changed:
                yield Middlebox(client, "portal", Settings(), *common)

    async def _start_box(self, box: Middlebox) -> None:
        upstreams = {"raw": ("127.0.0.1", self.tap.listens[box.machine]), "opened": self.ground.relay_at}
        places = self.ground.portal_places(box.machine) if box.kind == "portal" else ["127.0.0.1:0"]
        await proxy.start(self.children, self._nursery, box, seed=self.plan.seed, places=places, upstreams=upstreams)

    def _proxy_of(self, client: str) -> Middlebox | None:
        """The proxy that is the only way out of a client's machine, if one is."""
        box = self.boxes.get(client)
        return box if box is not None and box.kind == "proxy" else None

    def _lay(self, client: str) -> None:
        """Lay a client's link to the tap, and make it what the scenario says it is."""
        link, network = self.link_of(client), self.plan.given.get(client, {}).get("network", {})
        corporate = self._proxy_of(client)
        if corporate is None:
            link.lay(self.ground.front(client, "relay"), f"127.0.0.1:{self.tap.listens[client]}")
        else:
            link.lay(self.ground.front(client, "proxy"), f"127.0.0.1:{corporate.listens}")
            self.ground.shut(client)
            place = self.ground.proxy_place(client, link.listens)
            self.roles[client].environ["HTTPS_PROXY"] = corporate.given.proxy_url(place)
        self.shape(client, Shape(network.get("rtt", 0.0) / 2, network.get("jitter", 0.0) / 2, network.get("rate")))
        if "loss" in network:
            perform(self, Operation("lose", {"link": f"{client}-relay", "probability": network["loss"]}))

    async def _probe(self, routed: Routed) -> None:
        """Make the counters that must stay zero count once, by our own hand."""
        for actor in self.plan.cast:
            if actor.role == "host":
                routed.census.probing = actor.name
                await probe(routed.namespaces, actor.name, partial(self._look, routed, actor.name))
                await trio.sleep(SETTLE_S)
                routed.census.probing = ""
                self._nursery.start_soon(self._look_often, routed, actor.name)

    def _look(self, routed: Routed, machine: str) -> None:
        """Tell of sockets that listen on a machine and were not told of."""
        with routed.namespaces.within(machine):
            found = listening()
        told = {event.data["address"] for event in self.events if event.what == "socket.listening"}
        probe = {"probe": True} if routed.census.probing else {}
        for address in sorted(found - told):
            self.record(machine, "os", "socket.listening", address=address, **probe)

    async def _look_often(self, routed: Routed, machine: str) -> None:
        while not self._over:
            self._look(routed, machine)
            await trio.sleep(SAMPLE_S)

    def _in_order(self) -> tuple[Event, ...]:
        """Events and what the tap heard, by time; of equals the first recorded stands first."""
        said = [event.data["text"] for event in self.events if event.what == "agent.said"]
        chunks = delivered(_renamed(self.tap.chunks, self._tunnels()), self.tap.holds)
        numbers = self._numbers()
        heard = decode(_renamed(chunks, numbers), self._canaries | {"public": said[:PUBLIC_TEXTS_MAX]})
        wire = [Event(0, round(one.t, 9), one.actor, "wire", one.what, one.data) for one in heard]
        own = [_renumbered(event, numbers) for event in self.events]
        merged = sorted([*own, *wire], key=lambda event: event.t)
        return tuple(Event(n, one.t, one.actor, one.kind, one.what, one.data) for n, one in enumerate(merged))

    def _tunnels(self) -> dict[int | str, str]:
        """The tap's connections that came by a proxy -> the machine's connections to it."""
        found: dict[int | str, str] = {}
        for box in self.boxes.values():
            found |= box.tunnels((conn, self.tap.ports[conn]) for conn in self.tap.order[box.machine])
        return found

    def _numbers(self) -> dict[int | str, int]:
        """A connection as the tap or a middlebox has it -> the census's number: the k-th that a machine established is the k-th that came there."""
        if self.routed is None:
            return {}
        number_of, found = self.routed.census.number_of, dict[int | str, int]()
        for client, conns in self.tap.order.items():
            if self._proxy_of(client) is None:
                found |= {conn: number_of(client, "relay", order) or -conn for order, conn in enumerate(conns)}
        for box in self.boxes.values():
            numbers = {label: number_of(box.machine, box.kind, order) for order, label in enumerate(box.order)}
            found |= {label: number for label, number in numbers.items() if number is not None}
        return found

    async def _role(self, actor: Actor) -> Role:
        folder, name = self.children.folder, actor.name
        home, page, socket = folder / f"{name}.home", folder / f"{name}.page", folder / f"{name}.agent"
        home.mkdir()
        clocks = self.clock.machine(name, page)
        clocks.wall_ns += round(self.plan.given.get(name, {}).get("clock", {}).get("offset", 0.0) * NS)
        words = {
            "ca_file": str(self._trusted(name)),
            "cert_file": str(folder / "relay.pem"),
            "state_dir": str(folder / f"{name}.state"),
            "agent_cmd": f"{sys.executable} -m harness.sut.agent_process {socket}",
        }
        template = self._programs.get(name) or self._programs[actor.role]
        environ = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(home),
            "LD_PRELOAD": str(shim()),
            "WARP_PAGE": str(page),
        }
        self._plant(name, home, environ)
        role = Role(
            actor=actor,
            command=[*self.ground.inside(name), *(word.format(**words) for word in template)],
            environ=environ,
            children=self.children,
            nursery=self._nursery,
            record=partial(self.record, name),
            changed=self.wake,
            clocks=clocks,
        )
        if actor.role == "host":
            await role.listen_to_agent(socket)
        return role

    def _trusted(self, name: str) -> Path:
        """The authorities that a machine trusts; in a corporate network the employer's too."""
        path = self.children.folder / f"{name}.ca.pem"
        corporate = "only_way_out" in self.plan.given.get(name, {}).get("network", {})
        known = [self.authority, *([Authority(self.plan.seed, "corporate")] if corporate else [])]
        path.write_bytes(b"".join(one.certificate_pem for one in known))
        return path

    def _plant(self, name: str, home: Path, environ: dict[str, str]) -> None:
        """Plant the secrets that must stay on the machine."""

        def write(path: str, data: bytes) -> None:
            (home / path).parent.mkdir(parents=True, exist_ok=True)
            (home / path).write_bytes(data)

        places = self.plan.given.get(name, {}).get("secrets_in", ())
        entropy = random.Random(f"{self.plan.seed} canaries {name}")  # noqa: S311  of the plan's seed, as everywhere
        for kind, values in plant(places, entropy, write, environ).items():
            self._canaries.setdefault(kind, []).extend(values)

    def _strike(self) -> None:
        """The run is over: what happens from here on is not of it."""
        self._over = True
        self.tap.end()
        for box in self.boxes.values():
            box.end()
        self.clock.close()

    # --- time

    async def _let_pass(self, until: Until) -> None:
        began_at, awaited = self.now, until.holds is not NEVER
        while not until.holds() and self.now < until.at:
            left_s, quiet_s = until.at - self.now, self.now - max(began_at, self._stirred_at)
            rate, holds_s = self._haste.rate(quiet_s, left_s, awaited=awaited)
            self.clock.turn(self._pace(rate))
            true_s = self.clock.true_s_until(min(until.at, self.now + holds_s))
            self._changed = trio.Event()
            with trio.move_on_after(max(true_s, 0.0005)):
                await self._changed.wait()

    def _pace(self, rate: float) -> float:
        """No faster than this: true time while a program starts, one pace while a line has a shape, for the proxy counts true time."""
        if any(role.starting for role in self.roles.values()):
            return 1.0
        shaped = any(link.shape != Shape() for link in self.links.values())
        return min(rate, self._haste.brisk) if shaped else rate

    def shape(self, client: str, shape: Shape) -> None:
        """Have a link be so from now on; while its machine sleeps nothing passes anyway, and its proxy stands until it wakes."""
        link = self.link_of(client)
        link.shape = shape
        if self.roles[client].slept_since is None:
            link.keep_shape(self._haste.brisk)

    def wake(self) -> None:
        """Something happened: have the story look, and let the world go calmly for a while."""
        self._stirred_at = self.now
        self._changed.set()

    # --- Stage

    @property
    def now(self) -> float:
        """True seconds since the world began."""
        return self.clock.now

    def record(self, actor: str, kind: Kind, what: str, /, **data: Any) -> Event:
        """Append an event; none once the run is over."""
        event = Event(len(self.events), round(self.now, 9), actor, kind, what, data)
        if not self._over:
            self.events.append(event)
        return event

    def observe(self, actor: str, what: str, data: dict[str, Any], t: float) -> None:
        """Append what the system saw, at a time that is a little past."""
        if not self._over:
            self.events.append(Event(len(self.events), round(t, 9), actor, "os", what, data))

    def alive(self, actor: str) -> bool:
        """Whether the role's program runs."""
        return self.roles[actor].alive

    def boot(self, actor: str) -> None:
        """Start the role's program on its machine."""
        self.roles[actor].boot()

    def call(self, actor: str, verb: str, args: dict[str, Any]) -> Call:
        """Call a SUT verb on a role; records nothing."""
        return self.roles[actor].call(verb, args)

    def agent(self, actor: str, act: str, args: dict[str, Any]) -> None:
        """Tell the scripted agent of a host to act."""
        self.roles[actor].act(act, args)

    def keep_credential(self, actor: str, credential: str) -> None:
        """Remember an enrolment credential; it goes into ``start_args`` and nowhere else."""
        self._credentials[actor] = credential

    def start_args(self, actor: str) -> dict[str, Any]:
        """Arguments of the role's ``start`` verb."""
        role = self.roles[actor].actor
        if role.role == "relay":
            return start_args.of_relay(self.plan, role, self.ground.relay_name, self.ground.relay_port)
        url = self.ground.relay_url(actor, self.link_of(actor).listens)
        credential, cwd = self._credentials[actor], self.roles[actor].environ["HOME"]
        return start_args.of_client(self.plan, role, relay_url=url, credential=credential, cwd=cwd)

    def link_of(self, machine: str) -> LinkProxy:
        """The link of a client's machine to the relay."""
        return self.links[f"{machine}-relay"]

    # --- what crosses a link in trouble

    def watch(self, link: str, by: str, meter: Meter | None) -> None:
        """Begin to tell what is given to a link and what passes, as ``by`` sees it; without a meter, end it."""
        if meter is None:
            ended = self._watched.pop((link, by), None)
            if ended is not None:
                self._note(link, ended)
        elif (link, by) not in self._watched:
            self._watched[link, by] = meter
            list(meter())  # what crossed before is not of it
            self._nursery.start_soon(self._count, link, by, meter)

    async def _count(self, link: str, by: str, meter: Meter) -> None:
        await trio.sleep(SAMPLE_S)
        while self._watched.get((link, by)) is meter:
            self._note(link, meter)
            await trio.sleep(SAMPLE_S)

    def _note(self, link: str, meter: Meter) -> None:
        for t, what, data in meter():
            self.observe(link, what, {"link": link} | data, t)

    # --- faults

    def perform(self, operation: Operation) -> None:
        """Carry out one fault operation at once."""
        errands = Errands(self, {name: role.actor.role for name, role in self.roles.items()}, self._boot_as)
        own = {"start": errands.start, "call": errands.call}.get(operation.name)
        if own is not None:
            own(operation.args)
        else:
            perform(self, operation)

    def _boot_as(self, name: str, version: str) -> None:
        del version  # the verb `start` says it; this world runs one program for each role
        self.roles[name].boot()


def _operations(plan: Plan) -> list[Operation]:
    """What the story's faults are made of."""
    faults = [FAULTS[step.verb](**step.args) for step in every_step(plan.story) if step.do == "fault"]
    return [operation for fault in faults for operation in fault.begin()]


def _end(place: str) -> tuple[str, int]:
    address, _, port = place.rpartition(":")
    return address, int(port)


def _renamed(chunks: Iterable[Chunk], names: Mapping[int | str, int | str]) -> list[Chunk]:
    """The same bytes, of connections by other names."""
    return [chunk._replace(conn=names.get(chunk.conn, chunk.conn)) for chunk in chunks]


def _renumbered(event: Event, numbers: Mapping[int | str, int]) -> Event:
    """An event that the tap or a middlebox told, with the history's number of its connection."""
    conn = event.data.get("conn")
    if conn is None or not (event.what in OF_TAP or isinstance(conn, str)):
        return event
    return replace(event, data=event.data | {"conn": numbers.get(conn, conn)})
