"""The session's agent as a child process that speaks the Agent Client Protocol on its standard streams.

It lives and dies with the host. Deliberately absent: what is said.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from subprocess import PIPE
from typing import Any

import trio

from reference.native.lines import line, objects

GRACE_S = 2.0
"""What an agent gets to end by itself, as Docker gives ten and a terminal that closes none."""


@dataclass
class ProcessPipe:
    """Implements ``reference.platform.AgentPipe``."""

    process: trio.Process
    complain: Callable[[str], None]

    async def send(self, message: dict[str, Any]) -> None:
        """Write one object; to an agent that is gone it goes nowhere, and the end of its output says so."""
        assert self.process.stdin is not None
        try:
            await self.process.stdin.send_all(line(message))
        except trio.BrokenResourceError:
            return

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        """Objects that the agent writes, until it ends or writes what no agent writes."""
        assert self.process.stdout is not None
        try:
            async with aclosing(objects(self.process.stdout, self._refuse)) as messages:
                async for message in messages:
                    yield message
        except ValueError as error:
            self.complain(f"agent: {error}")

    def _refuse(self, why: str) -> None:
        self.complain(f"agent: a line is {why}")


class NoAgent:
    """The pipe of an agent that could not be started: it has ended."""

    async def send(self, _message: dict[str, Any]) -> None:
        """Go nowhere."""

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        """Nothing."""
        nothing: list[dict[str, Any]] = []
        for message in nothing:
            yield message


@asynccontextmanager
async def launched(
    command: Sequence[str],
    cwd: str,
    environ: Mapping[str, str],
    complain: Callable[[str], None],
    *,
    apart: bool = False,
    umask: int = -1,
) -> AsyncIterator[ProcessPipe | NoAgent]:
    """Run an agent for as long as the block lasts.

    Args:
        command: program and arguments.
        cwd: where it works.
        environ: its environment.
        complain: is told what is wrong with it.
        apart: whether signals of the terminal pass it by; the end of its input always tells it.
        umask: permissions that its files do not get; -1 = as this program's.
    """
    group = 0 if apart else None
    try:
        process = await trio.lowlevel.open_process(
            list(command), stdin=PIPE, stdout=PIPE, cwd=cwd, env=dict(environ), process_group=group, umask=umask
        )
    except OSError as error:
        complain(f"agent: cannot start {command[0]!r} in {cwd}: {error.strerror}")
        yield NoAgent()
        return
    try:
        yield ProcessPipe(process, complain)
    finally:
        with trio.CancelScope(shield=True):
            await _end(process)


async def _end(process: trio.Process) -> None:
    """Close its input, which is how an agent learns that its host is gone; then insist."""
    assert process.stdin is not None
    assert process.stdout is not None
    await process.stdin.aclose()
    with trio.move_on_after(GRACE_S):
        await process.wait()
    if process.returncode is None:
        process.kill()
        await process.wait()
    await process.stdout.aclose()
