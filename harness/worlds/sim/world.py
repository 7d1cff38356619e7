"""The simulated world: a plan in, a history out, in virtual time.

It sets the stage (machines, links, ways out, planted secrets), lets the director walk the story, and hands over what was seen. Deliberately
absent: the story's meaning (``director``), judgement, and files.
"""

import gc
import time
from collections.abc import Callable, Mapping
from functools import partial
from types import TracebackType
from typing import Any, Self

from harness.faults.model import Operation
from harness.history.events import BUDGET_SPENT, Event, Footer, History, Kind
from harness.history.plan import Actor, Plan
from harness.sut.contract import Call
from harness.sut.inprocess import REFERENCE, Program
from harness.sut.tap import Chunk, decode
from harness.worlds import start_args
from harness.worlds.director import Director
from harness.worlds.errands import Errands
from harness.worlds.secrets import plant
from harness.worlds.sim.disk import SYNC_S, SimHome
from harness.worlds.sim.kernel import Spent
from harness.worlds.sim.link import LinkPolicy
from harness.worlds.sim.machine import Machine
from harness.worlds.sim.probe import PROBE_S, probe
from harness.worlds.sim.roles import Role
from harness.worlds.sim.simulation import Simulation

RELAY_NAME = "relay.test"
RELAY_PORT = 443

ADDRESSES = {"relay": "203.0.113.{n}", "host": "10.0.{n}.2", "device": "198.51.100.{n}"}
"""By role; documentation ranges (RFC 5737) for what is public, RFC 1918 for what sits behind a router."""

RTT_S = 0.04
"""Round trip of every link unless the scenario gives another: a good home connection to a nearby region."""

PUBLIC_TEXTS_MAX = 5
"""So many of the texts that were said aloud are looked for as the scanner's positive control."""


RUN_S_MAX = 300.0
"""Real seconds for one run, as a last resort: our heaviest takes 3, and a run whose budget is spent about 60 on a busy machine. It stops only
what the budget cannot see: a program whose every turn takes longer than the one before."""


class SimWorld:
    """Runs plans in virtual time.

    Args:
        programs: role or actor -> program that stands in instead of the reference's.
    """

    def __init__(self, programs: Mapping[str, Program] | None = None) -> None:
        self._programs = {**REFERENCE, **(programs or {})}

    def run(self, plan: Plan) -> History:
        """Run a plan to its end.

        Raises:
            WorldError: this world cannot do what the plan asks, a program escaped from it, or the run takes too long.
        """
        began = time.perf_counter()
        collecting = gc.isenabled()
        gc.disable()  # finalisers are scheduling events: they must not fall where the allocator's mood wants them
        try:
            with SimStage(plan, self._programs, lambda: time.perf_counter() - began > RUN_S_MAX) as stage:
                return stage.play(began)
        finally:
            if collecting:
                gc.enable()


