"""One end of a TCP connection, as an operating system keeps it: it outlives the socket that a program closed.

Deliberately absent: how bytes travel (``flow``) and what the way does to them (``link``).
"""

import errno
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.worlds.sim.flow import Flow
    from harness.worlds.sim.machine import Machine
    from harness.worlds.sim.tcp import Connection

type Address = tuple[str, int]


class Endpoint:
    """One end of a connection inside a machine's operating system.

    Attributes:
        machine: whose it is.
        local, peer: addresses.
        received: bytes that arrived and were not read yet.
        eof: the peer closed its direction and everything before was received.
        error: errno the application gets, once nothing is left to read.
        gone: no state is left: what arrives is answered by RST.
        detached: the application closed it; the operating system still delivers what was written.
        closed_by_peer: FIN came before the application closed.
        bytes_in, bytes_out: payload counted at this end.
        notify: wakes the application: readable or failed, and writable or failed.
    """

    __slots__ = (
        "_told",
        "bytes_in",
        "bytes_out",
        "closed_by_peer",
        "connection",
        "detached",
        "eof",
        "error",
        "gone",
        "local",
        "machine",
        "on_readable",
        "on_writable",
        "peer",
        "received",
        "tx",
    )

    def __init__(self, machine: "Machine", local: Address, peer: Address) -> None:
        self.machine, self.local, self.peer = machine, local, peer
        self.received = bytearray()
        self.eof = False
        self.error: int | None = None
        self.gone = False
        self.detached = False
        self.closed_by_peer = False
        self._told = False
        self.bytes_in = self.bytes_out = 0
        self.on_readable: Callable[[], None] = _nobody
        self.on_writable: Callable[[], None] = _nobody
        self.connection: Connection
        self.tx: Flow

    def fail(self, code: int) -> None:
        """The connection is over at this end; the application learns it at its next read or write."""
        if self.gone:
            return
        self.error = code
        self._over(code)
        self.on_readable()
        self.on_writable()

    def read(self, limit: int) -> bytes:
        """Take received bytes and open the window again."""
        data = bytes(self.received[:limit])
        del self.received[:limit]
        self.connection.other(self).tx.window_opened()
        return data

    def close(self) -> None:
        """The application lets go: FIN after what was written, or RST if it left bytes unread (RFC 2525 2.17)."""
        self.detached = True
        if self.gone:
            return
        if self.received:
            self.abort()
            return
        self._tell(None)
        self.tx.finish()
        self.connection.settle()

    def abort(self) -> None:
        """Drop the connection and say so with one RST."""
        self.fail(errno.ECONNRESET)
        self.tx.send_reset()

    def vanish(self) -> None:
        """Lose all state without a word: power is gone."""
        if not self.gone:
            self._over(None)

    def settle(self) -> None:
        """Both directions are through and the application let go."""
        if self.detached and not self.gone:
            self._over(None)

    def eof_came(self) -> None:
        """The peer closes its direction."""
        self.closed_by_peer = self.closed_by_peer or not self.tx.finished
        self.eof = True
        self.on_readable()

    def _over(self, code: int | None) -> None:
        self.gone = True
        self._tell(code)
        self.connection.over()

    def _tell(self, code: int | None) -> None:
        if not self._told:
            self._told = True
            self.connection.tell_closed(self, code)


def _nobody() -> None:
    """Nobody waits."""
