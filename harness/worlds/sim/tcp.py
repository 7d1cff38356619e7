"""TCP at the level of streams: connections, their two directions, retransmission, resets, closes.

Modelled after Linux: retransmission at 0.2 s doubling to 120 s, giving up after 924.6 s (tcp_retries2 = 15), a receive window, FIN in the
stream and retransmitted like data, RST sent once and lost for good if the way is blocked. Deliberately absent: congestion control, fast
retransmit and single packets; a burst of one write travels as one unit.
"""

import errno
from collections import deque
from typing import TYPE_CHECKING, Literal

from harness.worlds.sim.clocks import NS
from harness.worlds.sim.link import Fate, Link, Passage

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.worlds.sim.machine import Machine
    from harness.worlds.sim.network import Network

RTO_NS = NS // 5
RTO_MAX_NS = 120 * NS
USER_TIMEOUT_NS = 924_600_000_000
SEND_BUFFER_BYTES = 1 << 17
RECEIVE_BUFFER_BYTES = 1 << 17

type Address = tuple[str, int]
type ResetHow = Literal["rst", "fin", "half_open"]

FIN = b""
"""In a flow's queue: the sender has no more to say."""


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


class Flow:
    """One direction of a connection.

    Attributes:
        unacked: bytes written and not yet received by the peer.
        finished: FIN was queued.
    """

    __slots__ = (
        "_attempt",
        "_direction",
        "_dst",
        "_epoch",
        "_fin_arrived",
        "_first_lost_ns",
        "_flight",
        "_last_arrival_ns",
        "_net",
        "_queue",
        "_src",
        "_waiting",
        "_window_shut",
        "finished",
        "unacked",
    )

    def __init__(self, net: "Network", src: Endpoint, dst: Endpoint, direction: int) -> None:
        self._net, self._src, self._dst, self._direction = net, src, dst, direction
        self._queue: deque[bytes] = deque()
        self._flight: deque[bytes] = deque()
        self.unacked = 0
        self.finished = False
        self._fin_arrived = False
        self._epoch = 0
        self._attempt = 0
        self._first_lost_ns = -1
        self._last_arrival_ns = 0
        self._waiting = False
        self._window_shut = False

    @property
    def room(self) -> int:
        """Bytes the send buffer still takes."""
        return SEND_BUFFER_BYTES - self.unacked

    @property
    def done(self) -> bool:
        """Everything including FIN has arrived."""
        return self._fin_arrived

    def push(self, data: bytes) -> None:
        """Queue bytes."""
        self.unacked += len(data)
        self._src.bytes_out += len(data)
        self._queue.append(data)
        self._pump()

    def finish(self) -> None:
        """Queue FIN once."""
        if not self.finished:
            self.finished = True
            self._queue.append(FIN)
            self._pump()

    def window_opened(self) -> None:
        """The peer read something: go on if its window was shut; the update takes its time to travel."""
        if self._window_shut and len(self._dst.received) <= RECEIVE_BUFFER_BYTES // 2:
            self._window_shut = False
            kernel = self._net.kernel
            kernel.at_ns(kernel.now_ns + round(self._src.connection.link.policy.latency_s * NS), self._pump)

    def resumed(self) -> None:
        """The sending machine woke: its retransmission timer, which stood still, runs again."""
        if self._queue and not self._waiting:
            self._attempt = 0
            self._pump()

    def _pump(self) -> None:
        if self._waiting:
            return
        while self._queue and not self._src.gone:
            head = self._queue[0]
            if head and len(self._dst.received) + self._flying() >= RECEIVE_BUFFER_BYTES:
                self._window_shut = True
                return
            if not self._transmit(head):
                return

    def _flying(self) -> int:
        return sum(map(len, self._flight))

    def _transmit(self, head: bytes) -> bool:
        if not self._src.machine.reachable:
            return False
        connection, kernel = self._src.connection, self._net.kernel
        fate = connection.fate(self._direction, len(head))
        if fate == "lost":
            self._retry_later()
            return False
        if fate == "reset":
            self._src.fail(errno.ECONNRESET)
            return False
        self._queue.popleft()
        self._flight.append(head)
        arrival_ns = connection.link.arrival_ns(self._direction, len(head), kernel.now_ns)
        self._last_arrival_ns = max(arrival_ns, self._last_arrival_ns)
        epoch = self._epoch
        kernel.at_ns(self._last_arrival_ns, lambda: self._arrive(head, epoch))
        return True

    def _retry_later(self) -> None:
        kernel = self._net.kernel
        if self._attempt == 0:
            self._first_lost_ns = kernel.now_ns
        if kernel.now_ns - self._first_lost_ns >= USER_TIMEOUT_NS:
            self._src.fail(errno.ETIMEDOUT)
            return
        delay_ns = min(RTO_NS << min(self._attempt, 20), RTO_MAX_NS)
        self._attempt += 1
        self._waiting = True
        kernel.at_ns(min(kernel.now_ns + delay_ns, self._first_lost_ns + USER_TIMEOUT_NS), self._retry)

    def _retry(self) -> None:
        self._waiting = False
        self._pump()

    def _arrive(self, data: bytes, epoch: int) -> None:
        if epoch != self._epoch:
            return
        dst = self._dst
        if not dst.machine.reachable:
            self._lost_in_flight()
            return
        self._flight.popleft()
        self._attempt = 0
        if dst.gone or (dst.detached and data):
            self._refuse(dst)
            return
        kernel = self._net.kernel
        kernel.trace.add(kernel.now_ns, self._src.connection.number, self._direction, data)
        if data:
            dst.received += data
            dst.bytes_in += len(data)
            self.unacked -= len(data)
            self._src.on_writable()
            dst.on_readable()
        else:
            self._fin_arrived = True
            dst.eof_came()
            dst.connection.settle()
        self._pump()

    def _lost_in_flight(self) -> None:
        """The receiver sleeps or is off: everything under way is sent again from the first lost segment on."""
        self._epoch += 1
        self._queue.extendleft(reversed(self._flight))
        self._flight.clear()
        if not self._waiting:
            self._retry_later()

    def _refuse(self, dst: Endpoint) -> None:
        dst.gone = True
        dst.tx.send_reset()

    def send_reset(self) -> None:
        """Send one RST in this direction; nobody sends it again if it is lost."""
        kernel, connection = self._net.kernel, self._src.connection
        if not self._src.machine.reachable or connection.fate(self._direction, 0) != "passes":
            return
        arrival_ns = connection.link.arrival_ns(self._direction, 0, kernel.now_ns)
        kernel.at_ns(max(arrival_ns, self._last_arrival_ns), self._reset_arrives)

    def _reset_arrives(self) -> None:
        if self._dst.machine.reachable:
            self._dst.fail(errno.ECONNRESET)


