"""One attempt to connect: SYN, SYN again at 1, 3, 7, 15, 31 and 63 s, the answer, or ETIMEDOUT at 127 s (tcp_syn_retries = 6).

What keeps a link's segments back answers in the other side's place, which hears of the connection when the link lets go. Deliberately absent:
simultaneous open and SYN cookies.
"""

import errno
from collections.abc import Callable
from typing import TYPE_CHECKING

from harness.worlds.sim.clocks import NS
from harness.worlds.sim.endpoint import Address, Endpoint
from harness.worlds.sim.link import Came, Passage
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
            kernel.at_ns(arrival_ns, lambda: self._arrive(target, up, held=fate == "held"))

    def _arrive(self, target: "Machine", up: int, *, held: bool) -> None:
        if self.outcome is not None or self._abandoned:
            return
        if held:
            near, far = self._establish(target, up)
            self._link.keep(up, self._net.kernel.now_ns, lambda came: self._come_late(target, far, came))
            self._take(near, up)
        elif target.reachable:
            self._answer(target, up)

    def _answer(self, target: "Machine", up: int) -> None:
        """The other side's operating system takes the connection, or refuses it."""
        kernel, link = self._net.kernel, self._link
        if link.fate(1 - up, 0, Passage(self.number, kernel.now_ns), kernel.now_ns) != "passes":
            return
        if self._net.listener(target, self._to) is None:
            self._take(errno.ECONNREFUSED, up)
            return
        near, far = self._establish(target, up)
        self._offer(target, far)
        self._take(near, up)

    def _establish(self, target: "Machine", up: int) -> tuple[Endpoint, Endpoint]:
        near = Endpoint(self._machine, self._local, self._to)
        far = Endpoint(target, self._to, (self._net.seen_address(self._machine), self._local[1]))
        self._net.established(Connection(self._net, self.number, self._link, up, (near, far)))
        return near, far

    def _take(self, outcome: Endpoint | int, up: int) -> None:
        """The answer goes its way back."""
        kernel = self._net.kernel
        arrival_ns = self._link.arrival_ns(1 - up, 0, kernel.now_ns)
        kernel.at_ns(arrival_ns, lambda: self._end(outcome))

    def _come_late(self, target: "Machine", far: Endpoint, came: Came) -> None:
        """The link lets go: the other side hears of the connection."""
        if target.reachable:
            came()
        self._offer(target, far)

    def _offer(self, target: "Machine", far: Endpoint) -> None:
        """The other side's program may accept it; where none listens, who dialled learns it by a reset."""
        listener = self._net.listener(target, self._to)
        if listener is None:
            far.abort()
        elif not far.detached and not far.gone:  # it is, if the program that might have accepted it has ended meanwhile
            listener.offer(far)

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
