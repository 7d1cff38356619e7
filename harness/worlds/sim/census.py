"""The socket census: who dialled whom, who listens, how connections ended. Evidence of rank os: the network saw it, not a program.

Deliberately absent: segments (``traffic``) and plaintext (``tls``).
"""

import errno
from typing import TYPE_CHECKING, Any

from harness.worlds.sim.traffic import Observe

if TYPE_CHECKING:
    from harness.worlds.sim.endpoint import Address
    from harness.worlds.sim.kernel import Kernel
    from harness.worlds.sim.machine import Machine

_ERRORS = {
    errno.ECONNRESET: "reset",
    errno.ECONNREFUSED: "refused",
    errno.ETIMEDOUT: "timeout",
    errno.EHOSTUNREACH: "unreachable",
}

TLS_HANDSHAKE = b"\x16"
"""First byte of a connection that begins with TLS: the content type of its first record (RFC 8446 section 5.1). No text begins with it."""


class Census:
    """Turns what happens to sockets into observations.

    Args:
        kernel: the world's time.
        observe: takes each observation at once.
    """

    def __init__(self, kernel: "Kernel", observe: Observe) -> None:
        self._kernel, self._observe = kernel, observe

    def _note(self, machine: "Machine", what: str, **data: Any) -> None:
        self._observe(machine.name, what, data, self._kernel.now)

    def dialled(
        self, machine: "Machine", conn: int, link: str, to: str, address: "Address", *, via: str, allowed: bool
    ) -> None:
        """A connection was tried; told even where a firewall stops it."""
        self._note(
            machine,
            "socket.dialled",
            conn=conn,
            link=link,
            to=to,
            address=address[0],
            port=address[1],
            via=via,
            allowed=allowed,
        )

    def connected(self, machine: "Machine", conn: int, link: str) -> None:
        """A handshake ended well, as the dialling side saw it."""
        self._note(machine, "socket.connected", conn=conn, link=link)

    def spoke(self, machine: "Machine", conn: int, link: str, first: bytes) -> None:
        """The dialling side said its first bytes: is it TLS, or in clear?"""
        self._note(machine, "socket.spoke", conn=conn, link=link, tls=first[:1] == TLS_HANDSHAKE)

    def closed(
        self, machine: "Machine", conn: int, link: str, *, sent: int, received: int, code: int | None, by_peer: bool
    ) -> None:
        """One end of a connection is over for its application."""
        error = "fin" if by_peer and code is None else _ERRORS.get(code or 0)
        self._note(machine, "socket.closed", conn=conn, link=link, sent=sent, received=received, error=error)

    def listening(self, machine: "Machine", address: str) -> None:
        """A machine accepts connections."""
        self._note(machine, "socket.listening", address=address)

    def asked(self, machine: "Machine", name: str, answer: str) -> None:
        """A name was looked up."""
        self._note(machine, "dns.asked", name=name, answer=answer)
