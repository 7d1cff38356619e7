"""A program is replaced by another version. Stands for version skew: an old host at a new relay, or the reverse (92010)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from harness.faults.ending import EndingFault
from harness.faults.model import Operation, fault
from harness.faults.shapes import demand
from harness.history.events import Event


@fault
@dataclass(frozen=True, kw_only=True)
class Upgraded(EndingFault):
    """The program ends and another version of it starts on the same state, written ``{relay.upgraded: "2"}``.

    Attributes:
        version: the version to start.
    """

    name: ClassVar[str] = "upgraded"
    primary: ClassVar[str] = "version"
    worlds: ClassVar[dict[str, str]] = {
        "sim": "kill, then start with another version",
        "wire": "SIGKILL by process id, then the same command as another version",
        "compose": "docker kill, then the image of that version in sut.yaml",
    }

    version: str
    down_s: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        demand(bool(self.version), "say which version to start")

    def heal(self) -> Sequence[Operation]:
        """Start the other version."""
        return (self.op("start", version=self.version),)

    def restarted_right(self, started: Event) -> bool:
        """Whether the version that was asked for runs."""
        return started.data.get("version") == self.version
