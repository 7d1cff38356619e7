"""The host's driver: the common loop, and the agent that it launches."""

from typing import Any, ClassVar

import segno
import trio

from reference.drive import Driver
from reference.protocol.client_io import Exit, Reply
from reference.protocol.host_io import AgentEnded, AgentSaid, LaunchAgent, ToAgent

WORDS_MAX = 100_000
"""Objects waiting for the agent to read them; an agent that stops reading for so long is broken."""


class HostDriver(Driver):
    """Runs a host machine; its agent lives and dies with it."""

    EFFECTS: ClassVar[dict[type, str]] = {**Driver.EFFECTS, LaunchAgent: "_launch_agent", ToAgent: "_to_agent"}

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._words, self._words_out = trio.open_memory_channel[dict[str, Any]](WORDS_MAX)

    def _to_agent(self, word: ToAgent) -> None:
        self._words.send_nowait(word.message)

    def _launch_agent(self, launch: LaunchAgent) -> None:
        self._nursery.start_soon(self._run_agent, launch.cwd)

    async def _run_agent(self, cwd: str) -> None:
        async with self.platform.launch_agent(cwd) as pipe, trio.open_nursery() as nursery:
            nursery.start_soon(self._write_agent, pipe)
            async for message in pipe:
                self.put(AgentSaid(message))
            nursery.cancel_scope.cancel()
        self.put(AgentEnded())

    async def _write_agent(self, pipe: Any) -> None:
        async for message in self._words_out:
            await pipe.send(message)

    def _reply(self, reply: Reply) -> None:
        super()._reply(reply)
        if reply.ok and reply.ok.get("qr"):
            for line in qr_lines(self.machine.screen()["url"]):
                self.platform.print(line)

    def _exit(self, over: Exit) -> None:
        super()._exit(over)
        self._words.close()


def qr_lines(url: str) -> list[str]:
    """A QR code as lines of block characters, two modules to a character's height."""
    matrix = [bytes(row) for row in segno.make(url, micro=False).matrix_iter(border=2)]
    if len(matrix) % 2:
        matrix.append(bytes(len(matrix[0])))
    return [
        "".join(" ▀▄█"[up + 2 * down] for up, down in zip(*pair, strict=True))
        for pair in zip(matrix[::2], matrix[1::2], strict=True)
    ]
