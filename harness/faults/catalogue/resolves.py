"""A machine's name resolution fails or lies. Stands for OUT-10: a network change that begins with DNS (90774)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from harness.faults.model import Evidence, Operation, Window, fault
from harness.faults.proof import Traces, judged
from harness.faults.shapes import TimedFault
from harness.history.events import Event


@fault
@dataclass(frozen=True, kw_only=True)
class Resolves(TimedFault):
    """Every name the machine asks for is answered so, written ``{host.resolves: nxdomain}``.

    Attributes:
        how: ``nxdomain`` (no such name), ``timeout`` (no answer), ``stale`` (an address where nobody listens any more).
    """

    name: ClassVar[str] = "resolves"
    primary: ClassVar[str] = "how"
    worlds: ClassVar[dict[str, str]] = {
        "sim": "the machine's resolver answers so",
        "wire": "the namespace's resolver is a small DNS server of ours",
        "compose": "the container's resolver is a small DNS server of ours",
    }

    how: Literal["nxdomain", "timeout", "stale"] = "nxdomain"

    def begin(self) -> Sequence[Operation]:
        """Begin to answer so."""
        return (self.op("resolve", how=self.how),)

    def heal(self) -> Sequence[Operation]:
        """Answer rightly again."""
        return (self.op("resolve"),)

    def evidence(self, window: Window, events: Iterable[Event]) -> Evidence:
        """The machine asked for a name in the window and no right answer came."""
        asked = Traces.of(events).named("dns.asked", actor=self.machine, since=window.began_at, until=window.healed_at)
        passed = sum(event.data.get("answer") != self.how for event in asked)
        note = f"{self.machine} asked for {len(asked)} names, {passed} were answered otherwise than {self.how}"
        return judged(window, len(asked), passed, note)
