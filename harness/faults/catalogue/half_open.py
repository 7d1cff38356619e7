"""One end of a connection is gone and the other does not know. Stands for OUT-8 and F5 (77252, 82375)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from harness.faults.flows import forgotten, gone_dark
from harness.faults.model import Evidence, Operation, Window, fault
from harness.faults.proof import Traces
from harness.faults.shapes import LinkFault
from harness.history.events import Event


@fault
@dataclass(frozen=True, kw_only=True)
class HalfOpen(LinkFault):
    """The live connections of a link go dark without FIN or RST; new ones work.

    Attributes:
        at: the end that still believes in them: ``dialler`` or ``relay``; the other end closes its side at once.
        for_s: how long the story waits under the fault; there is nothing to heal.
    """

    name: ClassVar[str] = "half_open"
    worlds: ClassVar[dict[str, str]] = {
        "sim": "the flows are forgotten; what the believing end sends vanishes",
        "wire": "nftables drops the connections' packets, the kernel aborts one end behind that (ss -K)",
        "compose": "nftables drop of the established flows in the router container",
    }

    at: Literal["dialler", "relay"] = "dialler"

    def begin(self) -> Sequence[Operation]:
        """Let one side believe in dead connections."""
        return (self.op("reset", how="half_open", side="up" if self.at == "dialler" else "down"),)

    def heal(self) -> Sequence[Operation]:
        """Nothing: a dead connection stays dead."""
        return ()

    def evidence(self, window: Window, events: Iterable[Event]) -> Evidence:
        """The believing end gave something to a dead connection and nothing came of it."""
        traces = Traces.of(events)
        flows = forgotten(traces, window, "half_open", until=window.healed_at)
        return gone_dark(window, traces, [event for event in flows if event.data.get("link") == self.link])
