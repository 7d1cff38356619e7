"""A machine gets another address. Stands for F1: from Wi-Fi to a phone's hot spot, every connection goes dark (32819)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from harness.faults.flows import forgotten, gone_dark
from harness.faults.model import Evidence, Operation, Window, fault
from harness.faults.proof import Traces, judged
from harness.faults.shapes import TimedFault
from harness.history.events import Event


@fault
@dataclass(frozen=True, kw_only=True)
class Roams(TimedFault):
    """The address changes at once; connections of the old address go dark, new ones work.

    Attributes:
        for_s: how long the story waits under the fault; the new address stays.
    """

    name: ClassVar[str] = "roams"
    worlds: ClassVar[dict[str, str]] = {
        "sim": "the machine's interface gets another address; flows of the old one are forgotten",
        "wire": "another address in the namespace, the old one removed",
        "compose": "network disconnect, then connect to another network",
    }

    def begin(self) -> Sequence[Operation]:
        """Move to another network."""
        return (self.op("move"),)

    def heal(self) -> Sequence[Operation]:
        """Nothing: the new address stays."""
        return ()

    def evidence(self, window: Window, events: Iterable[Event]) -> Evidence:
        """The address changed, the machine's old connections were still given bytes, and nothing came of it."""
        traces = Traces.of(events)
        moved = traces.first("address.changed", actor=self.machine, since=window.began_at, until=window.healed_at)
        if moved is None:
            return judged(window, 0, 0, f"{self.machine} kept its address")
        own = {event.data.get("conn") for event in traces.named("socket.dialled", actor=self.machine)}
        flows = forgotten(traces, window, "moved", until=window.healed_at)
        return gone_dark(window, traces, [event for event in flows if event.data.get("conn") in own])
