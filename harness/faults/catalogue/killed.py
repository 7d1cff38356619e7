"""A program is killed without notice. Stands for F3 and SES-3: restarts that orphan sessions (90581, 91087, 76530)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from harness.faults.ending import EndingFault
from harness.faults.model import Operation, fault


@fault
@dataclass(frozen=True, kw_only=True)
class Killed(EndingFault):
    """SIGKILL; the program comes back after ``down_s`` unless it stays down.

    Attributes:
        then: ``starts again``, or ``stays down`` (then ``down_s`` is only how long the story waits).
    """

    name: ClassVar[str] = "killed"
    worlds: ClassVar[dict[str, str]] = {
        "sim": "the machine's run is dropped; what its disk had synced stays",
        "wire": "SIGKILL by process id, started again with the same state folder",
        "compose": "docker kill, docker start",
    }

    then: Literal["starts again", "stays down"] = "starts again"

    def heal(self) -> Sequence[Operation]:
        """Start it again, or leave it."""
        return () if self.then == "stays down" else super().heal()

    @property
    def comes_back(self) -> bool:
        """Whether a new start belongs to the fault."""
        return self.then == "starts again"
