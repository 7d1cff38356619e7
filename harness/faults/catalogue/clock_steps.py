"""A machine's calendar jumps. Stands for ORD-15 and for time-outs counted on the wrong clock."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from harness.faults.model import Evidence, Operation, Window, fault
from harness.faults.proof import GRACE_S, Traces, judged
from harness.faults.shapes import LastingChange, demand
from harness.history.events import Event

_TOLERANCE_S = 0.5


@fault
@dataclass(frozen=True, kw_only=True)
class ClockSteps(LastingChange):
    """REALTIME jumps, the other clocks do not; it stays so. Written ``{host.clock_steps: 1h}``.

    Attributes:
        by_s: how far, seconds; negative = back, written ``-1h``.
    """

    name: ClassVar[str] = "clock_steps"
    primary: ClassVar[str] = "by_s"
    worlds: ClassVar[dict[str, str]] = {
        "sim": "the machine's calendar is moved",
        "wire": "clock shim: step REALTIME only; not for Go and static binaries",
        "compose": "cannot: containers share the host's clock; runs in sim and wire",
    }

    by_s: float = 3600.0

    def __post_init__(self) -> None:
        demand(abs(self.by_s) >= 1, "a step shorter than 1s is what any clock does; step by more")

    def begin(self) -> Sequence[Operation]:
        """Move the calendar."""
        return (self.op("step_clock", by_s=self.by_s),)

    def evidence(self, window: Window, events: Iterable[Event]) -> Evidence:
        """The machine's calendar was seen to jump by as much."""
        stepped = Traces.of(events).first(
            "clock.stepped", actor=self.machine, since=window.began_at, until=window.began_at + GRACE_S
        )
        if stepped is None:
            return judged(window, 0, 0, f"the calendar of {self.machine} did not move")
        by_s = float(stepped.data.get("by_s", 0.0))
        note = f"the calendar of {self.machine} moved by {by_s:+.1f} s of {self.by_s:+.1f} s"
        return judged(window, 1, 0, note, sure=abs(by_s - self.by_s) <= _TOLERANCE_S)
