"""The door to a role that is a process: docs/spec/sut.md on its standard streams.

Deliberately absent: starting and stopping it (a world's business).
"""

from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import trio

from harness.sut.contract import Call
from harness.sut.lines import Garbage, line, objects

EVENTS_MAX = 100_000
"""What one program says without being asked: ten times our longest story."""


@dataclass
class ProcessDoor:
    """The harness's end of one program's standard streams.

    Attributes:
        stdin: where requests go.
        stdout: where replies and events come from.
        on_event: gets every unsolicited event.
        on_reply: is called whenever a call got its answer, with the call; and with None when there will be no more.
        broken: how its output is not of the contract; empty while it is.
    """

    stdin: trio.abc.SendStream
    stdout: trio.abc.ReceiveStream
    on_event: Callable[[dict[str, Any]], None]
    on_reply: Callable[[Call | None], None]
    broken: str = ""
    _calls: dict[int, Call] = field(default_factory=dict)
    _events: int = 0
    _over: str = ""

    def __post_init__(self) -> None:
        self._say, self._said = trio.open_memory_channel[bytes](1000)

    def put(self, call: Call) -> None:
        """Make a call; the reply appears on it. Never blocks."""
        if self._over:
            call.answer(_ended(self._over))
            return
        number = len(self._calls) + 1
        self._calls[number] = call
        try:
            self._say.send_nowait(line({"id": number, "verb": call.verb, "args": call.args}))
        except trio.WouldBlock:
            call.answer({"err": {"code": "deadline", "message": "the program does not read its standard input"}})

    async def run(self) -> None:
        """Carry requests and replies until the program's output ends, or is no longer of the contract (``broken`` says what it was)."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._write)
            try:
                async with aclosing(objects(self.stdout)) as messages:
                    async for message in messages:
                        self._take(message)
            except Garbage as error:
                self.broken = str(error)
            nursery.cancel_scope.cancel()

    @property
    def has_hung_up(self) -> bool:
        """Whether the program is gone, and every call has its answer."""
        return bool(self._over)

    def hang_up(self, why: str = "the program has ended") -> None:
        """The program is gone: whoever still waits for an answer learns that nobody knows, and why."""
        self._over = why
        for call in self._calls.values():
            call.answer(_ended(why))
        self.on_reply(None)

    async def _write(self) -> None:
        try:
            async for text in self._said:
                await self.stdin.send_all(text)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return  # it reads no more; the end of its output will say why

    def _take(self, message: dict[str, Any]) -> None:
        number = message.get("id")
        call = self._calls.get(number) if isinstance(number, int) and "ev" not in message else None
        if call is not None and not call.done:
            call.answer(message)
            self.on_reply(call)
            return
        self._events += 1
        if self._events > EVENTS_MAX:
            raise Garbage(f"more than {EVENTS_MAX} lines that nobody asked for, the last {str(message)[:80]}")
        if "ev" in message:
            self.on_event(message)


def _ended(why: str) -> dict[str, Any]:
    return {"err": {"code": "network", "message": why}}
