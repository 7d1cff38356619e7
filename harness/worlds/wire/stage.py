"""One plan on the wire world's stage: what ``harness.worlds.stage.Stage`` asks for, by processes, proxies and clocks.

Deliberately absent: how a role is fitted out (``outfit``), what each fault does (``operations``), what was seen altogether (``account``).
"""

import math
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import trio

from harness.faults.model import Operation
from harness.history.events import Event, Footer, History, Kind
from harness.history.plan import Plan
from harness.sut.command import Command
from harness.sut.contract import Call
from harness.worlds import start_args
from harness.worlds.director import Director
from harness.worlds.errands import Errands
from harness.worlds.pki import Authority
from harness.worlds.stage import NEVER, Directions, Until
from harness.worlds.wire.account import account
from harness.worlds.wire.calibration import calibrate, percentile
from harness.worlds.wire.census import EVERYBODY
from harness.worlds.wire.children import Children
from harness.worlds.wire.clock_probe import ClockProbe
from harness.worlds.wire.doors import Doors
from harness.worlds.wire.ground import Ground, Loopback
from harness.worlds.wire.haste import REAL, Haste, haste_of, is_close, is_measured
from harness.worlds.wire.laying import boxes_of, lay, shape
from harness.worlds.wire.namespaces import unavailable
from harness.worlds.wire.observers import Observer, keep_looking, look
from harness.worlds.wire.operations import perform
from harness.worlds.wire.outfit import command_for, outfit
from harness.worlds.wire.ports import free_port
from harness.worlds.wire.preflight import ANSWER_S
from harness.worlds.wire.proxy import Middlebox
from harness.worlds.wire.pulse import CLOSE_LATE_S, LATE_S, Pulse
from harness.worlds.wire.realised import realised_by
from harness.worlds.wire.routed import Routed
from harness.worlds.wire.runqueue import RunQueue
from harness.worlds.wire.tap import Tap
from harness.worlds.wire.toxiproxy import LinkProxy, Shape
from harness.worlds.wire.vigil import Vigil
from harness.worlds.wire.warp import WorldClock

if TYPE_CHECKING:
    from harness.worlds.wire.disk import Disk
    from harness.worlds.wire.roles import Role

SAMPLE_S = 0.2
"""True seconds between two readings of the counters of a link in trouble; a reading takes 5 ms."""

type Meter = Callable[[], Iterable[tuple[float, str, dict[str, Any]]]]
"""Says what crossed since it was asked last: world seconds, event, data."""


