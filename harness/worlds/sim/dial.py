"""One attempt to connect: SYN, SYN again at 1, 3, 7, 15, 31 and 63 s, the answer, or ETIMEDOUT at 127 s (tcp_syn_retries = 6).

Deliberately absent: simultaneous open and SYN cookies.
"""

import errno
from collections.abc import Callable
from typing import TYPE_CHECKING

from harness.worlds.sim.clocks import NS
from harness.worlds.sim.endpoint import Address, Endpoint
from harness.worlds.sim.link import Passage
from harness.worlds.sim.tcp import Connection

if TYPE_CHECKING:
    from harness.worlds.sim.machine import Machine
    from harness.worlds.sim.network import Network

SYN_ATTEMPTS_MAX = 7


class Dial:
    """A connect under way.

    Attributes:
        number: of the connection it will be.
        outcome: the local end once established, an errno if it failed, None while under way.
    """

    def __init__(
        self, net: "Network", machine: "Machine", local: Address, to: Address, done: Callable[[], None]
    ) -> None:
        self._net, self._machine, self._local, self._to, self._done = net, machine, local, to, done
        self.number = net.next_connection()
        self.outcome: Endpoint | int | None = None
        self._abandoned = False
        self._attempt = 0
        self._target = net.owner_of(to[0])
        self._link = net.link_to(machine, self._target)
        self._verdict = net.admit(machine, self.number, self._link.name, to)

    def start(self) -> None:
        """Send the first SYN."""
        self._send()

    def give_up(self) -> None:
        """The application lost interest; a connection that comes anyway is reset."""
        self._abandoned = True
        if self.outcome is None:
            self._net.dial_failed(self._machine, self.number, self._link.name, errno.ECANCELED)
        elif isinstance(self.outcome, Endpoint):
            self.outcome.close()

    def _send(self) -> None:
        if self._abandoned or self.outcome is not None:
            return
        kernel = self._net.kernel
        if self._attempt >= SYN_ATTEMPTS_MAX:
            self._end(errno.ETIMEDOUT)
            return
        wait_ns = NS << self._attempt
        self._attempt += 1
        kernel.at_ns(kernel.now_ns + wait_ns, self._send)
        if not self._machine.reachable or self._verdict == "drop":
            return
        if self._verdict == "refuse":
            self._end(errno.ECONNREFUSED)
            return
        self._cross()

    def _cross(self) -> None:
        kernel, link = self._net.kernel, self._link
        up = self._net.direction(self._machine, self._target)
        fate = link.syn_fate(up, kernel.now_ns)
        if fate == "lost" or self._target is None:
            return
        arrival_ns = link.arrival_ns(up, 0, kernel.now_ns)
        if fate == "reset":
            kernel.at_ns(arrival_ns, lambda: self._end(errno.ECONNREFUSED))
        else:
            target = self._target
            kernel.at_ns(arrival_ns, lambda: self._arrive(target, up))

    def _arrive(self, target: "Machine", up: int) -> None:
        if not target.reachable or self.outcome is not None or self._abandoned:
            return
        kernel, link = self._net.kernel, self._link
        listener = self._net.listener(target, self._to)
        if link.fate(1 - up, 0, Passage(self.number, kernel.now_ns), kernel.now_ns) != "passes":
            return
        arrival_ns = link.arrival_ns(1 - up, 0, kernel.now_ns)
        if listener is None:
            kernel.at_ns(arrival_ns, lambda: self._end(errno.ECONNREFUSED))
            return
        near = Endpoint(self._machine, self._local, self._to)
        far = Endpoint(target, self._to, (self._net.seen_address(self._machine), self._local[1]))
        self._net.established(Connection(self._net, self.number, link, up, (near, far)))
        listener.offer(far)
        kernel.at_ns(arrival_ns, lambda: self._end(near))

    def _end(self, outcome: Endpoint | int) -> None:
        if self.outcome is not None:
            return
        if not self._machine.reachable:
            return
        self.outcome = outcome
        if isinstance(outcome, int):
            self._net.dial_failed(self._machine, self.number, self._link.name, outcome)
        elif self._abandoned:
            outcome.close()
        else:
            self._net.census.connected(self._machine, self.number, self._link.name)
        self._done()
