"""The scripted agent as a program that a host launches: ACP on its standard streams, the story by a socket of the harness.

Run as ``python -m harness.sut.agent_process SOCKET``. The journal goes to the harness by the same socket, so it is evidence of the operating
system's rank, whatever the host says. Deliberately absent: what the agent does (``agent``).
"""

import os
import sys
from typing import Any

import trio

from harness.sut.agent import ScriptedAgent
from harness.sut.lines import line, objects

WAITING_MAX = 100_000


async def main(path: str) -> None:
    """Serve the host and the story until either is gone."""
    control = await trio.open_unix_socket(path)
    journal, journalled = trio.open_memory_channel[bytes](WAITING_MAX)
    to_host, host_hears = trio.open_memory_channel[dict[str, Any]](WAITING_MAX)
    act, acts = trio.open_memory_channel[tuple[str, dict[str, Any]]](WAITING_MAX)
    from_host, inbox = trio.open_memory_channel[dict[str, Any]](WAITING_MAX)

    def note(what: str, **data: Any) -> None:
        journal.send_nowait(line({"what": what, "data": data}))

    async def read_story() -> None:
        async for message in objects(control):
            await act.send((message["act"], message["args"]))
        scope.cancel()

    async def write_journal() -> None:
        async for text in journalled:
            await control.send_all(text)

    async def read_host(stream: trio.abc.ReceiveStream) -> None:
        async for message in objects(stream):
            await from_host.send(message)
        from_host.close()

    async def write_host(stream: trio.abc.SendStream) -> None:
        async for message in host_hears:
            await stream.send_all(line(message))

    agent = ScriptedAgent(journal=note, outbox=to_host, acts=acts)
    with trio.CancelScope() as scope:
        async with (
            trio.lowlevel.FdStream(os.dup(0)) as stdin,
            trio.lowlevel.FdStream(os.dup(1)) as stdout,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(read_story)
            nursery.start_soon(write_journal)
            nursery.start_soon(read_host, stdin)
            nursery.start_soon(write_host, stdout)
            await agent.run(inbox)
            nursery.cancel_scope.cancel()


if __name__ == "__main__":
    trio.run(main, sys.argv[1])
