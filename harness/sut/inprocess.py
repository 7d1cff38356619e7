"""The door to a role that runs in this process: the same JSON objects as docs/spec/sut.md, over memory instead of pipes.

The only module of the harness that opens the reference's door; everybody else sees verbs and events.
"""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import trio

import reference.device.shim
import reference.host.shim
import reference.relay.shim
from harness.sut.contract import Call
from reference.platform import Door, Platform

type Program = Callable[[Door, Platform], Awaitable[int | None]]
"""A role's main function: serves the door on a platform; returns its exit code when it ends."""

REFERENCE: dict[str, Program] = {
    "relay": reference.relay.shim.serve,
    "host": reference.host.shim.serve,
    "device": reference.device.shim.serve,
}
"""Role -> the reference's program. Mutants are other programs in the same table."""

_ENDED = {"err": {"code": "network", "message": "the program has ended"}}


@dataclass
class InProcess:
    """One incarnation of a role's program and the harness's end of its door.

    Attributes:
        program: what runs.
        platform: makes the machine's face, once the machine has booted.
        inject: runs a function inside the role's machine, where its channels may be touched.
        on_event: gets every unsolicited event.
    """

    program: Program
    platform: Callable[[], Platform]
    inject: Callable[[Callable[[], None]], None]
    on_event: Callable[[dict[str, Any]], None]
    _calls: dict[int, Call] = field(default_factory=dict)
    _requests: trio.MemorySendChannel[dict[str, Any]] | None = None
    _backlog: list[dict[str, Any]] = field(default_factory=list)
    _closed: bool = False

    async def run(self) -> int | None:
        """Run the program to its end; to be booted on the role's machine."""
        send, receive = trio.open_memory_channel[dict[str, Any]](1000)
        self._requests = send
        for request in self._backlog:
            send.send_nowait(request)
        self._backlog.clear()
        try:
            async with aclosing(_objects(receive)) as requests:  # a program may leave while more could be asked
                return await self.program(Door(requests=requests, send=self._receive), self.platform())
        finally:
            self.hang_up()

    def call(self, verb: str, args: dict[str, Any]) -> Call:
        """Call a verb; the reply appears on the returned call."""
        call = Call(verb, args)
        if self._closed:
            call.answer(dict(_ENDED))
            return call
        number = len(self._calls) + 1
        self._calls[number] = call
        request = json.loads(json.dumps({"id": number, "verb": verb, "args": args}))
        self.inject(lambda: self._request(request))
        return call

    def hang_up(self) -> None:
        """The program is gone: whoever still waits for an answer learns that nobody knows."""
        self._closed = True
        for call in self._calls.values():
            call.answer(dict(_ENDED))

    def _request(self, request: dict[str, Any]) -> None:
        if self._requests is None:
            self._backlog.append(request)
        elif not self._closed:
            self._requests.send_nowait(request)

    def _receive(self, message: dict[str, Any]) -> None:
        message = json.loads(json.dumps(message))
        if "ev" in message:
            self.on_event(message)
            return
        call = self._calls.get(message.get("id", -1))
        if call is not None:
            call.answer(message)


async def _objects(receive: trio.MemoryReceiveChannel[dict[str, Any]]) -> AsyncGenerator[dict[str, Any]]:
    async with receive:
        async for message in receive:
            yield message
