"""One direction of a TCP connection: queue, flight, retransmission, receive window.

Modelled after Linux: retransmission at 0.2 s doubling to 120 s, giving up after 924.6 s (tcp_retries2 = 15), FIN in the stream and
retransmitted like data, RST sent once and lost for good if the way is blocked. What a link keeps back it has acknowledged, as a proxy does: nobody
waits for it any more, however much it is, and it is sent until it comes, whatever becomes of who said it. Deliberately absent: congestion control,
fast retransmit and single packets; a burst of one write travels as one unit.
"""

import errno
from collections import deque
from typing import TYPE_CHECKING

from harness.worlds.sim.clocks import NS
from harness.worlds.sim.link import Came

if TYPE_CHECKING:
    from harness.worlds.sim.endpoint import Endpoint
    from harness.worlds.sim.network import Network

RTO_NS = NS // 5
RTO_MAX_NS = 120 * NS
USER_TIMEOUT_NS = 924_600_000_000
SEND_BUFFER_BYTES = 1 << 17
RECEIVE_BUFFER_BYTES = 1 << 17

FIN = b""
"""In a flow's queue: the sender has no more to say."""


def _nobody_asks() -> None:
    """What was never kept is not told of when it comes."""


class Flow:
    """One direction of a connection.

    Attributes:
        unacked: bytes written and not yet received by the peer.
        finished: FIN was queued.
        limit: so many bytes may arrive; with the last of them the way ends the connection. None is no limit. What the link keeps counts: it
            will arrive.
    """

    __slots__ = (
        "_attempt",
        "_counted_from",
        "_direction",
        "_dst",
        "_epoch",
        "_fin_arrived",
        "_first_lost_ns",
        "_flight",
        "_kept",
        "_last_arrival_ns",
        "_net",
        "_owed",
        "_queue",
        "_src",
        "_waiting",
        "_window_shut",
        "finished",
        "limit",
        "unacked",
    )

    def __init__(self, net: "Network", src: "Endpoint", dst: "Endpoint", direction: int) -> None:
        self._net, self._src, self._dst, self._direction = net, src, dst, direction
        self._queue: deque[bytes] = deque()
        self._flight: deque[bytes] = deque()
        self.unacked = 0
        self.finished = False
        self.limit: int | None = None
        self._kept = 0
        self._owed = 0
        self._counted_from = 0
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
        if not self._src.bytes_out:
            self._src.connection.tell_spoke(self._src, data)
        self.unacked += len(data)
        self._src.bytes_out += len(data)
        self._queue.append(data)
        self._pump()

    def restrict(self, more_bytes: int | None) -> None:
        """Let so many more bytes cross, or any number again."""
        self._counted_from = self._on_the_way()
        self.limit = None if more_bytes is None else self._counted_from + more_bytes
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
        while self._queue and (self._is_owed() or not self._src.gone):
            head = self._within_limit()
            if head is None:
                return
            if head and len(self._dst.received) + self._flying() >= RECEIVE_BUFFER_BYTES:
                self._window_shut = True
                return
            if not self._transmit(head):
                return

    def _is_owed(self) -> bool:
        """Whether the next piece is one that the link had kept: it has acknowledged it, and needs its sender no more.

        ``_owed`` such pieces come first of all that is under way or waits.
        """
        return self._owed > len(self._flight)

    def _within_limit(self) -> bytes | None:
        """The next piece; of one that is too long, as much as may cross; None while the last of that is under way."""
        head = self._queue[0]
        room = len(head) if self.limit is None else self.limit - self._on_the_way()
        if room <= 0 < len(head) and (self._flight or self._kept):
            return None
        if 0 < room < len(head):
            self._owed += self._is_owed()
            self._queue[0] = head[room:]
            self._queue.appendleft(head[:room])
        return self._queue[0]

    def _flying(self) -> int:
        return sum(map(len, self._flight))

    def _on_the_way(self) -> int:
        """Bytes that have arrived, or will unless they are lost: nothing stands between them and the other end but time."""
        return self._dst.bytes_in + self._flying() + self._kept

    def _transmit(self, head: bytes) -> bool:
        connection, kernel = self._src.connection, self._net.kernel
        is_owed = self._is_owed()
        if not (is_owed or self._src.machine.reachable):
            return False
        if connection.link.policy.held[self._direction] and self._flight:
            return False  # if that is lost, what is kept must not overtake it; its arrival goes on
        fate = connection.fate(self._direction, len(head))
        if fate == "lost":
            self._retry_later()
            return False
        if fate == "reset":
            self._src.fail(errno.ECONNRESET)
            return False
        self._queue.popleft()
        if fate == "held":
            self._attempt = 0
            self._owed -= is_owed
            self.unacked -= len(head)
            self._kept += len(head)
            connection.link.keep(self._direction, kernel.now_ns, lambda came: self._let_go(head, came))
            self._src.on_writable()
        else:
            self._fly(head)
        return True

    def _let_go(self, head: bytes, came: Came) -> None:
        """The link that kept it passes it on, whatever has become of its sender."""
        self.unacked += len(head)
        self._kept -= len(head)
        self._owed += 1
        self._fly(head, came)

    def _fly(self, head: bytes, came: Came = _nobody_asks) -> None:
        connection, kernel = self._src.connection, self._net.kernel
        self._flight.append(head)
        arrival_ns = connection.link.arrival_ns(self._direction, len(head), kernel.now_ns)
        self._last_arrival_ns = max(arrival_ns, self._last_arrival_ns)
        epoch = self._epoch
        kernel.at_ns(self._last_arrival_ns, lambda: self._arrive(head, epoch, came))

    def _break_off(self) -> None:
        """As much as may arrive has, or more: both get an end behind it, who sends or has more to send a reset."""
        passed, lost = self._dst.bytes_in - self._counted_from, sum(map(len, self._queue))
        self._src.connection.limited(self._direction, passed, lost, ended=self._dst.bytes_in == self.limit)
        for end in (self._dst, self._src):
            if not end.gone:
                end.eof_came()

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

    def _arrive(self, data: bytes, epoch: int, came: Came) -> None:
        if epoch != self._epoch:
            return
        dst = self._dst
        if not dst.machine.reachable:
            self._lost_in_flight()
            return
        came()
        self._flight.popleft()
        self._owed = max(self._owed - 1, 0)
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
            if self.limit is not None and dst.bytes_in - len(data) <= self.limit <= dst.bytes_in:
                self._break_off()
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

    def _refuse(self, dst: "Endpoint") -> None:
        dst.gone = True
        dst.tx.send_reset()

    def send_reset(self) -> None:
        """Send one RST in this direction; nobody sends it again if it is lost."""
        connection = self._src.connection
        fate = connection.fate(self._direction, 0) if self._src.machine.reachable else "lost"
        if fate == "passes":
            self._reset_flies()
        elif fate == "held":
            connection.link.keep(self._direction, self._net.kernel.now_ns, self._reset_flies)

    def _reset_flies(self, came: Came = _nobody_asks) -> None:
        kernel = self._net.kernel
        arrival_ns = self._src.connection.link.arrival_ns(self._direction, 0, kernel.now_ns)
        kernel.at_ns(max(arrival_ns, self._last_arrival_ns), lambda: self._reset_arrives(came))

    def _reset_arrives(self, came: Came) -> None:
        if self._dst.machine.reachable:
            came()
            self._dst.fail(errno.ECONNRESET)
