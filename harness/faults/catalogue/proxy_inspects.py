"""A proxy opens TLS. Stands for F14: corporate inspection, with a CA that was installed, or with one that was not (43050)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from harness.faults.model import Evidence, Window, fault
from harness.faults.proof import GRACE_S, Traces, judged
from harness.faults.shapes import WayOutFault
from harness.history.events import Event


@fault
@dataclass(frozen=True, kw_only=True)
class ProxyInspects(WayOutFault):
    """TLS ends at the proxy, written ``{host.proxy_inspects: with an untrusted CA}``.

    Attributes:
        how: whether the machine trusts the proxy's CA.
    """

    name: ClassVar[str] = "proxy_inspects"
    primary: ClassVar[str] = "how"
    worlds: ClassVar[dict[str, str]] = {
        "sim": "the proxy ends TLS with a certificate of its own CA",
        "wire": "mitmproxy, its CA in the machine's bundle or not",
        "compose": "as in wire, in the proxy's container",
    }

    how: Literal["with an untrusted CA", "with a trusted CA"] = "with an untrusted CA"
    for_s: float = 180.0

    @property
    def authority(self) -> str:
        """``trusted`` or ``untrusted``."""
        return "trusted" if self.how == "with a trusted CA" else "untrusted"

    def settings(self) -> dict[str, Any]:
        """Inspection; open tunnels are ended so that it takes hold."""
        return {"inspects": self.authority, "drop_tunnels": True}

    def evidence(self, window: Window, events: Iterable[Event]) -> Evidence:
        """The proxy ended TLS with such a certificate, and no tunnel passed it unchanged."""
        traces, since, until = Traces.of(events), window.began_at, window.healed_at
        seen = traces.named("middlebox.inspected", actor=self.machine, since=since, until=until)
        opened = sum(event.data.get("ca") == self.authority for event in seen)
        passed = len(traces.named("middlebox.passed", actor=self.machine, since=since + GRACE_S, until=until))
        note = f"the proxy opened {opened} connections of {self.machine} and let {passed} pass unopened"
        return judged(window, opened + passed, passed, note)