class WireStage:
    """One plan on stage: what ``harness.worlds.stage.Stage`` asks for."""

    def __init__(
        self,
        plan: Plan,
        children: Children,
        nursery: trio.Nursery,
        programs: Mapping[str, Command],
        unhurried: Mapping[str, str],
    ) -> None:
        self.plan = plan
        self.events: list[Event] = []
        self.links: dict[str, LinkProxy] = {}
        self.boxes: dict[str, Middlebox] = {}
        self.disks: dict[str, Disk] = {}
        self.clock = WorldClock()
        self.children = children
        self.clients = [actor.name for actor in plan.cast if actor.role != "relay"]
        self.routed = None if unavailable() else Routed(self.clients, children.folder, self.observe, self.clock.of)
        self.ground: Ground = self.routed or Loopback()
        children.end_at_end(self.routed.namespaces.paths if self.routed else ())
        self.pulse = Pulse(self.clock.of, CLOSE_LATE_S if is_close(plan) else LATE_S)
        self.runqueue = RunQueue(self.clock.of)
        self.authority = Authority(plan.seed, "public")
        self.tap = Tap({}, self.clock.of, self.observe, "relay")
        self._nursery, self._programs = nursery, programs
        self.unhurried = unhurried
        self._haste = REAL if unhurried else haste_of(plan)
        self._line_rate = self._haste.brisk
        self._changed = trio.Event()
        self.credentials: dict[str, str] = {}
        self.canaries: dict[str, list[str]] = {}
        self._watched: dict[tuple[str, str], Meter] = {}
        self._stirred_at = 0.0
        self.ended_at = math.inf
        self.roles: dict[str, Role] = {}
        self._clocks = ClockProbe(self.roles, self.clock)

    # --- setting the stage

    async def play(self) -> History:
        """Walk the story and return what happened."""
        began = time.perf_counter()
        await self.follow(Director(self.plan, self).directions())
        events = account(self)
        slept_s = sum(event.data["slept_s"] for event in events if event.what == "machine.resumed")
        footer = Footer(self.ended_at, max(self.ended_at - slept_s, 0.0), time.perf_counter() - began, "", 0)
        return History(self.plan, events, footer)

    async def follow(self, directions: Directions[None]) -> None:
        """Set the stage, follow directions to their end, and have everybody leave."""
        await self._set()
        vigil = self._vigil()
        if self.routed is None:
            self.record("world", "os", "ground.shared")
        for name, why in self.unhurried.items():
            self.record(name, "story", "real_time", why=why)
        for name in self.roles:
            if self.plan.given.get(name, {}).get("starts") != "later":
                self.boot(name)
        self._nursery.start_soon(keep_looking, self._observers)
        self._nursery.start_soon(self.pulse.beat)
        if is_measured(self.plan):
            self._nursery.start_soon(self.runqueue.count)
        self._nursery.start_soon(self._clocks.keep_asking)
        self._nursery.start_soon(vigil.keep)
        for until in directions:
            await self._let_pass(until)
        await self._compare_clocks()
        await vigil.look()
        vigil.end()
        if self.routed is not None:
            self.routed.check()
        for name, disk in self.disks.items():
            disk.check(name)
        self.ended_at = self.now
        await self._strike()

    async def _set(self) -> None:
        (self.children.folder / "ca.pem").write_bytes(self.authority.certificate_pem)
        (self.children.folder / "relay.pem").write_bytes(self.authority.leaf_pem(self.ground.relay_name))
        await self.ground.start(self._nursery)
        self.children.before = self.ground.inside("")
        for actor in self.plan.cast:
            self.roles[actor.name] = await outfit(self, self._nursery, actor)
        relay = next(actor.name for actor in self.plan.cast if actor.role == "relay")
        self.tap.listens = {client: free_port() for client in self.clients}
        self.tap.relay = relay
        self.boxes = {box.machine: box for box in boxes_of(self, relay)}
        await lay(self, self._nursery)
        for name, role in self.roles.items():
            role.command = command_for(self, role, self._programs.get(name) or self._programs[role.actor.role])
        if self.routed is not None:
            for actor in self.plan.cast:
                if actor.role == "host":
                    await self._watch_doors(self.routed, actor.name)
            if is_measured(self.plan):
                await self._calibrate(self.routed)
        shape(self)

    async def _watch_doors(self, routed: Routed, host: str) -> None:
        """Have it told where a host listens; the counters that must stay zero count once before, by our own hand."""
        doors = Doors(routed, host, partial(self.record, host), is_shut=self.proxy_of(host) is not None)
        await doors.probe()
        self._nursery.start_soon(doors.keep_looking)

    async def _calibrate(self, routed: Routed) -> None:
        """Measure the null path of every machine that has no proxy in its way, and tell."""
        clients = [client for client in self.clients if self.proxy_of(client) is None]
        routed.census.probing = EVERYBODY
        for client, trips in (await calibrate(routed, self.authority, clients)).items():
            pace = self._haste.brisk  # the world's seconds are told, as everywhere
            ranks = {f"p{rank}_s": round(percentile(trips, rank) * pace, 6) for rank in (50, 95, 99)}
            self.record(client, "os", "path.calibrated", link=f"{client}-relay", samples=len(trips), **ranks)
        routed.census.probing = ""

    def _vigil(self) -> Vigil:
        """Whoever runs before any role does is ours, and must do its work until the end."""
        links = {client: self.link_of(client) for client in self.clients}
        others = [child for child in self.children.running if child not in [link.child for link in links.values()]]
        return Vigil(links, others, lambda client: self.link_of(client).stands)

    async def _compare_clocks(self) -> None:
        """Ask everybody's clocks a last time, and tell how often they were compared."""
        self._clocks.ask()
        await self._let_pass(Until(self.now + ANSWER_S, lambda: self._clocks.is_answered))
        self._clocks.tell(hurried=self._haste != REAL)

    async def _strike(self) -> None:
        """The run is over: what happens from here on is not of it. Everybody is asked to leave, the relay last."""
        look(self._observers)
        self.clock.turn(REAL.most)
        for relays in (False, True):
            async with trio.open_nursery() as nursery:
                for role in self.roles.values():
                    if (role.actor.role == "relay") is relays:
                        nursery.start_soon(role.dismiss)
        self.let_go()
        self.clock.close()

    def let_go(self) -> None:
        """The tap and whatever stands in ways out may end from now on."""
        self.tap.end()
        for box in self.boxes.values():
            box.end()

    @property
    def _observers(self) -> list[Observer]:
        return [role.observer for role in self.roles.values()]

    # --- time

    async def _let_pass(self, until: Until) -> None:
        began_at, awaited = self.now, until.holds is not NEVER
        while not until.holds() and self.now < until.at:
            left_s, quiet_s = until.at - self.now, self.now - max(began_at, self._stirred_at)
            rate, holds_s = self._haste.rate(quiet_s, left_s, awaited=awaited)
            if any(role.needs_true_time for role in self.roles.values()):
                rate, holds_s = 1.0, 1.0
            self._turn(rate)
            true_s = self.clock.true_s_until(min(until.at, self.now + holds_s))
            self._changed = trio.Event()
            with trio.move_on_after(max(true_s, 0.0005)):
                await self._changed.wait()

    def _turn(self, rate: float) -> None:
        """Have the world go at a rate, no faster than calmly while a line has a shape: its proxy counts true time, and is told of each new pace."""
        if any(link.shape != Shape() for link in self.links.values()):
            rate = min(rate, self._haste.brisk)
            self._draw(rate)
        self.clock.turn(rate)

    def _draw(self, rate: float) -> None:
        """Have all lines be of their shapes at a rate."""
        self._line_rate, before = rate, self._line_rate
        if rate != before:
            for name, link in self.links.items():
                self.shape(name.partition("-")[0], link.shape)

    def shape(self, client: str, shape: Shape) -> None:
        """Have a link be so from now on; while its proxy stands nothing passes anyway, and it takes no orders until it goes on."""
        link = self.link_of(client)
        link.shape = shape
        if not link.stands:
            link.keep_shape(self._line_rate)

    def hurry(self, haste: Haste) -> None:
        """Have the world go by another choice of rates from now on."""
        self._haste = haste
        self._draw(haste.brisk)

    def wake(self) -> None:
        """Something happened: have the story look, and let the world go calmly for a while."""
        self._stirred_at = self.now
        self._changed.set()

    # --- Stage

    @property
    def now(self) -> float:
        """True seconds since the world began."""
        return self.clock.now

    @property
    def stood_s(self) -> float:
        """Seconds of the world so far by which beats were late."""
        return self.pulse.stood_s(time.monotonic_ns())

    def record(self, actor: str, kind: Kind, what: str, /, **data: Any) -> Event:
        """Append an event; none once the run is over."""
        event = Event(len(self.events), round(self.now, 9), actor, kind, what, data)
        if self.ended_at == math.inf:
            self.events.append(event)
        return event

    def observe(self, actor: str, what: str, data: dict[str, Any], t: float) -> None:
        """Append what the system saw, at a time that is a little past."""
        if self.ended_at == math.inf:
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
        self.credentials[actor] = credential

    def start_args(self, actor: str) -> dict[str, Any]:
        """Arguments of the role's ``start`` verb."""
        role = self.roles[actor].actor
        if role.role == "relay":
            return start_args.of_relay(self.plan, role, self.ground.relay_name, self.ground.relay_port)
        url = self.relay_url(actor)
        credential, cwd = self.credentials[actor], str(self.children.folder / f"{actor}.home")
        return start_args.of_client(self.plan, role, relay_url=url, credential=credential, cwd=cwd)

    def relay_url(self, client: str) -> str:
        """Where a client is told to find its relay."""
        return self.ground.relay_url(client, self.link_of(client).listens)

    def link_of(self, machine: str) -> LinkProxy:
        """The link of a client's machine to the relay."""
        return self.links[f"{machine}-relay"]

    def network_of(self, machine: str) -> dict[str, Any]:
        """What is given of a machine's network."""
        found: dict[str, Any] = self.plan.given.get(machine, {}).get("network", {})
        return found

    def proxy_of(self, client: str) -> Middlebox | None:
        """The proxy that is the only way out of a client's machine, if one is."""
        box = self.boxes.get(client)
        return box if box is not None and box.kind == "proxy" else None

    # --- what crosses a link in trouble, or is tried at a machine

    def watch(self, whose: str, by: str, meter: Meter | None) -> None:
        """Begin to tell what is given to a link, or a machine, and what passes, as ``by`` sees it; without a meter, end it."""
        if meter is None:
            ended = self._watched.pop((whose, by), None)
            if ended is not None:
                self._note(whose, ended)
        elif (whose, by) not in self._watched:
            self._watched[whose, by] = meter
            list(meter())  # what crossed before is not of it
            self._nursery.start_soon(self._count, whose, by, meter)

    def watch_out(self, link: str, by: str) -> None:
        """End it in a moment: what was kept is on its way."""
        meter = self._watched.get((link, by))
        if meter is not None:
            self._nursery.start_soon(self._watch_out, link, by, meter)

    async def _watch_out(self, link: str, by: str, meter: Meter) -> None:
        await trio.sleep(SAMPLE_S)
        if self._watched.get((link, by)) is meter:
            self.watch(link, by, None)

    async def _count(self, whose: str, by: str, meter: Meter) -> None:
        await trio.sleep(SAMPLE_S)
        while self._watched.get((whose, by)) is meter:
            self._note(whose, meter)
            await trio.sleep(SAMPLE_S)

    def _note(self, whose: str, meter: Meter) -> None:
        of_link = {"link": whose} if whose in self.links else {}
        for t, what, data in meter():
            self.observe(whose, what, of_link | data, t)

    # --- faults

    def perform(self, operation: Operation) -> None:
        """Carry out one fault operation at once."""
        errands = Errands(self, {name: role.actor.role for name, role in self.roles.items()}, self._boot_as)
        own = {"start": errands.start, "call": errands.call}.get(operation.name)
        if own is not None:
            own(operation.args)
        else:
            perform(self, operation)

    def realised_by(self, operation: Operation) -> tuple[str, ...]:
        """By what an operation is carried out here."""
        return realised_by(operation, routed=self.routed is not None)

    def _boot_as(self, name: str, version: str) -> None:
        self.roles[name].boot(version)  # the verb `start` tells it; this world runs one program for each role
