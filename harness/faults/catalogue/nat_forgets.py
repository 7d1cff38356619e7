"""A NAT box forgets idle connections. Stands for F6: idle reaping that nobody is told of (32982, 40056)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from harness.faults.flows import forgotten, gone_dark
from harness.faults.model import Evidence, Operation, Window, fault
from harness.faults.proof import Traces
from harness.faults.shapes import LinkFault, demand
from harness.history.events import Event


@fault
@dataclass(frozen=True, kw_only=True)
class NatForgets(LinkFault):
    """A connection idle for longer than ``idle_s`` goes dark in silence.

    Attributes:
        idle_s: seconds without a segment after which an entry is dropped; 30 to 300 are usual, below the 2 hours of RFC 5382.
    """

    name: ClassVar[str] = "nat_forgets"
    worlds: ClassVar[dict[str, str]] = {
        "sim": "the link drops flows that were idle for so long, without a notice",
        "wire": "nftables drops the packets of connections that the router saw idle for so long",
        "compose": "conntrack time-out in the router container",
    }

    for_s: float = 600.0
    idle_s: float = 60.0

    def __post_init__(self) -> None:
        super().__post_init__()
        demand(0 < self.idle_s < self.for_s, "`idle` must be shorter than `for`, or nothing is ever forgotten")

    def begin(self) -> Sequence[Operation]:
        """Begin to forget idle flows."""
        return (self.op("forget", idle_s=self.idle_s, notice="none"),)

    def heal(self) -> Sequence[Operation]:
        """Forget no more; what is forgotten stays so."""
        return (self.op("forget"),)

    def evidence(self, window: Window, events: Iterable[Event]) -> Evidence:
        """A flow was forgotten, somebody still gave it bytes, and nothing came of it."""
        traces = Traces.of(events)
        flows = forgotten(traces, window, "idle", until=window.healed_at)
        return gone_dark(window, traces, [event for event in flows if event.data.get("link") == self.link])
