"""A middlebox answers in the relay's place. Stands for OUT-10: a VPN's 403 that ended live sessions (90774)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from harness.faults.model import Evidence, Window, fault
from harness.faults.proof import Traces
from harness.faults.shapes import WayOutFault
from harness.faults.wayout import answered
from harness.history.events import Event

_STATUSES = {"403 forbidden": (403,), "html": (200,), "redirect": (302, 307)}


@fault
@dataclass(frozen=True, kw_only=True)
class ProxyAnswers(WayOutFault):
    """Every new tunnel or request is answered by the middlebox, written ``{host.proxy_answers: 403 forbidden}``.

    Attributes:
        how: ``403 forbidden``, ``html`` (200 with a page), or ``redirect`` (to a log-in page).
    """

    name: ClassVar[str] = "proxy_answers"
    primary: ClassVar[str] = "how"
    worlds: ClassVar[dict[str, str]] = {
        "sim": "the proxy answers so and ends its tunnels",
        "wire": "mitmproxy addon that answers so",
        "compose": "as in wire, in the proxy's container",
    }

    how: Literal["403 forbidden", "html", "redirect"] = "403 forbidden"
    for_s: float = 180.0

    def settings(self) -> dict[str, Any]:
        """Such an answer, open tunnels ended."""
        return {"answers": self.how.removeprefix("403 "), "drop_tunnels": True}

    def evidence(self, window: Window, events: Iterable[Event]) -> Evidence:
        """The middlebox answered so and let nothing through."""
        return answered(self.machine, window, Traces.of(events), _STATUSES[self.how])
