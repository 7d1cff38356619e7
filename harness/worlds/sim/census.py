"""The socket census: who dialled whom, who listens, what was tried on each link. Evidence of rank os, seen by the network, not by a program.

Attempts on links are added up for each link, direction and outcome until a second has passed or the link's rules change, because a
judgement needs to know what was tried *in* a window. Deliberately absent: payloads; those are the tap's (``tls``).
"""

import errno
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.worlds.sim.clocks import NS
from harness.worlds.sim.link import DIRECTIONS, Link

if TYPE_CHECKING:
    from harness.worlds.sim.kernel import Kernel
    from harness.worlds.sim.machine import Machine

type Observe = Callable[[str, str, dict[str, Any]], None]
"""Takes one observation: (actor, what, data), named as in docs/spec/history.md, kind ``os``."""


@dataclass(slots=True)
class _Attempts:
    first_ns: int
    last_ns: int
    segments: int = 0
    bytes: int = 0
    passed: int = 0


class Census:
    """Turns what happens to sockets into observations.

    Args:
        kernel: the world's time.
        observe: takes each observation at once.
    """

    def __init__(self, kernel: "Kernel", observe: Observe) -> None:
        self._kernel, self._observe = kernel, observe
        self._attempts: dict[tuple[str, int], _Attempts] = {}

    def dialled(
        self, machine: "Machine", number: int, to: str, address: tuple[str, int], via: str, *, allowed: bool
    ) -> None:
        """A connection was tried; counted even where a firewall stops it."""
        data = {"conn": number, "to": to, "address": address[0], "port": address[1], "via": via, "allowed": allowed}
        self._observe(machine.name, "socket.dialled", data)

    def closed(self, machine: "Machine", number: int, sent: int, received: int, error: int | None) -> None:
        """One end of a connection is over."""
        name = None if error is None else errno.errorcode.get(error, str(error))
        data = {"conn": number, "sent": sent, "received": received, "error": name}
        self._observe(machine.name, "socket.closed", data)

    def listening(self, machine: "Machine", address: str) -> None:
        """A machine accepts connections."""
        self._observe(machine.name, "socket.listening", {"address": address})

    def asked(self, machine: "Machine", name: str, answer: str) -> None:
        """A name was looked up."""
        self._observe(machine.name, "dns.asked", {"name": name, "answer": answer})

    def attempted(self, link: Link, direction: int, size: int, passed: bool) -> None:  # noqa: FBT001  the link's callback
        """A segment was given to a link."""
        now_ns = self._kernel.now_ns
        key = (link.name, direction)
        attempts = self._attempts.get(key)
        if attempts is not None and now_ns - attempts.first_ns >= NS:
            self._flush(key)
            attempts = None
        if attempts is None:
            attempts = self._attempts[key] = _Attempts(now_ns, now_ns)
        attempts.last_ns = now_ns
        attempts.segments += 1
        attempts.bytes += size
        attempts.passed += passed

    def flush(self, link_name: str | None = None) -> None:
        """Tell what was added up, of one link or of all: call it before a link's rules change and at the end."""
        for key in list(self._attempts):
            if link_name in (None, key[0]):
                self._flush(key)

    def _flush(self, key: tuple[str, int]) -> None:
        attempts = self._attempts.pop(key)
        data = {
            "link": key[0],
            "direction": DIRECTIONS[key[1]],
            "attempted": attempts.segments,
            "bytes": attempts.bytes,
            "passed": attempts.passed,
            "first_s": attempts.first_ns / NS,
            "last_s": attempts.last_ns / NS,
        }
        self._observe(key[0], "socket.attempted", data)
