"""New connections meet silence. Stands for F9: stuck at connecting, where only a time-out of one's own helps (42615)."""

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
class SynLost(LinkFault):
    """The SYN of a new connection vanishes (a firewall that drops); live connections go on."""

    name: ClassVar[str] = "syn_lost"
    worlds: ClassVar[dict[str, str]] = {
        "sim": "a SYN on the link is dropped; it is sent again after 1, 2, 4... s",
        "wire": "nftables drop of the SYN; toxiproxy cannot touch a handshake",
        "compose": "nftables drop of the SYN in the router container",
    }

    def begin(self) -> Sequence[Operation]:
        """Begin to swallow SYNs."""
        return (self.op("refuse", how="silence"),)

    def heal(self) -> Sequence[Operation]:
        """Let them pass."""
        return (self.op("refuse"),)

    def evidence(self, window: Window, events: Iterable[Event]) -> Evidence:
        """Somebody dialled in the window and no handshake ended well."""
        return dials_failed(window, Traces.of(events), self.link, "")
