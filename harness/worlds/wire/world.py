"""The wire world: a plan in, a history out, by real processes over TLS on this machine.

Every role is a process behind docs/spec/sut.md; each link is a toxiproxy-server; clocks are hurried by ``warp``. Deliberately absent: the story's
meaning (``director``), judgement, and files that outlive the run.
"""

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

import trio

from harness.base.errors import HarnessError
from harness.faults.model import Operation
from harness.history.events import Event, Footer, History, Kind
from harness.history.plan import Actor, Plan
from harness.sut.contract import Call
from harness.sut.tap import decode
from harness.worlds.director import Director
from harness.worlds.errands import Errands
from harness.worlds.pki import Authority
from harness.worlds.stage import NEVER, Until
from harness.worlds.wire import tap, toxiproxy
from harness.worlds.wire.able import lacks
from harness.worlds.wire.children import Children
from harness.worlds.wire.counters import Counters
from harness.worlds.wire.haste import Haste
from harness.worlds.wire.operations import perform
from harness.worlds.wire.ports import free_port
from harness.worlds.wire.roles import Role
from harness.worlds.wire.tap import delivered
from harness.worlds.wire.toxiproxy import LinkProxy
from harness.worlds.wire.warp import WorldClock, shim

RELAY_NAME = "localhost"

PUBLIC_TEXTS_MAX = 5
"""So many of the texts that were said aloud are looked for as the scanner's positive control."""

