"""A server refuses new connections. Stands for F9 and OUT-11: start-up that gives up, reconnects that spin (81036, 79342)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from harness.faults.dials import dials_failed
from harness.faults.model import Evidence, Operation, Window, fault
from harness.faults.proof import Traces
from harness.faults.shapes import LinkFault
from harness.history.events import Event


@fault
@dataclass(frozen=True, kw_only=True)
class Refused(LinkFault):
    """New connections get RST at once (nobody listens); live ones go on."""

    name: ClassVar[str] = "refused"
    worlds: ClassVar[dict[str, str]] = {
        "sim": "a SYN on the link is answered by RST",
        "wire": "nftables reject with tcp reset on the SYN; toxiproxy cannot refuse new and keep live connections",
        "compose": "nftables reject with tcp reset on the SYN in the router container",
    }

    def begin(self) -> Sequence[Operation]:
        """Begin to refuse."""
        return (self.op("refuse", how="rst"),)

    def heal(self) -> Sequence[Operation]:
        """Accept again."""
        return (self.op("refuse"),)

    def evidence(self, window: Window, events: Iterable[Event]) -> Evidence:
        """Somebody dialled in the window and no handshake ended well."""
        return dials_failed(window, Traces.of(events), self.link, "refused")
