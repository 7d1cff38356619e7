"""The loop around a client machine: queued inputs first, else wait for the deadline, else tick; do every effect; repeat.

The same for host and device. One task waits, one more runs for each call and each stream under way. Deliberately absent: decisions.
"""

import math
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar

import trio

from reference.dial import Dialler, Unreached, read_all
from reference.platform import Platform
from reference.protocol.client import Client
from reference.protocol.client_io import (
    Answered,
    Call,
    CallFailed,
    DropStream,
    Exit,
    HangUp,
    OpenStream,
    Print,
    Reply,
    StreamBytes,
    StreamEnded,
    StreamOpened,
    StreamSent,
    Tell,
    Tick,
)

SOONEST_S = 0.0001
"""Shortest wait for a deadline: two clocks may differ in the last bit, and a wait of nothing would never end in virtual time."""


class Driver:
    """Runs one machine on one platform.

    Args:
        platform: the machine to run on.
        machine: decides.
        dialler: reaches the relay.
        send: hands replies and events to whoever drives the program.
    """

    EFFECTS: ClassVar[dict[type, str]] = {
        Call: "_call",
        OpenStream: "_open_stream",
        DropStream: "_drop_stream",
        HangUp: "_hang_up",
        Reply: "_reply",
        Tell: "_tell",
        Print: "_print",
        Exit: "_exit",
    }

    def __init__(
        self, platform: Platform, machine: Client, dialler: Dialler, send: Callable[[dict[str, Any]], None]
    ) -> None:
        self.platform = platform
        self.machine = machine
        self.dialler = dialler
        self.send = send
        self.exit: Exit | None = None
        self._inputs: deque[Any] = deque()
        self._waiter = trio.lowlevel.ParkingLot()
        self._under_way: dict[int, trio.CancelScope] = {}
        self._do: dict[type, Callable[[Any], None]] = {kind: getattr(self, name) for kind, name in self.EFFECTS.items()}

    # --- inputs

    def put(self, event: Any) -> None:
        """Queue an input; from any task of this run."""
        self._inputs.append(event)
        self._waiter.unpark()

    async def run(self) -> int:
        """Drive until the machine exits; returns its exit code."""
        try:
            async with trio.open_nursery() as self._nursery:
                while self.exit is None:
                    await self._take_inputs()
                    if self.exit is None:
                        self._feed(Tick())
                self._nursery.cancel_scope.cancel()
        finally:
            with trio.move_on_after(1.0, shield=True):
                await self.dialler.aclose()
        assert self.exit is not None
        return self.exit.code

    async def _take_inputs(self) -> None:
        """Feed inputs as they come until the deadline passes with none left, or the machine exits.

        One scope, whose deadline moves with the machine's: an input costs no scope of its own, and none is lost where both come together.
        """
        with trio.CancelScope() as scope:
            while self.exit is None:
                if self._inputs:
                    self._feed(self._inputs.popleft())
                    continue
                scope.deadline = self._deadline()
                await self._waiter.park()

    def _deadline(self) -> float:
        """When the machine is due, on trio's clock."""
        due_s = self.machine.next_deadline()
        if due_s is None:
            return math.inf
        return trio.current_time() + max(due_s - self.platform.instant().awake_s, SOONEST_S)

    def _feed(self, event: Any) -> None:
        for effect in self.machine.handle(event, self.platform.instant()):
            self._do[type(effect)](effect)

    # --- effects

    def _reply(self, reply: Reply) -> None:
        answer = {"ok": reply.ok} if reply.err is None else {"err": reply.err}
        self.send({"id": reply.ticket, **answer})

    def _tell(self, told: Tell) -> None:
        self.send({"ev": told.event, **told.data})

    def _print(self, line: Print) -> None:
        self.platform.print(line.line)

    def _exit(self, over: Exit) -> None:
        self.exit = over

    def _call(self, call: Call) -> None:
        scope = self._under_way[call.call] = trio.CancelScope(relative_deadline=call.timeout_s)
        self._nursery.start_soon(self._run_call, call, scope)

    def _open_stream(self, opening: OpenStream) -> None:
        scope = self._under_way[opening.stream] = trio.CancelScope()
        self._nursery.start_soon(self._run_stream, opening, scope)

    def _drop_stream(self, drop: DropStream) -> None:
        scope = self._under_way.pop(drop.stream, None)
        if scope is not None:
            scope.cancel()

    def _hang_up(self, _: HangUp) -> None:
        for scope in self._under_way.values():
            scope.cancel()
        self._under_way.clear()
        self.dialler.retire()

    # --- tasks

    async def _run_call(self, call: Call, scope: trio.CancelScope) -> None:
        result: Answered | CallFailed = CallFailed(call.call, "no answer in time")
        with scope:
            try:
                result = Answered(call.call, *await self.dialler.call(call))
            except Unreached as error:
                result = CallFailed(call.call, str(error))
        self._settled(call.call, result, failed=isinstance(result, CallFailed))

    async def _run_stream(self, opening: OpenStream, scope: trio.CancelScope) -> None:
        number, why = opening.stream, ""
        with scope:
            try:
                await self._read_stream(opening)
            except Unreached as error:
                why = str(error)
        self._settled(number, StreamEnded(number, why), failed=bool(why))

    async def _read_stream(self, opening: OpenStream) -> None:
        number = opening.stream
        async with self.dialler.stream(opening.path, opening.headers, lambda: self.put(StreamSent(number))) as response:
            body = b"" if response.status_code == 200 else await read_all(response)
            self.put(StreamOpened(number, response.status_code, dict(response.headers), body))
            if response.status_code == 200:
                async for data in response.aiter_raw():
                    self.put(StreamBytes(number, data))

    def _settled(self, number: int, result: Any, *, failed: bool) -> None:
        """Hand in a result, unless the machine has dropped the matter."""
        if failed:
            with suppress(ValueError):
                self.dialler.check_route()
        if self._under_way.pop(number, None) is not None:
            self.put(result)
