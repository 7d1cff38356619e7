"""A path swallows large segments. Stands for half-duplex reports (62284): heartbeats pass, big messages hang."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from harness.faults.model import Evidence, Operation, Window, fault
from harness.faults.proof import Traces, inside, judged, total
from harness.faults.shapes import LinkFault, demand
from harness.history.events import Event


@fault
@dataclass(frozen=True, kw_only=True)
class MtuHole(LinkFault):
    """Segments above a size never arrive, in silence; small ones pass (a black hole for path MTU discovery, RFC 2923).

    Attributes:
        above_bytes: largest payload of a segment that passes.
    """

    name: ClassVar[str] = "mtu_hole"
    worlds: ClassVar[dict[str, str]] = {
        "sim": "the link never delivers a segment larger than this",
        "wire": "nftables drop by packet length in the router namespace, in silence",
        "compose": "nftables drop by packet length in the router container",
    }

    above_bytes: float = 1280.0

    def __post_init__(self) -> None:
        super().__post_init__()
        demand(self.above_bytes >= 1, "`above` must be at least 1B; use `cut` for a link that carries nothing")

    def begin(self) -> Sequence[Operation]:
        """Begin to swallow large segments."""
        return (self.op("cap", segment_bytes=self.above_bytes),)

    def heal(self) -> Sequence[Operation]:
        """Let them pass."""
        return (self.op("cap"),)

    def evidence(self, window: Window, events: Iterable[Event]) -> Evidence:
        """Large segments were tried and held back, and none was let through."""
        traces, core = Traces.of(events), inside(window)
        held = traces.named("link.capped", link=self.link, since=window.began_at, until=window.healed_at)
        given = traces.named("socket.attempted", link=self.link, since=core.began_at, until=core.healed_at)
        passed = sum(1 for event in given if float(event.data.get("largest", 0)) > self.above_bytes)
        attempted = total(held, "segments") + passed
        note = f"{attempted} segments above {self.above_bytes:.0f} bytes were tried, {passed} seconds saw one pass"
        return judged(window, attempted, passed, note)
