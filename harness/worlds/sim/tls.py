"""The tap: TLS objects of clients that hand over the plaintext they read and write.

``ssl.SSLContext.sslobject_class`` is the public hook, so unmodified clients are heard. Deliberately absent: decoding (``harness.sut``) and
servers; one end of a connection is enough.
"""

import ssl
from collections.abc import Callable
from typing import Any

import trio

type Tap = Callable[[str, int, str, bytes, float], None]
"""Takes plaintext: (machine, connection number, ``out`` or ``in``, bytes, true seconds)."""

_HANDSHAKES: dict[trio.lowlevel.Task, "RecordingSSLObject"] = {}


class RecordingSSLObject(ssl.SSLObject):
    """A TLS object that records plaintext; ``hear`` is set by the subclass made for each context.

    Its connection is the one that the task uses for the first bytes of the handshake.
    """

    hear: Callable[[int, str, bytes], None]
    connection = 0

    def do_handshake(self) -> None:
        """Shake hands; the first time, note which task does it."""
        if not self.connection:
            _HANDSHAKES[trio.lowlevel.current_task()] = self
        super().do_handshake()

    def read(self, len: int = 1024, buffer: Any = None) -> Any:  # noqa: A002  the base class's name
        """Read and record."""
        got = super().read(len, buffer) if buffer is not None else super().read(len)
        data = bytes(buffer[:got]) if buffer is not None else got
        if data:
            type(self).hear(self.connection, "in", data)
        return got

    def write(self, data: Any) -> int:
        """Write and record what was taken."""
        taken = super().write(data)
        if taken:
            type(self).hear(self.connection, "out", bytes(memoryview(data)[:taken]))
        return taken


def bind_connection(number: int) -> None:
    """The current task uses this connection: a handshake that it has just begun belongs to it."""
    if _HANDSHAKES:
        handshake = _HANDSHAKES.pop(trio.lowlevel.current_task(), None)
        if handshake is not None:
            handshake.connection = number


def attach_tap(context: ssl.SSLContext, machine: str, now: Callable[[], float], tap: Tap) -> None:
    """Have every connection of a client context recorded.

    Args:
        context: a client context of one machine.
        machine: its name.
        now: reads true seconds.
        tap: takes the plaintext.
    """

    def hear(connection: int, direction: str, data: bytes) -> None:
        tap(machine, connection, direction, data, now())

    context.sslobject_class = type("TappedSSLObject", (RecordingSSLObject,), {"hear": staticmethod(hear)})
