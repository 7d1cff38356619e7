"""Name resolution of one machine: what it answers, how it fails, and a record of every question.

Deliberately absent: records other than A, and caches; what an operating system caches shows up as ``stale``.
"""

import socket as stdlib_socket
from typing import TYPE_CHECKING, Any, Literal

import trio

if TYPE_CHECKING:
    from harness.worlds.sim.machine import Machine
    from harness.worlds.sim.network import Network

ANSWER_S = 0.005
TIMEOUT_S = 10.0
"""resolv.conf(5): five seconds, two attempts."""

NOBODY = "192.0.2.1"
"""TEST-NET-1 (RFC 5737): what a stale record points to when the name never had another address."""

type ResolverFault = Literal["nxdomain", "timeout", "stale"]


class SimResolver(trio.abc.HostnameResolver):
    """The resolver of one machine.

    Attributes:
        fault: how it misbehaves, None if it does not.
        local: names that only this machine can resolve, e.g. its corporate proxy.
        closed: only ``local`` names resolve: direct DNS is refused.
        hijacked: every name resolves to this address (a captive portal does that).
    """

    def __init__(self, net: "Network", machine: "Machine") -> None:
        self._net, self._machine = net, machine
        self.fault: ResolverFault | None = None
        self.local: dict[str, str] = {}
        self.closed = False
        self.hijacked: str | None = None

    async def getaddrinfo(
        self,
        host: bytes | str | None,
        port: bytes | str | int | None,
        family: int = 0,
        type: int = 0,  # noqa: A002  trio's name
        proto: int = 0,
        flags: int = 0,
    ) -> list[tuple[Any, Any, int, str, Any]]:
        """Resolve a name.

        Raises:
            socket.gaierror: EAI_NONAME or, after ten seconds, EAI_AGAIN.
        """
        del family, proto, flags
        name = host.decode("ascii") if isinstance(host, bytes) else str(host)
        if self.fault == "timeout":
            self._net.asked(self._machine, name, "timeout")
            await trio.sleep(TIMEOUT_S)
            raise stdlib_socket.gaierror(stdlib_socket.EAI_AGAIN, "Temporary failure in name resolution")
        await trio.sleep(ANSWER_S)
        address = self._answer(name)
        if address is None:
            self._net.asked(self._machine, name, "nxdomain")
            raise stdlib_socket.gaierror(stdlib_socket.EAI_NONAME, "Name or service not known")
        self._net.asked(self._machine, name, "stale" if self.fault == "stale" else address)
        kind = stdlib_socket.SOCK_STREAM if type == 0 else type
        return [(stdlib_socket.AF_INET, kind, stdlib_socket.IPPROTO_TCP, "", (address, int(port or 0)))]

    def _answer(self, name: str) -> str | None:
        if name in self.local:
            return self.local[name]
        if self.closed or self.fault == "nxdomain":
            return None
        if self.hijacked is not None:
            return self.hijacked
        current = self._net.address_of(name)
        if self.fault == "stale" and current is not None:
            return self._net.former_address(name) or NOBODY
        return current

    async def getnameinfo(self, sockaddr: Any, flags: int) -> tuple[str, str]:
        """The numeric form: nobody here has reverse records."""
        del flags
        await trio.lowlevel.checkpoint()
        return str(sockaddr[0]), str(sockaddr[1])
