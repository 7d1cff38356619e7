"""A captive portal stands before the network. Stands for OUT-10: a hotel's page, and no token must reach it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from harness.faults.model import Evidence, Window, fault
from harness.faults.proof import GRACE_S, Traces, judged
from harness.faults.shapes import WayOutFault
from harness.history.events import Event


@fault
@dataclass(frozen=True, kw_only=True)
class CaptivePortal(WayOutFault):
    """TLS meets a certificate nobody trusts, plain HTTP a redirect, until somebody accepts the terms (it heals)."""

    name: ClassVar[str] = "captive_portal"
    worlds: ClassVar[dict[str, str]] = {
        "sim": "the middlebox ends TLS with an untrusted certificate and redirects plain HTTP",
        "wire": "every name leads to mitmproxy with an unknown CA; nftables drops the rest",
        "compose": "as in wire, in the router's container",
    }

    for_s: float = 180.0

    def settings(self) -> dict[str, Any]:
        """The portal is closed, open connections are ended."""
        return {"portal": True, "drop_tunnels": True}

    def evidence(self, window: Window, events: Iterable[Event]) -> Evidence:
        """The portal met a connection of the machine, and none got past it."""
        traces, since, until = Traces.of(events), window.began_at, window.healed_at
        seen = traces.named("middlebox.inspected", actor=self.machine, since=since, until=until)
        met = sum(event.data.get("ca") == "untrusted" for event in seen)
        met += len(traces.named("middlebox.answered", actor=self.machine, since=since, until=until))
        passed = len(traces.named("middlebox.passed", actor=self.machine, since=since + GRACE_S, until=until))
        note = f"the portal met {met} connections of {self.machine} and let {passed} pass"
        return judged(window, met + passed, passed, note)
