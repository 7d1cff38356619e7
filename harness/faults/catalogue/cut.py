"""A link is cut. Stands for F1 and F5 of the field: silent drops, one deaf direction, resets (34255, 65861, 31853)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from harness.faults.model import Evidence, Operation, Window, fault
from harness.faults.proof import GRACE_S, Traces, inside, judged, total
from harness.faults.shapes import LinkFault, demand
from harness.history.events import Event

_BLOCKS = {
    "black hole": ("both", "drop"),
    "held": ("both", "hold"),
    "to relay": ("up", "drop"),
    "from relay": ("down", "drop"),
}
"""How -> direction and how of the operation ``block``."""

_NOTICES = {"reset": ("rst", "reset"), "fin": ("fin", "fin")}
_DELIVERY_S = 5.0
"""After the heal: what was kept passes at once, where a busy machine needs a moment for that."""


@fault
@dataclass(frozen=True, kw_only=True)
class Cut(LinkFault):
    """Nothing crosses the link: segments vanish or are kept until it heals, or connections end and new ones are refused.

    Attributes:
        how: ``black hole`` (silence), ``held`` (silence; whatever was said, and that a connection ended, comes in order when it heals, from
            connections that were given up, too), ``reset`` or ``fin`` (live connections end so, new ones are refused), ``to relay`` or
            ``from relay`` (silence in one direction only).
    """

    name: ClassVar[str] = "cut"
    worlds: ClassVar[dict[str, str]] = {
        "sim": "the link drops segments, or takes and keeps them (held); reset and fin end the flows and refuse dials",
        "wire": "toxiproxy: timeout 0 and slow_close (silence), stopped (held), disable and enable (fin); ss -K (reset); nftables refuses dials",
        "compose": "network disconnect (black hole); the toxiproxy container stopped (held); nftables reject (reset)",
    }

    how: Literal["black hole", "held", "reset", "fin", "to relay", "from relay"] = "black hole"

    def __post_init__(self) -> None:
        super().__post_init__()
        demand(
            self.for_s >= 3, "a cut shorter than 3s cannot be told from a slow segment; use `flaps` for short resets"
        )

    def begin(self) -> Sequence[Operation]:
        """Block, or end the connections and refuse new ones."""
        if self.how in _NOTICES:
            return (self.op("refuse", how="rst"), self.op("reset", how=_NOTICES[self.how][0], side="both"))
        direction, how = _BLOCKS[self.how]
        return (self.op("block", direction=direction, how=how),)

    def heal(self) -> Sequence[Operation]:
        """Let traffic pass again."""
        return (self.op("refuse"),) if self.how in _NOTICES else (self.op("unblock"),)

    def evidence(self, window: Window, events: Iterable[Event]) -> Evidence:
        """Something was given to the link and none passed; a reset or close was noticed by somebody, what was held came later."""
        traces, core = Traces.of(events), inside(window)
        direction = _BLOCKS.get(self.how, ("both", ""))[0]
        tried = [
            event
            for event in traces.named("socket.attempted", link=self.link, since=core.began_at, until=core.healed_at)
            if direction in ("both", event.data.get("direction"))
        ]
        attempted, passed = total(tried, "bytes"), total(tried, "passed")
        note = f"{attempted} bytes were given to {self.link} while it was cut, {passed} passed"
        if self.how == "held":
            came = self._came(traces, window)
            return judged(window, attempted, passed, f"{note}, {came} segments came when it healed", sure=came > 0)
        return judged(window, attempted, passed, note, sure=self._noticed(traces, window))

    def _came(self, traces: Traces, window: Window) -> int:
        """How many segments passed that had been kept."""
        healed_at = window.healed_at
        kept = traces.named("link.kept", link=self.link, since=healed_at - GRACE_S, until=healed_at + _DELIVERY_S)
        return total(kept, "segments")

    def _noticed(self, traces: Traces, window: Window) -> bool:
        """Whether a reset or a close reached somebody; silence has nothing to notice."""
        if self.how not in _NOTICES:
            return True
        wanted = (_NOTICES[self.how][1], "refused")
        closed = traces.named("socket.closed", link=self.link, since=window.began_at, until=window.healed_at)
        return any(event.data.get("error") in wanted for event in closed)