SAMPLE_S = 0.2
"""True seconds between two readings of the counters of a blocked link; a reading takes 5 ms."""

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
        self.clock = WorldClock()
        self.children = children
        self._nursery, self._programs = nursery, programs
        self._haste = Haste()
        self._changed = trio.Event()
        self._credentials: dict[str, str] = {}
        self._relay_port = free_port()
        self._watched: dict[str, Counters] = {}
        self._stirred_at = 0.0
        self._over = False
        self.roles: dict[str, Role] = {}

    # --- setting the stage

    async def play(self) -> History:
        """Walk the story and return what happened."""
        began = time.perf_counter()
        await self._set()
        for name in self.roles:
            if self.plan.given.get(name, {}).get("starts") != "later":
                self.boot(name)
        for until in Director(self.plan, self).directions():
            await self._let_pass(until)
        simulated_s = self.now
        self._strike()
        events = self._in_order()
        slept_s = sum(event.data["slept_s"] for event in events if event.what == "machine.resumed")
        footer = Footer(simulated_s, max(simulated_s - slept_s, 0.0), time.perf_counter() - began, "", 0)
        return History(self.plan, events, footer)

    async def _set(self) -> None:
        authority = Authority(self.plan.seed, "public")
        (self.children.folder / "ca.pem").write_bytes(authority.certificate_pem)
        (self.children.folder / "relay.pem").write_bytes(authority.leaf_pem(RELAY_NAME))
        for actor in self.plan.cast:
            self.roles[actor.name] = await self._role(actor)
        clients = [actor.name for actor in self.plan.cast if actor.role != "relay"]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._start_tap, clients)
            for name in clients:
                nursery.start_soon(self._start_link, name)
        for name in clients:
            self.links[f"{name}-relay"].lay(self.tap.listens[name])

    async def _start_tap(self, clients: list[str]) -> None:
        self.tap = await tap.start(self.children, self._nursery, clients, self._relay_port, self.clock.of)

    async def _start_link(self, name: str) -> None:
        self.links[f"{name}-relay"] = await toxiproxy.start(self.children, name)

    def _in_order(self) -> tuple[Event, ...]:
        """Events and what the tap heard, by time; of equals the first recorded stands first."""
        said = [event.data["text"] for event in self.events if event.what == "agent.said"]
        heard = decode(delivered(self.tap.chunks, self.tap.holds), {"public": said[:PUBLIC_TEXTS_MAX]})
        wire = [Event(0, round(one.t, 9), one.actor, "wire", one.what, one.data) for one in heard]
        merged = sorted([*self.events, *wire], key=lambda event: event.t)
        return tuple(Event(n, one.t, one.actor, one.kind, one.what, one.data) for n, one in enumerate(merged))

    async def _role(self, actor: Actor) -> Role:
        folder, name = self.children.folder, actor.name
        page = folder / f"{name}.page"
        clocks = self.clock.machine(name, page)
        socket = folder / f"{name}.agent"
        words = {
            "ca_file": str(folder / "ca.pem"),
            "cert_file": str(folder / "relay.pem"),
            "state_dir": str(folder / f"{name}.state"),
            "agent_cmd": f"{sys.executable} -m harness.sut.agent_process {socket}",
        }
        template = self._programs.get(name) or self._programs[actor.role]
        environ = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(folder),
            "LD_PRELOAD": str(shim()),
            "WARP_PAGE": str(page),
        }
        role = Role(
            actor=actor,
            command=[word.format(**words) for word in template],
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

    def _strike(self) -> None:
        """The run is over: what happens from here on is not of it."""
        self._over = True
        self.tap.end()
        self.clock.close()

    # --- time

    async def _let_pass(self, until: Until) -> None:
        began_at, awaited = self.now, until.holds is not NEVER
        while not until.holds() and self.now < until.at:
            left_s, quiet_s = until.at - self.now, self.now - max(began_at, self._stirred_at)
            rate, holds_s = self._haste.rate(quiet_s, left_s, awaited=awaited)
            if any(role.is_starting for role in self.roles.values()):
                rate, holds_s = 1.0, 1.0
            self.clock.turn(rate)
            true_s = self.clock.true_s_until(min(until.at, self.now + holds_s))
            self._changed = trio.Event()
            with trio.move_on_after(max(true_s, 0.0005)):
                await self._changed.wait()

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
        given = self.plan.given.get(actor, {})
        role = self.roles[actor].actor.role
        common = {"contract": asdict(self.plan.contract)} | (
            {"version": given["version"]} if "version" in given else {}
        )
        if role == "relay":
            return common | {"name": RELAY_NAME, "port": self._relay_port}
        url = {"relay_url": f"https://{RELAY_NAME}:{self.links[f'{actor}-relay'].listens}"}
        credential = {"credential": self._credentials[actor]}
        if role == "device":
            return (
                common | url | credential | {"device": actor, "renew": given.get("token", {}).get("renews") != "never"}
            )
        return common | url | credential | self._host_args(actor, given)

    def _host_args(self, actor: str, given: dict[str, Any]) -> dict[str, Any]:
        return {
            "instance": given.get("instance", actor),
            "title": given.get("title", f"work on {actor}"),
            "cwd": str(self.children.folder),
            "mode": "promote" if given.get("history") else "fresh",
            "history": [{"role": "agent", "text": text} for text in given.get("history", [])],
            "permissions": given.get("permissions", "ask"),
        }

    def link_of(self, machine: str) -> LinkProxy:
        """The link of a client's machine to the relay."""
        return self.links[f"{machine}-relay"]

    # --- what crosses a link in trouble

    def watch(self, link: str, *, on: bool = True) -> None:
        """Begin or end to count what is given to a link and what passes."""
        if on:
            counters = self._watched[link] = Counters(
                self.links[link].listens, self.tap.listens[link.partition("-")[0]]
            )
            counters.read()
            self._nursery.start_soon(self._count, link, counters)
        elif link in self._watched:
            self._note(link, self._watched.pop(link))

    async def _count(self, link: str, counters: Counters) -> None:
        await trio.sleep(SAMPLE_S)
        while self._watched.get(link) is counters:
            self._note(link, counters)
            await trio.sleep(SAMPLE_S)

    def _note(self, link: str, counters: Counters) -> None:
        for direction, (given, passed) in counters.read().items():
            if given or passed:
                told = {"link": link, "direction": direction, "bytes": given, "passed": passed}
                self.record(link, "os", "socket.attempted", **told)

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
        self.roles[name].boot(version)  # the verb `start` tells it; this world runs one program for each role
