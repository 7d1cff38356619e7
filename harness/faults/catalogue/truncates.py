"""A stream is truncated. Stands for ORD-6 and ORD-13: what lies between ends a connection in the middle of a message."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from harness.faults.model import Evidence, Operation, Window, fault
from harness.faults.proof import Traces, judged
from harness.faults.shapes import LinkFault, demand
from harness.history.events import Event

_DIRECTIONS = {"to relay": "up", "from relay": "down"}


@fault
@dataclass(frozen=True, kw_only=True)
class Truncates(LinkFault):
    """Each connection of the link is closed as soon as ``after_bytes`` more have passed one way, one dialled meanwhile after its first.

    Attributes:
        how: which way the bytes are counted and broken off; the other way works until the connection ends.
        after_bytes: payload of TCP that still passes, TLS and HTTP included; a few hundred bytes break new connections off in their handshake.
    """

    name: ClassVar[str] = "truncates"
    worlds: ClassVar[dict[str, str]] = {
        "sim": "the link ends a flow at that byte: the reader gets an end, the writer a reset",
        "wire": "toxiproxy: limit_data on one stream, then FIN, or RST to who goes on writing",
        "compose": "toxiproxy container as in wire",
    }

    how: Literal["from relay", "to relay"] = "from relay"
    after_bytes: float = 1000.0

    def __post_init__(self) -> None:
        super().__post_init__()
        whole = self.after_bytes >= 1 and self.after_bytes == int(self.after_bytes)
        demand(whole, "`after` must be a number of whole bytes, at least 1B; use `cut` for a link that carries nothing")

    def begin(self) -> Sequence[Operation]:
        """Let so much more pass."""
        return (self.op("truncate", direction=_DIRECTIONS[self.how], bytes=int(self.after_bytes)),)

    def heal(self) -> Sequence[Operation]:
        """Let everything pass that way."""
        return (self.op("truncate", direction=_DIRECTIONS[self.how]),)

    def evidence(self, window: Window, events: Iterable[Event]) -> Evidence:
        """A connection was ended after exactly so many bytes, more had been given to it, and none carried more."""
        met = [
            event.data
            for event in Traces.of(events).named(
                "flow.limited", link=self.link, since=window.began_at, until=window.healed_at
            )
            if event.data.get("direction") == _DIRECTIONS[self.how]
        ]
        broken_off = [data for data in met if data["ended"] and data["lost"] > 0 and self._is_exact(data)]
        passed = sum(1 for data in met if data["passed_min"] > self.after_bytes)
        note = f"{len(broken_off)} connections of {self.link} ended after {self.after_bytes:.0f} bytes with more to come, {passed} carried more"
        return judged(window, len(broken_off) + passed, passed, note)

    def _is_exact(self, data: dict[str, int]) -> bool:
        return data["passed_min"] <= self.after_bytes <= data["passed_max"]
