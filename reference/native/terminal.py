"""A person's terminal: lines that are typed and lines that are shown.

Each is a thread's work, for a terminal may be held (Ctrl-S), a reader may rest (``less``), and neither may stop a program or its heartbeats.
Deliberately absent: non-blocking streams; what one program sets on a terminal holds for all that share it.
"""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import suppress

import trio

from reference.native.stdio import UNREAD_MAX

STDIN, STDOUT, STDERR = 0, 1, 2

PIECE_BYTES = 65_536
"""Read at once."""


class Terminal:
    """What a program says to a person, in order, by one task that writes.

    Where nobody reads any more it is as if the terminal had closed: SIGHUP, once, and nothing is written afterwards. The same goes for who
    leaves ``UNREAD_MAX`` lines unread: they have forgotten this program.
    """

    def __init__(self) -> None:
        self._lines, self._unread = trio.open_memory_channel[tuple[int, str]](UNREAD_MAX)

    def prints(self, text: str, to: int = STDOUT) -> None:
        """Have a text shown; never waits.

        Args:
            text: of this program or of others; it can neither command the terminal nor pass for several lines.
            to: ``STDOUT`` or ``STDERR``.
        """
        try:
            with suppress(trio.BrokenResourceError, trio.ClosedResourceError):  # nobody reads any more
                self._lines.send_nowait((to, _safe(text) + "\n"))
        except trio.WouldBlock:
            self.close()
            signal.raise_signal(signal.SIGHUP)

    async def write(self) -> None:
        """Write what is printed, until ``close`` and all that came before it."""
        with self._unread:
            try:
                async for stream, text in self._unread:
                    await _write(stream, text.encode(errors="replace"))
            except OSError:
                signal.raise_signal(signal.SIGHUP)

    def close(self) -> None:
        """Print nothing more; what has been printed is still written."""
        self._lines.close()


async def _write(stream: int, data: bytes) -> None:
    """Write all; raises OSError where nobody can read it. A thread that hangs when it is abandoned keeps no process from ending."""
    while data:
        try:
            data = data[await trio.to_thread.run_sync(os.write, stream, data, abandon_on_cancel=True) :]
        except BlockingIOError:  # somebody who shares it made it so
            await trio.lowlevel.wait_writable(stream)


async def typed() -> AsyncIterator[str]:
    """Lines of standard input until it ends, or the terminal that it was is gone."""
    buffer = b""
    while piece := await _read():
        *lines, buffer = (buffer + piece).split(b"\n")
        for line in lines:
            yield line.decode(errors="replace")
    if buffer:
        yield buffer.decode(errors="replace")


async def _read() -> bytes:
    while True:
        try:
            return await trio.to_thread.run_sync(os.read, STDIN, PIECE_BYTES, abandon_on_cancel=True)
        except BlockingIOError:  # somebody who shares it made it so
            await trio.lowlevel.wait_readable(STDIN)
        except OSError:
            return b""


def _safe(text: str) -> str:
    """Text of others as lines that can neither command a terminal nor pass for lines of this program."""
    shown = "".join(one if one.isprintable() or one in "\n\t" else "\N{REPLACEMENT CHARACTER}" for one in text)
    return shown.replace("\n", "\n  ")
