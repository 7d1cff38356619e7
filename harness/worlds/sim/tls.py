"""The tap: TLS objects of clients that hand over the plaintext they read and write.

``ssl.SSLContext.sslobject_class`` is the public hook, so unmodified clients are heard. Servers are not: one end of a connection is enough;
of them it is told which certificate they showed. Deliberately absent: decoding (``harness.sut``).
"""

import ssl
from collections.abc import Callable, Iterable
from typing import Any

import trio

type Tap = Callable[[str, int, str, bytes, float], None]
"""Takes plaintext: (machine, connection number, ``out`` or ``in``, bytes, true seconds)."""

_HANDSHAKES: dict[trio.lowlevel.Task, "RecordingSSLObject | ServingSSLObject"] = {}


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


class ServingSSLObject(ssl.SSLObject):
    """A server's TLS object; it knows which connection it belongs to and records nothing."""

    connection = 0

    def do_handshake(self) -> None:
        """Shake hands; the first time, note which task does it."""
        if not self.connection:
            _HANDSHAKES[trio.lowlevel.current_task()] = self
        super().do_handshake()


def attach_certificate(
    context: ssl.SSLContext, current: Callable[[], ssl.SSLContext | None], shown: Callable[[int], None]
) -> None:
    """Have a server context show the certificate of the moment, as a server does that reloads its files.

    Args:
        context: the server's context.
        current: makes a context with another certificate, or None if the context's own is right.
        shown: told the connection number of each handshake.
    """

    def choose(tls: ssl.SSLObject | ssl.SSLSocket, _name: str | None, _context: ssl.SSLContext) -> None:
        assert isinstance(tls, ServingSSLObject)
        other = current()
        if other is not None:
            tls.context = other
        shown(tls.connection)

    context.sslobject_class = ServingSSLObject
    context.sni_callback = choose


def detach(contexts: Iterable[ssl.SSLContext]) -> None:
    """Take back what was attached: a connection holds its context where the collector cannot see it, so nothing of a world would ever go."""
    for context in contexts:
        context.sslobject_class = ssl.SSLObject
        if context.protocol is ssl.PROTOCOL_TLS_SERVER:
            context.sni_callback = None
    _HANDSHAKES.clear()
