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

_ENDED = {"err": {"code": "network", "message": "the program has ended"}}

EVENTS_MAX = 1_000_000
"""Unsolicited events of one program: a hundred times our longest story."""


@dataclass
class ProcessDoor:
    """The harness's end of one program's standard streams.

    Attributes:
        stdin: where requests go.
        stdout: where replies and events come from.
        on_event: gets every unsolicited event.
        on_reply: is called whenever a call got its answer.

    Attributes:
        broken: how its output is not of the contract; empty while it is.
    """

    stdin: trio.abc.SendStream
    stdout: trio.abc.ReceiveStream
    on_event: Callable[[dict[str, Any]], None]
    on_reply: Callable[[], None]
    broken: str = ""
    _calls: dict[int, Call] = field(default_factory=dict)
    _events: int = 0
    _closed: bool = False

    def __post_init__(self) -> None:
        self._say, self._said = trio.open_memory_channel[bytes](1000)

    def put(self, call: Call) -> None:
        """Make a call; the reply appears on it. Never blocks."""
        if self._closed:
            call.answer(dict(_ENDED))
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
        self.hang_up()

    def hang_up(self) -> None:
        """The program is gone: whoever still waits for an answer learns that nobody knows."""
        self._closed = True
        for call in self._calls.values():
            call.answer(dict(_ENDED))
        self.on_reply()

    async def _write(self) -> None:
        try:
            async for text in self._said:
                await self.stdin.send_all(text)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return  # it reads no more; the end of its output will say why

    def _take(self, message: dict[str, Any]) -> None:
        if "ev" in message:
            self._events += 1
            if self._events > EVENTS_MAX:
                raise Garbage(f"more than {EVENTS_MAX} events")
            self.on_event(message)
            return
        number = message.get("id")
        call = self._calls.get(number) if isinstance(number, int) else None
        if call is not None:
            call.answer(message)
            self.on_reply()
