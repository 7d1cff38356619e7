"""A link loses segments. Stands for F1 and F5 of the field on bad radio: nothing is cut, everything is late (94397)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from harness.faults.model import Evidence, Operation, Window, fault
from harness.faults.proof import Traces, judged, total
from harness.faults.shapes import LinkFault, demand
from harness.history.events import Event


@fault
@dataclass(frozen=True, kw_only=True)
class Loss(LinkFault):
    """Segments are lost and sent again, so TCP delivers them late and in order.

    Attributes:
        lost_ratio: probability that a segment is lost, above 0 and below 1.
    """

    name: ClassVar[str] = "loss"
    worlds: ClassVar[dict[str, str]] = {
        "sim": "a lost segment arrives after the retransmission time-out, in order",
        "wire": "nftables drop at random in the router namespace; toxiproxy cannot lose segments",
        "compose": "nftables drop at random in the router container",
    }

    lost_ratio: float = 0.05

    def __post_init__(self) -> None:
        super().__post_init__()
        demand(0 < self.lost_ratio < 1, "`lost` must be more than 0% and less than 100%; use `cut` to lose everything")

    def begin(self) -> Sequence[Operation]:
        """Begin to lose segments."""
        return (self.op("lose", probability=self.lost_ratio),)

    def heal(self) -> Sequence[Operation]:
        """Lose none any more."""
        return (self.op("lose"),)

    def evidence(self, window: Window, events: Iterable[Event]) -> Evidence:
        """At least one segment was lost and came late."""
        lost = Traces.of(events).named("link.lost", link=self.link, since=window.began_at, until=window.healed_at)
        attempted = total(lost, "segments")
        return judged(window, attempted, 0, f"{attempted} segments of {self.link} were lost and sent again")
