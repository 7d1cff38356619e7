"""A machine's calendar runs fast or slow. Stands for ORD-15: clocks inform, they do not order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from harness.faults.model import Evidence, Operation, Window, fault
from harness.faults.proof import GRACE_S, Traces, judged
from harness.faults.shapes import TimedFault, demand
from harness.history.events import Event

_TOLERANCE_RATIO = 0.1


@fault
@dataclass(frozen=True, kw_only=True)
class ClockDrifts(TimedFault):
    """REALTIME gains so many parts per million while the fault lasts; what it gained stays.

    Attributes:
        ppm: parts per million, negative = slow; 500 is the most that NTP corrects by slewing.
    """

    name: ClassVar[str] = "clock_drifts"
    primary: ClassVar[str] = "ppm"
    worlds: ClassVar[dict[str, str]] = {
        "sim": "the machine's calendar runs at another rate",
        "wire": "cannot: all clocks of a page have one rate; runs in sim only",
        "compose": "cannot: containers share the host's clock; runs in sim and wire",
    }

    for_s: float = 3600.0
    ppm: float = 500.0

    def __post_init__(self) -> None:
        super().__post_init__()
        demand(self.ppm != 0, "a drift of 0 ppm is none")
        demand(abs(self.ppm) <= 100_000, "a drift above 100000 ppm is no clock any more; use `clock_steps`")

    def begin(self) -> Sequence[Operation]:
        """Change the rate."""
        return (self.op("step_clock", drift_ppm=self.ppm),)

    def heal(self) -> Sequence[Operation]:
        """Restore the rate."""
        return (self.op("step_clock", drift_ppm=0.0),)

    def evidence(self, window: Window, events: Iterable[Event]) -> Evidence:
        """The calendar was measured against true time at the end of the drift and had gained about as much."""
        drifted = Traces.of(events).first(
            "clock.drifted", actor=self.machine, since=window.began_at, until=window.healed_at + GRACE_S
        )
        over_s = float(drifted.data.get("over_s", 0.0)) if drifted else 0.0
        if drifted is None or over_s <= 0:
            return judged(window, 0, 0, f"the calendar of {self.machine} did not drift")
        ppm = float(drifted.data.get("by_s", 0.0)) / over_s * 1e6
        note = f"the calendar of {self.machine} gained {ppm:.0f} ppm of {self.ppm:.0f} ppm over {over_s:.0f} s"
        return judged(window, 1, 0, note, sure=abs(ppm - self.ppm) <= abs(self.ppm) * _TOLERANCE_RATIO)