class SimStage:
    """One plan on stage: what ``harness.worlds.stage.Stage`` asks for."""

    def __init__(
        self, plan: Plan, programs: Mapping[str, Program], is_overdue: Callable[[], bool] = lambda: False
    ) -> None:
        self.plan = plan
        self.events: list[Event] = []
        self._chunks: list[Chunk] = []
        self._sim = Simulation(plan.seed, self._observe, tap=self._tap, is_overdue=is_overdue)
        self._credentials: dict[str, str] = {}
        self._canaries: dict[str, list[str]] = {}
        self._probed = ""
        self._roles = {actor.name: self._role(actor, number, programs) for number, actor in enumerate(plan.cast, 1)}
        self._sim.names[RELAY_NAME] = "relay"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._sim.close()

    # --- setting the stage

    def _role(self, actor: Actor, number: int, programs: Mapping[str, Program]) -> Role:
        machine = self._sim.machine(actor.name, ADDRESSES[actor.role].format(n=number))
        given = self.plan.given.get(actor.name, {})
        program = programs.get(actor.name) or programs[actor.role]
        role = Role(actor, self._sim, machine, program, partial(self.record, actor.name))
        if actor.role == "relay":
            role.tls_name = RELAY_NAME
            role.disk.sync_s = given.get("disk", {}).get("sync", SYNC_S)
        else:
            self._lay(actor.name, given.get("network", {}), role)
        clock = given.get("clock", {})
        machine.clocks.step(clock.get("offset", 0.0))
        machine.clocks.drift(clock.get("drift_ppm", 0.0))
        entropy = self._sim.kernel.rng("canaries", actor.name)
        for kind, values in plant(given.get("secrets_in", ()), entropy, SimHome(role.disk).write, role.environ).items():
            self._canaries.setdefault(kind, []).extend(values)
        return role

    def _lay(self, name: str, network: dict[str, Any], role: Role) -> None:
        """Lay the link to the relay, and put whatever is the only way out at its near end."""
        policy = LinkPolicy(
            latency_s=network.get("rtt", RTT_S) / 2,
            jitter_s=network.get("jitter", 0.0) / 2,
            bytes_per_s=network.get("rate"),
            loss=network.get("loss", 0.0),
        )
        self._sim.link(name, "relay", policy)
        if "only_way_out" in network:
            role.environ["HTTPS_PROXY"] = self._sim.only_way_out(name, network["only_way_out"]).proxy_url

    # --- the run

    def play(self, began: float) -> History:
        """Walk the story and return what happened; ``began`` is the real time at which the run did."""
        try:
            self._walk()
        except Spent as spent:
            self._cut_short(str(spent))
        simulated_s = self._sim.now
        awake_s = max(role.machine.awake_s for role in self._roles.values() if role.actor.role == "host")
        self._sim.close()
        events = self._in_order()
        wall_s = time.perf_counter() - began
        return History(
            self.plan, events, Footer(simulated_s, awake_s, wall_s, self._sim.trace_sha256, self._sim.segments)
        )

    def _walk(self) -> None:
        self._probe()
        for name in self._roles:
            if self.plan.given.get(name, {}).get("starts") != "later":
                self.boot(name)
        for until in Director(self.plan, self).directions():
            self._sim.run(until.at, until.holds)

    def _cut_short(self, why: str) -> None:
        """Something spins: the story ends here, and what was seen so far is for the judge."""
        begun = [event.data["step"] for event in self.events if event.kind == "story" and event.what == "step"]
        self.record("harness", "story", "failed", step=begun[-1] if begun else "setup", why=why, code=BUDGET_SPENT)

    def _probe(self) -> None:
        """Make the counters that must stay zero count once: every host's machine listens and dials directly for a moment, by our own hand."""
        for name, role in self._roles.items():
            if role.actor.role == "host":
                self._probed = name
                role.machine.boot(partial(probe, self._roles["relay"].machine.address, RELAY_PORT))
                self._sim.run(self._sim.now + PROBE_S + 1.0, partial(_is_done, role.machine))
                self._probed = ""

    def _in_order(self) -> tuple[Event, ...]:
        """Events and what the tap heard, by time; of equals the first recorded stands first."""
        said = [event.data["text"] for event in self.events if event.what == "agent.said"]
        heard = decode(self._chunks, self._canaries | {"public": said[:PUBLIC_TEXTS_MAX]})
        wire = [Event(0, round(one.t, 9), one.actor, "wire", one.what, one.data) for one in heard]
        merged = sorted([*self.events, *wire], key=lambda event: event.t)
        return tuple(Event(n, one.t, one.actor, one.kind, one.what, one.data) for n, one in enumerate(merged))

    def _observe(self, actor: str, what: str, data: dict[str, Any], t: float) -> None:
        probe = {"probe": True} if actor == self._probed else {}
        self.events.append(Event(len(self.events), round(t, 9), actor, "os", what, data | probe))

    def _tap(self, machine: str, conn: int, direction: str, data: bytes, t: float) -> None:
        self._chunks.append(Chunk(t, machine, conn, "out" if direction == "out" else "in", data))

    # --- Stage

    @property
    def now(self) -> float:
        """True seconds since the world began."""
        return self._sim.now

    @property
    def stood_s(self) -> float:
        """Virtual time goes only while somebody may act."""
        return 0.0

    def record(self, actor: str, kind: Kind, what: str, /, **data: Any) -> Event:
        """Append an event."""
        event = Event(len(self.events), round(self._sim.now, 9), actor, kind, what, data)
        self.events.append(event)
        return event

    def alive(self, actor: str) -> bool:
        """Whether the role's program runs."""
        return self._roles[actor].alive

    def boot(self, actor: str) -> None:
        """Start the role's program on its machine."""
        self._roles[actor].boot()

    def call(self, actor: str, verb: str, args: dict[str, Any]) -> Call:
        """Call a SUT verb on a role; records nothing."""
        return self._roles[actor].call(verb, args)

    def agent(self, actor: str, act: str, args: dict[str, Any]) -> None:
        """Tell the scripted agent of a host to act."""
        self._roles[actor].act(act, args)

    def keep_credential(self, actor: str, credential: str) -> None:
        """Remember an enrolment credential; it goes into ``start_args`` and nowhere else."""
        self._credentials[actor] = credential

    def start_args(self, actor: str) -> dict[str, Any]:
        """Arguments of the role's ``start`` verb."""
        role = self._roles[actor].actor
        if role.role == "relay":
            return start_args.of_relay(self.plan, role, RELAY_NAME, RELAY_PORT)
        url, cwd = f"https://{RELAY_NAME}", "/home/owner/project"  # of the simulated machine
        credential = self._credentials[actor]
        return start_args.of_client(self.plan, role, relay_url=url, credential=credential, cwd=cwd)

    # --- faults

    def perform(self, operation: Operation) -> None:
        """Carry out one fault operation at once."""
        # These concern programs and not only machines and links; the rest is the simulation's.
        errands = Errands(self, {name: role.actor.role for name, role in self._roles.items()}, self._boot_as)
        own = {"kill": self._kill, "start": errands.start, "call": errands.call}.get(operation.name)
        if own is not None:
            own(operation.args)
        else:
            self._sim.perform(operation)

    def realised_by(self, operation: Operation) -> tuple[str, ...]:
        """Whatever it is, the simulation does it."""
        del operation
        return ("sim",)

    def _kill(self, args: dict[str, Any]) -> None:
        self._sim.perform(Operation("kill", args))
        self._roles[args["machine"]].killed(args["how"])

    def _boot_as(self, name: str, version: str) -> None:
        self._roles[name].boot(version)


def _is_done(machine: Machine) -> bool:
    return not machine.alive
