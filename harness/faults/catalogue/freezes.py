"""A program stands still while the world goes on. Stands for OUT-6: a pause is not sleep and kills no healthy peer."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from harness.faults.model import Evidence, Operation, Window, fault
from harness.faults.proof import Traces, judged
from harness.faults.shapes import TimedFault
from harness.history.events import Event

_TOLERANCE_S = 1.0


@fault
@dataclass(frozen=True, kw_only=True)
class Freezes(TimedFault):
    """The program does not run; all its clocks run on and its kernel still answers TCP (SIGSTOP, a stolen processor)."""

    name: ClassVar[str] = "freezes"
    worlds: ClassVar[dict[str, str]] = {
        "sim": "the machine's run gets no ticks; its clocks run on and its network stays up",
        "wire": "SIGSTOP and SIGCONT by process id",
        "compose": "docker pause and unpause",
    }

    def begin(self) -> Sequence[Operation]:
        """Stop the program."""
        return (self.op("freeze"),)

    def heal(self) -> Sequence[Operation]:
        """Let it go on."""
        return (self.op("thaw"),)

    def evidence(self, window: Window, events: Iterable[Event]) -> Evidence:
        """The program stood for as long as it was meant to and did nothing in between."""
        traces, meant_s = Traces.of(events), window.meant_s
        frozen = traces.first("process.frozen", actor=self.machine, since=window.began_at, until=window.healed_at)
        if frozen is None:
            return judged(window, 0, 0, f"{self.machine} never stood still")
        thawed = traces.first("process.thawed", actor=self.machine, since=frozen.t)
        if thawed is None:
            return judged(window, 1, 0, f"{self.machine} was never let go", sure=False)
        stood_s = float(thawed.data.get("frozen_s", 0.0))
        passed = traces.activity(self.machine, frozen.t, thawed.t)
        note = f"{self.machine} stood still for {stood_s:.0f} s of {meant_s:.0f} s and did {passed} things meanwhile"
        return judged(window, 1, passed, note, sure=abs(stood_s - meant_s) <= _TOLERANCE_S)
