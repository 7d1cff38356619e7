"""A machine sleeps. Stands for OUT-4 and OUT-5: sleep is not an outage, and waking does not wait for stale timers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from harness.faults.model import Evidence, Operation, Window, fault
from harness.faults.proof import Traces, judged
from harness.faults.shapes import TimedFault, demand
from harness.history.events import Event

_TOLERANCE_S = 1.0
_TOLERANCE_RATIO = 0.01
_HEAL_S = 3.0
"""A waking may take so long, of a busy machine; programs take 5 s for a stop of their own with clocks that ran (FROZEN_S of the reference)."""


@fault
@dataclass(frozen=True, kw_only=True)
class Sleeps(TimedFault):
    """The awake clock stands still, the others run on, the network is dark: a closed lid."""

    name: ClassVar[str] = "sleeps"
    worlds: ClassVar[dict[str, str]] = {
        "sim": "the machine's run gets no ticks and its network is dark; MONOTONIC stands, BOOTTIME and REALTIME run",
        "wire": "clock shim: stop, step the page, continue; the link's proxy stopped too; not for Go and static binaries",
        "compose": "cannot: containers share the host's clock; runs in sim and wire",
    }

    for_s: float = 3600.0

    def __post_init__(self) -> None:
        super().__post_init__()
        demand(self.for_s >= 2, "a sleep shorter than 2s cannot be told from a busy machine")

    def begin(self) -> Sequence[Operation]:
        """Close the lid."""
        return (self.op("suspend"),)

    def heal(self) -> Sequence[Operation]:
        """Open the lid."""
        return (self.op("resume"),)

    def evidence(self, window: Window, events: Iterable[Event]) -> Evidence:
        """The machine woke having slept about as long as it was meant to, and did nothing in between."""
        traces = Traces.of(events)
        asleep = traces.first("machine.suspended", actor=self.machine, since=window.began_at, until=window.healed_at)
        if asleep is None:
            return judged(window, 0, 0, f"{self.machine} never went to sleep")
        woke = traces.first("machine.resumed", actor=self.machine, since=asleep.t)
        if woke is None:
            return judged(window, 1, 0, f"{self.machine} never woke", sure=False)
        slept_s, meant_s = float(woke.data.get("slept_s", 0.0)), window.meant_s
        passed = traces.activity(self.machine, asleep.t, woke.t)
        near = abs(slept_s - meant_s) <= max(_TOLERANCE_S, _TOLERANCE_RATIO * meant_s)
        note = f"{self.machine} slept {slept_s:.0f} s of {meant_s:.0f} s and did {passed} things meanwhile"
        if window.heal_s > _HEAL_S:
            note += f"; its waking took {window.heal_s:.0f} s"
        return judged(window, 1, passed, note, sure=near and window.heal_s <= _HEAL_S)
