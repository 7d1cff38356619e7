"""A proxy puts its own hand on Authorization. Stands for F14: registers, then 401 on the stream (sbx-releases 8)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from harness.faults.model import Evidence, Window, fault
from harness.faults.proof import GRACE_S, Traces, judged
from harness.faults.shapes import WayOutFault
from harness.history.events import Event


@fault
@dataclass(frozen=True, kw_only=True)
class ProxyRewritesAuth(WayOutFault):
    """The Authorization header of every request is taken out or replaced, written ``{host.proxy_rewrites_auth: strip}``.

    Attributes:
        how: ``strip``, ``replace`` (by a credential of the proxy's own), or ``mix_up`` (by the first one that comes by from then on).
    """

    name: ClassVar[str] = "proxy_rewrites_auth"
    primary: ClassVar[str] = "how"
    worlds: ClassVar[dict[str, str]] = {
        "sim": "the proxy inspects with a CA the machine trusts and changes the header",
        "wire": "mitmproxy addon that changes the header",
        "compose": "as in wire, in the proxy's container",
    }

    how: Literal["strip", "replace", "mix_up"] = "strip"
    for_s: float = 180.0

    def settings(self) -> dict[str, Any]:
        """Inspection by a trusted CA and the change; open tunnels are ended so that it takes hold."""
        return {"rewrites_auth": self.how, "inspects": "trusted", "drop_tunnels": True}

    def evidence(self, window: Window, events: Iterable[Event]) -> Evidence:
        """The proxy changed requests, and let none pass unchanged."""
        traces, since, until = Traces.of(events), window.began_at, window.healed_at
        changed = len(traces.named("middlebox.rewrote", actor=self.machine, since=since, until=until))
        passed = len(traces.named("middlebox.passed", actor=self.machine, since=since + GRACE_S, until=until))
        note = f"the proxy changed Authorization in {changed} requests of {self.machine} and let {passed} pass"
        return judged(window, changed + passed, passed, note)
