"""A server gets another certificate. Stands for certificate-rotated: a renewal that must cost nobody anything."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from harness.faults.model import Evidence, Operation, Window, fault
from harness.faults.proof import Traces, judged
from harness.faults.shapes import TimedFault
from harness.history.events import Event


@fault
@dataclass(frozen=True, kw_only=True)
class RotatesCertificate(TimedFault):
    """From now on the server shows a new certificate of the same CA and name; live connections go on.

    Attributes:
        for_s: how long the story waits under the fault; the new certificate stays.
    """

    name: ClassVar[str] = "rotates_certificate"
    example: ClassVar[str] = "relay"
    worlds: ClassVar[dict[str, str]] = {
        "sim": "new server contexts use another key and serial number of the same CA",
        "wire": "the tap, which ends TLS beside the relay, shows another certificate",
        "compose": "as in wire, in the mounted folder",
    }

    def begin(self) -> Sequence[Operation]:
        """Put the new certificate in place."""
        return (self.op("certify", how="rotated"),)

    def heal(self) -> Sequence[Operation]:
        """Nothing: the new certificate stays."""
        return ()

    def evidence(self, window: Window, events: Iterable[Event]) -> Evidence:
        """The first TLS handshake afterwards was shown the new certificate."""
        shown = Traces.of(events).first("certificate.shown", actor=self.machine, since=window.began_at)
        if shown is None:
            return judged(window, 0, 0, f"nobody began a TLS handshake with {self.machine} afterwards")
        passed = int(shown.data.get("how") != "rotated")
        return judged(
            window, 1, passed, f"{self.machine} showed a {shown.data.get('how')} certificate at {shown.t:.3f} s"
        )
