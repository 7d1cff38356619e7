"""A proxy ends idle tunnels. Stands for F6 behind a proxy: sessions of a fixed length (93016)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from harness.faults.model import Evidence, Window, fault
from harness.faults.proof import Traces, judged
from harness.faults.shapes import WayOutFault, demand
from harness.history.events import Event


@fault
@dataclass(frozen=True, kw_only=True)
class ProxyIdleCuts(WayOutFault):
    """A tunnel idle for longer than ``idle_s`` is closed by the proxy.

    Attributes:
        idle_s: seconds without a byte.
    """

    name: ClassVar[str] = "proxy_idle_cuts"
    worlds: ClassVar[dict[str, str]] = {
        "sim": "the proxy closes tunnels that were idle for so long",
        "wire": "mitmproxy ends tunnels that were idle for so long by the world's clock",
        "compose": "as in wire",
    }

    for_s: float = 600.0
    idle_s: float = 10.0

    def __post_init__(self) -> None:
        super().__post_init__()
        demand(0 < self.idle_s < self.for_s, "`idle` must be shorter than `for`, or nothing is ever cut")

    def settings(self) -> dict[str, Any]:
        """The idle time."""
        return {"idle_s": self.idle_s}

    def evidence(self, window: Window, events: Iterable[Event]) -> Evidence:
        """The proxy ended tunnels that had been idle for long enough."""
        cut = Traces.of(events).named(
            "middlebox.cut", actor=self.machine, since=window.began_at, until=window.healed_at
        )
        idle = [event for event in cut if float(event.data.get("idle_s", 0.0)) >= self.idle_s]
        note = f"{len(idle)} tunnels of {self.machine} were ended after {self.idle_s:.0f} s of silence"
        return judged(window, len(idle), 0, note)
