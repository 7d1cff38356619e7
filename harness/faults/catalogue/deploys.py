"""A server is deployed anew. Stands for OUT-16 and F3: a rolling restart that loses nothing (90581, 87623)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from harness.faults.ending import EndingFault
from harness.faults.model import Operation, fault
from harness.faults.shapes import demand
from harness.history.events import Event


@fault
@dataclass(frozen=True, kw_only=True)
class Deploys(EndingFault):
    """The program is asked to drain, ended after ``drains_s``, and started after ``down_s`` more, in another version if wished.

    Attributes:
        drains_s: seconds from asking to drain until the end.
        retry_after_s: when clients are asked to come back, seconds.
        version: version to start; empty = the same.
    """

    name: ClassVar[str] = "deploys"
    example: ClassVar[str] = "relay"
    worlds: ClassVar[dict[str, str]] = {
        "sim": "verb drain, then kill, then start",
        "wire": "verb drain, then SIGKILL by process id, then start",
        "compose": "verb drain, then docker kill, then start",
    }

    down_s: float = 2.0
    drains_s: float = 5.0
    retry_after_s: float = 5.0
    version: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        demand(self.drains_s > 0, "`drains` must be longer than nothing; use `restarts` for an end without notice")
        demand(self.retry_after_s >= 0, "`retry_after` must not be negative")

    @property
    def lasts_s(self) -> float:
        """Draining and being down."""
        return self.drains_s + self.down_s

    def begin(self) -> Sequence[Operation]:
        """Ask to drain, then end the program."""
        args = {"retry_after_s": self.retry_after_s}
        drain = Operation("call", {"actor": self.machine, "verb": "drain", "args": args})
        return (drain, self.op("kill", self.drains_s, how="process"))

    def heal(self) -> Sequence[Operation]:
        """Start the new one."""
        version: dict[str, Any] = {"version": self.version} if self.version else {}
        return (self.op("start", 0.0, **version),)

    def restarted_right(self, started: Event) -> bool:
        """Whether the version that was asked for runs."""
        return not self.version or started.data.get("version") == self.version
