"""The proxy wants another password. Stands for F14 and proxy-password-changed: 407 in mid-session."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from harness.faults.model import Evidence, Window, fault
from harness.faults.proof import Traces
from harness.faults.shapes import WayOutFault
from harness.faults.wayout import answered
from harness.history.events import Event


@fault
@dataclass(frozen=True, kw_only=True)
class ProxyPasswordChanges(WayOutFault):
    """New tunnels with the old password get 407; open tunnels are ended once so that a new one is needed."""

    name: ClassVar[str] = "proxy_password_changes"
    worlds: ClassVar[dict[str, str]] = {
        "sim": "the proxy wants another password and ends its tunnels",
        "wire": "mitmproxy addon that wants another password, connections closed",
        "compose": "as in wire, in the proxy's container",
    }

    for_s: float = 120.0

    def settings(self) -> dict[str, Any]:
        """Another password, open tunnels ended."""
        return {"password": "changed by the administrator", "drop_tunnels": True}

    def evidence(self, window: Window, events: Iterable[Event]) -> Evidence:
        """The proxy answered 407 and let nothing through."""
        return answered(self.machine, window, Traces.of(events), (407,))