class Connection:
    """A TCP connection between two machines, across one link.

    Attributes:
        number: counts the connections of the world from 1.
        link: what it crosses.
        passage: what the way knows of it.
        dialled_up: direction from the dialling end (``ends[0]``) to the other.
    """

    def __init__(
        self, net: "Network", number: int, link: Link, dialled_up: int, ends: tuple[Endpoint, Endpoint]
    ) -> None:
        self._net = net
        self.number, self.link, self.ends = number, link, ends
        self.dialled_up = dialled_up
        self.passage = Passage(number, net.kernel.now_ns)
        near, far = ends
        near.connection = far.connection = self
        near.tx = Flow(net, near, far, dialled_up)
        far.tx = Flow(net, far, near, 1 - dialled_up)

    def other(self, end: Endpoint) -> Endpoint:
        """The opposite end."""
        return self.ends[1] if end is self.ends[0] else self.ends[0]

    def fate(self, direction: int, size: int) -> Fate:
        """What becomes of a segment given to the link now."""
        return self.link.fate(direction, size, self.passage, self._net.kernel.now_ns)

    def over(self) -> None:
        """One end lost its state; with the second the connection is forgotten."""
        if all(end.gone for end in self.ends):
            self._net.connection_over(self)

    def tell_closed(self, end: Endpoint, code: int | None) -> None:
        """One end is over for its application."""
        self._net.census.closed(
            end.machine,
            self.number,
            self.link.name,
            sent=end.bytes_out,
            received=end.bytes_in,
            code=code,
            by_peer=end.closed_by_peer,
        )

    def settle(self) -> None:
        """Forget the connection once both directions are through and both applications let go."""
        near, far = self.ends
        if near.tx.done and far.tx.done:
            for end in self.ends:
                end.settle()

    def end_at(self, direction: int) -> Endpoint:
        """The end that lies in a direction: ``UP`` is the one towards the relay."""
        return self.ends[1] if direction == self.dialled_up else self.ends[0]

    def break_up(self, how: ResetHow, sides: tuple[int, ...]) -> None:
        """What a middlebox on the link can do to a live connection.

        Args:
            how: forge a reset or a close to the ends at ``sides``; or ``half_open``: those ends are gone, the others are not told.
            sides: directions in which the ends lie.
        """
        self.link.forget(self.passage, "half_open" if how == "half_open" else how)
        for end in [self.end_at(side) for side in sides]:
            if end.gone:
                continue
            if how == "fin":
                end.eof_came()
            else:
                end.fail(errno.ECONNRESET)
