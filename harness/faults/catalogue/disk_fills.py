"""A disk is full. Stands for RES-5: what cannot be stored is not acknowledged, and nothing that was stored is lost."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from harness.faults.model import Evidence, Operation, Window, fault
from harness.faults.proof import Traces, judged
from harness.faults.shapes import TimedFault
from harness.history.events import Event


@fault
@dataclass(frozen=True, kw_only=True)
class DiskFills(TimedFault):
    """There is no room left where the program keeps its state: each write that needs some fails with ENOSPC; what is there can be read."""

    name: ClassVar[str] = "disk_fills"
    example: ClassVar[str] = "relay"
    worlds: ClassVar[dict[str, str]] = {
        "sim": "writes to the machine's disk fail with ENOSPC",
        "wire": "its state is on a tmpfs, which is made no larger than what is in it; needs root",
        "compose": "as in wire: a tmpfs volume of a given size",
    }

    def begin(self) -> Sequence[Operation]:
        """Leave no room."""
        return (self.op("fill_disk"),)

    def heal(self) -> Sequence[Operation]:
        """Give it room again."""
        return (self.op("free_disk"),)

    def evidence(self, window: Window, events: Iterable[Event]) -> Evidence:
        """The disk took what was tried first, before it was full, and refused all that was tried until it healed."""
        tried = Traces.of(events).named("disk.tried", actor=self.machine, since=window.began_at, until=window.healed_at)
        attempted, passed = (sum(int(event.data.get(of, 0)) for event in tried[1:]) for of in ("bytes", "passed"))
        worked = bool(tried and tried[0].data.get("passed"))
        note = f"the disk of {self.machine} was given {attempted} bytes while it was full, and took {passed}"
        return judged(window, attempted, passed, note if worked else f"{note}; it took none before", sure=worked)
