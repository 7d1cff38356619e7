"""A load balancer resets idle connections. Stands for F6 and F15: a close every so many minutes (31853, 32833)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from harness.faults.flows import forgotten
from harness.faults.model import Evidence, Operation, Window, fault
from harness.faults.proof import GRACE_S, Traces, judged
from harness.faults.shapes import LinkFault, demand
from harness.history.events import Event


@fault
@dataclass(frozen=True, kw_only=True)
class LoadBalancerCuts(LinkFault):
    """A connection idle for longer than ``idle_s`` is reset; an end learns of it at its next segment at the latest.

    Attributes:
        idle_s: seconds without a segment; 60 is a common default of load balancers.
    """

    name: ClassVar[str] = "load_balancer_cuts"
    worlds: ClassVar[dict[str, str]] = {
        "sim": "the link resets flows that were idle for so long",
        "wire": "the kernel aborts the sockets of connections that the router saw idle for so long (ss -K)",
        "compose": "an HAProxy container with this idle time-out",
    }

    for_s: float = 600.0
    idle_s: float = 60.0

    def __post_init__(self) -> None:
        super().__post_init__()
        demand(0 < self.idle_s < self.for_s, "`idle` must be shorter than `for`, or nothing is ever cut")

    def begin(self) -> Sequence[Operation]:
        """Begin to cut idle flows."""
        return (self.op("forget", idle_s=self.idle_s, notice="rst"),)

    def heal(self) -> Sequence[Operation]:
        """Cut no more."""
        return (self.op("forget", notice="rst"),)

    def evidence(self, window: Window, events: Iterable[Event]) -> Evidence:
        """Idle flows were cut, an end of them noticed the reset, and nothing came through them afterwards."""
        traces = Traces.of(events)
        cut = {
            str(event.data.get("conn")): event.t + GRACE_S
            for event in forgotten(traces, window, "idle", notice="rst", until=window.healed_at)
            if event.data.get("link") == self.link
        }
        noticed = {
            str(event.data.get("conn"))
            for event in traces.named("socket.closed", link=self.link, since=window.began_at)
            if event.data.get("error") == "reset"
        }
        passed = traces.heard_on(cut)
        note = f"{len(cut)} idle connections of {self.link} were cut, {passed} reads came through afterwards"
        return judged(window, len(cut), passed, note, sure=not noticed.isdisjoint(cut))
