"""A machine's credential is revoked. Stands for AUT-13 and F10: a revoked device that keeps live access (90265)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from harness.base.rank import Rank
from harness.faults.model import Evidence, Operation, Window, fault
from harness.faults.proof import GRACE_S, Traces, judged
from harness.faults.shapes import LastingChange, demand
from harness.history.events import Event


@fault
@dataclass(frozen=True, kw_only=True)
class Revoked(LastingChange):
    """The relay is told to revoke everything the machine holds, written ``{phone.revoked: relay}``.

    Attributes:
        at: the relay's name in the cast.
    """

    name: ClassVar[str] = "revoked"
    example: ClassVar[str] = "phone"
    primary: ClassVar[str] = "at"
    worlds: ClassVar[dict[str, str]] = {
        "sim": "verb revoke of the relay",
        "wire": "verb revoke of the relay",
        "compose": "verb revoke of the relay",
    }

    at: str = "relay"

    def __post_init__(self) -> None:
        demand(bool(self.at) and self.at != self.machine, "say which relay revokes, as in `phone.revoked: relay`")

    def begin(self) -> Sequence[Operation]:
        """Revoke."""
        return (Operation("call", {"actor": self.at, "verb": "revoke", "args": {"subject": self.machine}}),)

    def evidence(self, window: Window, events: Iterable[Event]) -> Evidence:
        """The relay says it revoked something, and the machine was still at its doors afterwards.

        Whether those doors were shut is what is on trial, so it is no part of the evidence: ``passed`` stays 0. Where the machine was told
        so, by an answer or a ``bye``, the evidence lies on the wire; where it was not, there is only the relay's word.
        """
        traces = Traces.of(events)
        answers = traces.named("revoke", kind="ok", actor=self.at, since=window.began_at)
        told = [event for event in answers if event.t <= window.healed_at + 60 * GRACE_S]
        count = max((int(event.data.get("revoked", 0)) for event in told), default=0)
        after = [event for event in traces.events if event.kind == "wire" and event.actor == self.machine]
        met = [event for event in after if event.t >= window.began_at] if count else []
        rank = (
            Rank.WIRE if any(_REVOKED in (e.data.get("problem"), e.data.get("reason")) for e in met) else Rank.ADAPTER
        )
        note = (
            f"{self.at} revoked {count} credentials of {self.machine}, which met the relay {len(met)} times afterwards"
        )
        return replace(judged(window, len(met), 0, note), rank=rank)


_REVOKED = "token-revoked"
"""Code of the answer and reason of the ``bye`` that a revoked machine gets (docs/spec/protocol.md)."""
