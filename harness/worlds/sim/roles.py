"""A role on its simulated machine: the program, its platform, its agent, and the journal of what the machine saw.

Deliberately absent: topology and faults (``world``), the protocol (``reference``).
"""

import json
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import outcome
import trio

from harness.history.plan import Actor
from harness.sut.agent import ScriptedAgent
from harness.sut.contract import Call
from harness.sut.inprocess import InProcess, Program
from harness.worlds.sim.disk import SimHome, SimStore
from harness.worlds.sim.machine import Machine
from harness.worlds.sim.simulation import Simulation
from reference.platform import AgentPipe, Platform
from reference.protocol.instant import Instant

type Record = Callable[..., object]
"""``record(kind, what, **data)`` for this actor."""


@dataclass
class _Pipe:
    """The host's end of its agent's standard streams; objects are copied as a pipe would copy bytes."""

    out: trio.MemorySendChannel[dict[str, Any]]
    incoming: trio.MemoryReceiveChannel[dict[str, Any]]

    async def send(self, message: dict[str, Any]) -> None:
        await self.out.send(json.loads(json.dumps(message)))

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        async for message in self.incoming:
            yield message


@dataclass
class Role:
    """One actor of the cast on its machine.

    Attributes:
        actor: who.
        sim: the world.
        machine: where.
        program: what runs.
        record: journals an event of this actor.
        disk: the machine's disk; outlives programs.
        environ: environment of the program.
        tls_name: DNS name in the server certificate; empty for who serves nobody.
    """

    actor: Actor
    sim: Simulation
    machine: Machine
    program: Program
    record: Record
    environ: dict[str, str] = field(default_factory=dict)
    tls_name: str = ""
    incarnation: int = 0
    _door: InProcess | None = None
    _acts: trio.MemorySendChannel[tuple[str, dict[str, Any]]] | None = None
    _alive: bool = False

    def __post_init__(self) -> None:
        self.disk = self.sim.disk(self.machine.name)

    @property
    def alive(self) -> bool:
        """Whether the program runs."""
        return self._alive

    def boot(self, version: str = "") -> None:
        """Start the program; ``version`` where it is another than usual."""
        assert not self._alive, self.actor.name
        self.incarnation += 1
        self._alive = True
        self._door = InProcess(self.program, self._platform, self.machine.inject, self._saw)
        self.record("os", "process.started", incarnation=self.incarnation, **({"version": version} if version else {}))
        self.machine.boot(self._door.run, on_exit=self._exited)

    def killed(self, how: str) -> None:
        """The world ended the program without notice; ``how``: process or power."""
        if self._alive:
            self._end(None, "power" if how == "power" else "killed")

    def call(self, verb: str, args: dict[str, Any]) -> Call:
        """Call a SUT verb on the running program."""
        assert self._door is not None
        return self._door.call(verb, args)

    def act(self, act: str, args: dict[str, Any]) -> None:
        """Tell the scripted agent to do something, on the machine's own time."""

        def hand_over() -> None:
            if self._acts is not None:
                self._acts.send_nowait((act, args))

        self.machine.inject(hand_over)

    @asynccontextmanager
    async def launch_agent(self, _cwd: str) -> AsyncIterator[AgentPipe]:
        """Start the scripted agent beside the host program, as a child process would be."""
        to_agent, agent_in = trio.open_memory_channel[dict[str, Any]](10_000)
        to_host, host_in = trio.open_memory_channel[dict[str, Any]](10_000)
        acts, agent_acts = trio.open_memory_channel[tuple[str, dict[str, Any]]](10_000)
        agent = ScriptedAgent(journal=self._journal, outbox=to_host, acts=agent_acts)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(agent.run, agent_in)
            self._acts = acts
            try:
                yield _Pipe(to_agent, host_in)
            finally:
                self._acts = None
                nursery.cancel_scope.cancel()

    def _journal(self, what: str, **data: Any) -> None:
        self.record("os", what, **data)

    def _saw(self, event: dict[str, Any]) -> None:
        data = dict(event)
        self.record("saw", data.pop("ev"), **data)

    def _exited(self, result: outcome.Outcome[Any]) -> None:
        """The program ended by itself; an exception in it is a crash, as a traceback and exit code 1 would be."""
        if not self._alive:
            return
        if isinstance(result, outcome.Error):
            self._end(1, f"crashed: {_cause(result.error)}")
        else:
            self._end(result.unwrap() or 0, "ended")

    def _end(self, code: int | None, reason: str) -> None:
        self._alive = False
        self._acts = None
        assert self._door is not None
        self._door.hang_up()
        self.record("os", "process.exited", code=code, reason=reason)

    def _platform(self) -> Platform:
        name = self.machine.name
        return Platform(
            instant=self._instant,
            entropy=self.machine.entropy,
            environ=self.environ,
            client_tls=lambda: self.sim.client_context(name),
            server_tls=lambda: self.sim.server_context(name, self.tls_name),
            home=SimHome(self.disk),
            open_store=lambda: SimStore(self.disk),
            launch_agent=self.launch_agent,
            print=lambda _line: None,
        )

    def _instant(self) -> Instant:
        clocks = self.machine.clocks
        return Instant(clocks.monotonic(), clocks.boottime(), clocks.realtime())


def _cause(error: BaseException) -> str:
    """The first real exception of a crash and where it was raised: what a traceback would end with."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    at = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({Path(at.filename).name}:{at.lineno} in {at.name})"
