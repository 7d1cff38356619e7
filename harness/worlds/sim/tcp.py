"""TCP connections at the level of streams: two ends, two directions, one link between them.

Deliberately absent: how it begins (``dial``), how bytes travel (``flow``).
"""

import errno
from typing import TYPE_CHECKING, Literal

from harness.worlds.sim.endpoint import Endpoint
from harness.worlds.sim.flow import Flow
from harness.worlds.sim.link import Fate, Link, Passage

if TYPE_CHECKING:
    from harness.worlds.sim.network import Network

type ResetHow = Literal["rst", "fin", "half_open"]


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
        for direction, more_bytes in enumerate(link.policy.limit_bytes):
            self.restrict(direction, more_bytes)

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

    def tell_spoke(self, end: Endpoint, first: bytes) -> None:
        """One end says its first bytes; of interest are those of who dialled."""
        if end is self.ends[0]:
            self._net.census.spoke(end.machine, self.number, self.link.name, first)

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

    def restrict(self, direction: int, more_bytes: int | None) -> None:
        """Let so many more bytes cross in a direction before the way ends the connection; None is no limit."""
        self.end_at(1 - direction).tx.restrict(more_bytes)

    def limited(self, direction: int, passed: int, lost: int, *, ended: bool) -> None:
        """As much crossed in a direction as may, or more: the way ends the connection, although ``lost`` more bytes were given to it."""
        self.link.limit(self.passage, direction, passed, lost, ended=ended)

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
