"""A link is slow to answer. Stands for F23 of the field: latency and local slowdown (69878, 93924)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from harness.faults.model import Evidence, Operation, Window, fault
from harness.faults.proof import Traces, judged, total
from harness.faults.shapes import LinkFault, demand
from harness.history.events import Event

_SLACK_S = 0.001


@fault
@dataclass(frozen=True, kw_only=True)
class Latency(LinkFault):
    """Every segment takes half of ``rtt_s`` each way and up to half of ``jitter_s`` more; order is kept.

    Attributes:
        rtt_s: round trip, seconds.
        jitter_s: how much longer a round trip may take, seconds.
    """

    name: ClassVar[str] = "latency"
    worlds: ClassVar[dict[str, str]] = {
        "sim": "the link's latency and jitter are set",
        "wire": "toxiproxy: latency and jitter on both streams, at one pace of the world; connecting is not slowed",
        "compose": "toxiproxy container as in wire; the kernel may lack netem",
    }

    rtt_s: float = 0.3
    jitter_s: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        demand(self.rtt_s > 0, "`rtt` must be longer than nothing")
        demand(self.jitter_s >= 0, "`jitter` must not be negative")

    def begin(self) -> Sequence[Operation]:
        """Set the latency of both directions."""
        return (self.op("delay", latency_s=self.rtt_s / 2, jitter_s=self.jitter_s / 2),)

    def heal(self) -> Sequence[Operation]:
        """Restore it."""
        return (self.op("delay"),)

    def evidence(self, window: Window, events: Iterable[Event]) -> Evidence:
        """Segments crossed in the window and each was held up by at least the least that was asked for."""
        held = Traces.of(events).named("link.delayed", link=self.link, since=window.began_at, until=window.healed_at)
        least_s = self.rtt_s / 2 - _SLACK_S
        quick = [event for event in held if float(event.data.get("added_s_min", 0.0)) < least_s]
        attempted, passed = total(held, "segments"), total(quick, "segments")
        note = f"{attempted} segments took the slow link, {passed} of them perhaps in less than {least_s:.3f} s"
        return judged(window, attempted, passed, note)
