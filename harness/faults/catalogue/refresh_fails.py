"""The token endpoint answers nobody for a while. Stands for F4: a refresh that fails for minutes (36482, 95262)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from harness.faults.answers import AnswerFault
from harness.faults.model import Operation, fault
from harness.faults.shapes import demand

_ALL = 1_000_000


@fault
@dataclass(frozen=True, kw_only=True)
class RefreshFails(AnswerFault):
    """Every answer of the token endpoint to this machine vanishes for a time, written ``{host.refresh_fails: 10m}``."""

    name: ClassVar[str] = "refresh_fails"
    primary: ClassVar[str] = "for_s"
    worlds: ClassVar[dict[str, str]] = {
        "sim": "the network glue swallows the answers' bytes and leaves the connections silent",
        "wire": "the tap swallows the answers that the relay has sent and leaves the connections silent",
        "compose": "as in wire, in the tap's container",
    }

    path: str = field(default="/v1/token", init=False)
    count: int = field(default=_ALL, init=False)
    for_s: float = 600.0

    def __post_init__(self) -> None:
        super().__post_init__()
        demand(self.for_s > 0, "`for` must be longer than nothing")

    def heal(self) -> Sequence[Operation]:
        """Answer again."""
        return (self.op("drop_answer", path=self.path, count=0),)

    def enough(self, dropped: int) -> bool:
        """One is enough: how often a machine asks is its own affair."""
        return dropped > 0
