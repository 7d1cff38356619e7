"""A role as a process: its program behind the door of docs/spec/sut.md, its machine's clocks, its files, its scripted agent.

Deliberately absent: links and faults (``operations``), the story (``director``).
"""

import math
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trio

from harness.base.errors import WorldError
from harness.history.plan import Actor
from harness.history.redact import redact
from harness.sut.contract import Call
from harness.sut.lines import Garbage, line, objects
from harness.sut.process import ProcessDoor
from harness.worlds.pace import SETUP_DEADLINE_S
from harness.worlds.wire.children import GRACE_S, Child, Children
from harness.worlds.wire.clock_probe import VERB as CLOCK
from harness.worlds.wire.observers import Observer
from harness.worlds.wire.warp import MachineClocks

DRAIN_S = 1.0
"""True seconds in which what a program wrote last is read, if somebody whom it left goes on writing; and in which one that has closed its output
gets to end."""

STARTING_S = SETUP_DEADLINE_S
"""True seconds at most in which the world goes at its true rate for a program that starts: what it may take, it may take in truth."""

LEAVING_S = 10.0
"""The same for one that said that it is about to end: it takes 0.1 to 0.5, which look like half a minute at x60."""

type Record = Callable[..., object]


@dataclass
class Role:
    """One actor of the cast.

    Attributes:
        actor: who.
        command: program and arguments.
        environ: of the program.
        children: who starts processes.
        nursery: where its tasks run.
        record: journals an event of this actor.
        changed: is called when something happened that a waiting story may wait for.
        clocks: of its machine.
        observer: what the operating system shows of it.
        slept_since: world seconds at which its machine fell asleep; None while it is awake.
        frozen_since: world seconds at which its program was stopped.
    """

    actor: Actor
    command: Sequence[str]
    environ: dict[str, str]
    children: Children
    nursery: trio.Nursery
    record: Record
    changed: Callable[[], None]
    clocks: MachineClocks
    observer: Observer
    incarnation: int = 0
    slept_since: float | None = None
    frozen_since: float | None = None
    _child: Child | None = None
    _door: ProcessDoor | None = None
    _agent: "AgentLine | None" = None
    _killed: str = ""
    _opening: list[Call] = field(default_factory=list)
    _booted_at: float = 0.0
    _left_at: float = -math.inf
    _early: list[Call] = field(default_factory=list)
    _gone: trio.Event = field(default_factory=trio.Event)
    alive: bool = False

    def boot(self, version: str = "") -> None:
        """Start the program, as a version if it is another than usual; calls made before it runs are handed over when it does."""
        assert not self.alive, self.actor.name
        self.incarnation += 1
        self.alive, self._killed, self._door, self._gone = True, "", None, trio.Event()
        self._booted_at, self._left_at = time.monotonic(), -math.inf
        self._opening.clear()
        self.record("os", "process.started", incarnation=self.incarnation, **({"version": version} if version else {}))
        self.nursery.start_soon(self._live)

    async def _live(self) -> None:
        name = self.actor.name
        child = await self.children.start(name, self.command, self.environ, talks=True)
        assert child.process.stdin is not None
        assert child.process.stdout is not None
        self._child = child
        self.observer.begin(child)
        self._door = ProcessDoor(child.process.stdin, child.process.stdout, self._saw, self._replied)
        for call in self._early:
            self._door.put(call)
        self._early.clear()
        await self._hear(child, self._door)
        if self._door.broken:
            self.record("os", "process.broke_contract", why=self._door.broken)
        await self._bury(child)

    async def _hear(self, child: Child, door: ProcessDoor) -> None:
        """Carry words until both the program and its output have ended; somebody whom it left may hold its output open."""
        async with trio.open_nursery() as nursery:

            async def outlast() -> None:
                await child.process.wait()
                with trio.move_on_after(DRAIN_S):
                    while child.unread():
                        await trio.lowlevel.checkpoint()
                nursery.cancel_scope.cancel()

            async def not_flood() -> None:
                door.broken = await child.overfull()
                nursery.cancel_scope.cancel()

            nursery.start_soon(outlast)
            nursery.start_soon(not_flood)
            await door.run()
            nursery.cancel_scope.deadline = trio.current_time() + (0.0 if door.broken else DRAIN_S)
        door.hang_up(self._epitaph(child, door))

    def _epitaph(self, child: Child, door: ProcessDoor) -> str:
        """How a program went. Its own last words are quoted only of one that was told no secret yet."""
        code = child.process.returncode
        how = door.broken or (
            "it closed its standard output" if code is None else f"the program ended with code {code}"
        )
        told = any(call.verb == "start" for call in self._opening)
        words = "" if told or self._killed else redact(child.last_words())
        return f"{how}: {words}" if words else how

    def _replied(self, call: Call | None) -> None:
        if call is None or call.verb != CLOCK:  # the world need not go calmly because a clock was read
            self.changed()

    async def _bury(self, child: Child) -> None:
        """The program has nothing more to say: tell how it ended, and whom it left."""
        gone = self._gone
        child.signal(signal.SIGCONT)
        await child.ask()
        left_itself = child.process.returncode is not None and not self._killed
        heirs = self.observer.heirs(child) if left_itself else []
        code = await self.children.reap(child) if not left_itself else child.process.returncode
        assert code is not None
        self.alive = False
        reason = self._killed or ("ended" if code >= 0 else "killed")
        self.record("os", "process.exited", code=None if self._killed or code < 0 else code, reason=reason)
        self.changed()
        if left_itself:
            await self.observer.outlived(heirs)
            await self.children.reap(child)
        self.observer.end()
        gone.set()

    async def dismiss(self) -> None:
        """Ask the program to leave as its owner does, by SIGTERM, and tell whether it did; of one that is gone, whom it left."""
        child = self._child
        if child is None:
            return
        if self.alive:
            await self._ask(child)
        if not self.alive or child.process.returncode is not None:
            await self._gone.wait()

    async def _ask(self, child: Child) -> None:
        child.signal(signal.SIGCONT)
        began_at = trio.current_time()
        await child.ask()
        code, took_s = child.process.returncode, trio.current_time() - began_at
        self.observer.note(
            "process.asked", signal="TERM", left=code is not None, code=code, took_s=round(took_s, 3), grace_s=GRACE_S
        )

    @property
    def is_listening(self) -> bool:
        """Whether its program runs, is not stopped, and has said hello, or that it started where a fault had it start again."""
        greeted = any(call.result is not None for call in self._opening)
        is_gone = self._door is not None and self._door.has_hung_up
        return self.alive and greeted and not is_gone and self.slept_since is None and self.frozen_since is None

    @property
    def is_starting(self) -> bool:
        """Whether its program has just been started and has not answered yet."""
        is_young = self.alive and time.monotonic() < self._booted_at + STARTING_S
        return is_young and not all(call.done for call in self._opening)

    @property
    def is_leaving(self) -> bool:
        """Whether its program said a moment ago that it is about to end, and still runs."""
        return self.alive and time.monotonic() < self._left_at + LEAVING_S

    @property
    def needs_true_time(self) -> bool:
        """Whether its program does what takes true time, whatever the world's clock says: it starts, or it ends."""
        return self.is_starting or self.is_leaving

    def call(self, verb: str, args: dict[str, Any]) -> Call:
        """Call a SUT verb on the program; while it is being started the call waits."""
        call = Call(verb, args)
        if verb in ("hello", "start"):
            self._opening.append(call)
        if self._door is None:
            self._early.append(call)
        else:
            self._door.put(call)
        return call

    def signal(self, number: int) -> None:
        """Send the program's group a signal."""
        if self._child is not None and self.alive:
            self._child.signal(number)

    def kill(self, how: str) -> None:
        """End the program without notice."""
        self._killed = "power" if how == "power" else "killed"
        self.signal(signal.SIGKILL)

    def _saw(self, event: dict[str, Any]) -> None:
        data = dict(event)
        what = str(data.pop("ev"))
        # Once: a program that only says so holds nobody up for ever.
        if what == "exiting" and math.isinf(self._left_at):
            self._left_at = time.monotonic()
        self.record("saw", what, **data)
        self.changed()

    def act(self, act: str, args: dict[str, Any]) -> None:
        """Tell the scripted agent to do something."""
        assert self._agent is not None
        self._agent.tell({"act": act, "args": args})

    async def listen_to_agent(self, path: Path) -> None:
        """Serve the socket over which this host's agents are told what to do, and journal what they say.

        Raises:
            WorldError: it cannot be had, mostly because unix(7) bounds a path by 107 bytes.
        """
        self._agent = AgentLine(self.record, self.changed)
        sock = trio.socket.socket(trio.socket.AF_UNIX, trio.socket.SOCK_STREAM)
        try:
            await sock.bind(str(path))
        except OSError as error:
            sock.close()
            raise WorldError(f"no socket can be at {path} ({error}): set TMPDIR to a shorter folder") from error
        sock.listen(16)
        self.nursery.start_soon(self._agent.serve, trio.SocketListener(sock))


