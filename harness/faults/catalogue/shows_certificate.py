"""A server shows a certificate that nobody may trust. Stands for the refusal beside certificate-rotated (43050)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from harness.faults.model import Evidence, Operation, Window, fault
from harness.faults.proof import Traces, judged
from harness.faults.shapes import TimedFault
from harness.history.events import Event


@fault
@dataclass(frozen=True, kw_only=True)
class ShowsCertificate(TimedFault):
    """New handshakes are shown a bad certificate, written ``{relay.shows_certificate: expired}``; live connections go on.

    Attributes:
        how: ``expired``, ``wrong name``, or ``untrusted`` (of a CA that nobody knows).
    """

    name: ClassVar[str] = "shows_certificate"
    example: ClassVar[str] = "relay"
    primary: ClassVar[str] = "how"
    worlds: ClassVar[dict[str, str]] = {
        "sim": "new server contexts use a certificate of this kind",
        "wire": "the tap, which ends TLS beside the relay, shows another certificate",
        "compose": "as in wire, in the mounted folder",
    }

    how: Literal["expired", "wrong name", "untrusted"] = "expired"

    def begin(self) -> Sequence[Operation]:
        """Put the bad certificate in place."""
        return (self.op("certify", how=self.how.replace(" ", "_")),)

    def heal(self) -> Sequence[Operation]:
        """Put the good one back."""
        return (self.op("certify"),)

    def evidence(self, window: Window, events: Iterable[Event]) -> Evidence:
        """Somebody began a TLS handshake in the window, and nobody was shown another certificate."""
        shown = Traces.of(events).named(
            "certificate.shown", actor=self.machine, since=window.began_at, until=window.healed_at
        )
        passed = sum(event.data.get("how") != self.how.replace(" ", "_") for event in shown)
        note = f"{self.machine} showed its certificate {len(shown)} times, {passed} of them not {self.how}"
        return judged(window, len(shown), passed, note)
