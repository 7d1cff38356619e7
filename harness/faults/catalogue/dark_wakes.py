"""A machine sleeps but wakes briefly now and then. Stands for OUT-7: maintenance wakes that mislead timers (34531)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from harness.faults.model import Evidence, Operation, Window, fault
from harness.faults.proof import Traces, judged
from harness.faults.shapes import TimedFault, demand
from harness.history.events import Event

_TOLERANCE_S = 1.0


@fault
@dataclass(frozen=True, kw_only=True)
class DarkWakes(TimedFault):
    """The machine sleeps for ``for_s`` and is awake for ``awake_s`` after every ``every_s`` of sleep.

    Attributes:
        every_s: seconds asleep before each brief wake.
        awake_s: seconds awake each time; 1 to 30 are usual.
    """

    name: ClassVar[str] = "dark_wakes"
    worlds: ClassVar[dict[str, str]] = {
        "sim": "suspend and resume in turns",
        "wire": "clock shim: stop, step the page, continue, in turns; not for Go and static binaries",
        "compose": "cannot: containers share the host's clock; runs in sim and wire",
    }

    for_s: float = 3600.0
    every_s: float = 900.0
    awake_s: float = 10.0

    def __post_init__(self) -> None:
        super().__post_init__()
        demand(self.every_s >= 2, "a sleep shorter than 2s cannot be told from a busy machine")
        demand(self.awake_s > 0, "`awake` must be longer than nothing")
        demand(
            self.every_s + self.awake_s < self.for_s, "`for` must leave room for one brief wake and the sleep after it"
        )

    @property
    def wakes_s(self) -> list[float]:
        """Seconds from the beginning at which a brief wake starts; after each the machine sleeps again."""
        cycle_s = self.every_s + self.awake_s
        starts = (cycle_s * turn + self.every_s for turn in range(int(self.for_s // cycle_s) + 1))
        return [start_s for start_s in starts if start_s + self.awake_s < self.for_s]

    def begin(self) -> Sequence[Operation]:
        """Close the lid, and wake and sleep again at each turn."""
        turns = [self.op("suspend")]
        for wake_s in self.wakes_s:
            turns += [self.op("resume", wake_s), self.op("suspend", wake_s + self.awake_s)]
        return turns

    def heal(self) -> Sequence[Operation]:
        """Open the lid."""
        return (self.op("resume"),)

    def evidence(self, window: Window, events: Iterable[Event]) -> Evidence:
        """Every sleep between the wakes was as long as it was meant to be, and nothing was done in any."""
        traces = Traces.of(events)
        until = window.healed_at + _TOLERANCE_S
        fell = traces.named("machine.suspended", actor=self.machine, since=window.began_at, until=until)
        woke = traces.named("machine.resumed", actor=self.machine, since=window.began_at, until=until)
        sleeps = list(zip(fell, woke, strict=False))
        passed = sum(traces.activity(self.machine, asleep.t, awake.t) for asleep, awake in sleeps)
        lengths = [float(awake.data.get("slept_s", 0.0)) for _, awake in sleeps]
        right = len(sleeps) == len(self.wakes_s) + 1 and all(
            abs(s - self.every_s) <= _TOLERANCE_S for s in lengths[:-1]
        )
        note = (
            f"{self.machine} slept {len(sleeps)} times, {sum(lengths):.0f} s in all, and did {passed} things meanwhile"
        )
        return judged(window, len(sleeps), passed, note, sure=right)