@dataclass
class AgentLine:
    """The harness's end of the socket of a host's scripted agent; the newest agent is the one that is told."""

    record: Record
    changed: Callable[[], None]
    _say: trio.MemorySendChannel[bytes] | None = None
    _waiting: list[bytes] = field(default_factory=list)

    def tell(self, message: dict[str, Any]) -> None:
        """Tell the agent; what it cannot hear yet waits for it."""
        text = line(message)
        if self._say is None:
            self._waiting.append(text)
        else:
            self._say.send_nowait(text)

    async def serve(self, listener: trio.SocketListener) -> None:
        """Accept agents until cancelled."""
        async with listener, trio.open_nursery() as nursery:
            while True:
                nursery.start_soon(self._attend, await listener.accept())

    async def _attend(self, stream: trio.SocketStream) -> None:
        say, said = trio.open_memory_channel[bytes](100_000)
        for text in self._waiting:
            say.send_nowait(text)
        self._waiting.clear()
        self._say = say
        async with stream, trio.open_nursery() as nursery:
            nursery.start_soon(self._write, stream, said)
            try:
                async with aclosing(objects(stream)) as journal:
                    async for message in journal:
                        self.record("os", str(message["what"]), **message["data"])
                        self.changed()
            except (Garbage, KeyError, TypeError) as error:
                raise WorldError(f"the scripted agent's journal cannot be read: {error}") from error
            nursery.cancel_scope.cancel()
        if self._say is say:
            self._say = None

    async def _write(self, stream: trio.SocketStream, said: trio.MemoryReceiveChannel[bytes]) -> None:
        try:
            async for text in said:
                await stream.send_all(text)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return
