"""A link resets again and again. Stands for the reconnect breaker of the field: three drops an hour (34255, 79388)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from harness.faults.model import Evidence, Operation, Window, fault
from harness.faults.proof import GRACE_S, Traces, judged
from harness.faults.shapes import LinkFault, demand
from harness.history.events import Event


@fault
@dataclass(frozen=True, kw_only=True)
class Flaps(LinkFault):
    """All connections of a link are reset ``times`` times, evenly spread over ``for_s``; between them the link works.

    Attributes:
        times: how many resets, at least 1; the first at the beginning.
    """

    name: ClassVar[str] = "flaps"
    worlds: ClassVar[dict[str, str]] = {
        "sim": "the flows of the link are reset at each beat",
        "wire": "the kernel aborts the sockets of the link at each beat (ss -K)",
        "compose": "toxiproxy container as in wire",
    }

    for_s: float = 3600.0
    times: int = 6

    def __post_init__(self) -> None:
        super().__post_init__()
        demand(self.times >= 1, "`times` must be at least 1")
        demand(
            self.for_s / self.times > 2 * GRACE_S,
            "the resets follow too closely to tell them apart; give `for` more time",
        )

    @property
    def beats_s(self) -> list[float]:
        """Seconds from the beginning at which the link is reset."""
        return [self.for_s * beat / self.times for beat in range(self.times)]

    def begin(self) -> Sequence[Operation]:
        """Reset at each beat."""
        return [self.op("reset", after_s, how="rst", side="both") for after_s in self.beats_s]

    def heal(self) -> Sequence[Operation]:
        """Nothing: between the beats the link works."""
        return ()

    def evidence(self, window: Window, events: Iterable[Event]) -> Evidence:
        """More than half of the beats found a connection to reset; one that met a dialler in back-off cannot."""
        closed = [
            event.t - window.began_at
            for event in Traces.of(events).named("socket.closed", link=self.link, since=window.began_at)
            if event.data.get("error") == "reset"
        ]
        hits = sum(any(beat_s <= t_s <= beat_s + GRACE_S for t_s in closed) for beat_s in self.beats_s)
        note = f"{hits} of {self.times} resets of {self.link} were noticed by an end"
        return judged(window, hits, 0, note, sure=2 * hits > self.times)
