"""A proxy holds answers back. Stands for F14: a stream that never starts although all is well (teamclaude 164)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from harness.faults.model import Evidence, Window, fault
from harness.faults.proof import GRACE_S, Traces, judged, total
from harness.faults.shapes import WayOutFault
from harness.history.events import Event


@fault
@dataclass(frozen=True, kw_only=True)
class ProxyBuffers(WayOutFault):
    """An answer is passed on only when it is complete, so an event stream never begins."""

    name: ClassVar[str] = "proxy_buffers"
    worlds: ClassVar[dict[str, str]] = {
        "sim": "the proxy inspects with a CA the machine trusts and holds an answer until its end",
        "wire": "mitmproxy addon that holds answers back",
        "compose": "as in wire, in the proxy's container",
    }

    for_s: float = 300.0

    def settings(self) -> dict[str, Any]:
        """Buffering, by a trusted CA; open tunnels are ended so that it takes hold."""
        return {"buffers": True, "inspects": "trusted", "drop_tunnels": True}

    def evidence(self, window: Window, events: Iterable[Event]) -> Evidence:
        """The proxy held bytes back, and no stream passed it unchanged."""
        traces, since, until = Traces.of(events), window.began_at, window.healed_at
        held = traces.named("middlebox.held", actor=self.machine, since=since, until=until + GRACE_S)
        passed = len(traces.named("middlebox.passed", actor=self.machine, since=since + GRACE_S, until=until))
        attempted = len(held) + passed
        note = f"{len(held)} answers ({total(held, 'bytes')} bytes) to {self.machine} were held back, {passed} passed at once"
        return judged(window, attempted, passed, note)
