"""A link is narrow. Stands for ORD-13: big messages on a slow line must not starve the heartbeat (41573)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from harness.faults.model import Evidence, Operation, Window, fault
from harness.faults.proof import Traces, judged, total
from harness.faults.shapes import LinkFault, demand
from harness.history.events import Event


@fault
@dataclass(frozen=True, kw_only=True)
class Bandwidth(LinkFault):
    """Each direction carries no more than so many bytes a second; nothing is lost.

    Attributes:
        rate_bytes_per_s: bytes a second and direction.
    """

    name: ClassVar[str] = "bandwidth"
    worlds: ClassVar[dict[str, str]] = {
        "sim": "segments leave the link no faster than its rate",
        "wire": "toxiproxy: bandwidth on both streams, in kB/s",
        "compose": "toxiproxy container as in wire",
    }

    rate_bytes_per_s: float = 4000.0

    def __post_init__(self) -> None:
        super().__post_init__()
        demand(self.rate_bytes_per_s > 0, "`rate` must be more than nothing; use `cut` for a link that carries nothing")

    def begin(self) -> Sequence[Operation]:
        """Set the rate."""
        return (self.op("rate", bytes_per_s=self.rate_bytes_per_s),)

    def heal(self) -> Sequence[Operation]:
        """Restore it."""
        return (self.op("rate"),)

    def evidence(self, window: Window, events: Iterable[Event]) -> Evidence:
        """Segments had to wait for their turn."""
        held = Traces.of(events).named("link.throttled", link=self.link, since=window.began_at, until=window.healed_at)
        waited = [event for event in held if float(event.data.get("added_s_max", 0.0)) > 0]
        attempted = total(held, "segments")
        note = f"{attempted} segments crossed at {self.rate_bytes_per_s:.0f} bytes/s"
        return judged(window, attempted, 0, note, sure=bool(waited))
