"""A link is cut. Stands for F1 and F5 of the field: silent drops, one deaf direction, resets (34255, 65861, 31853)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from harness.faults.model import Evidence, Operation, Window, fault
from harness.faults.proof import Traces, inside, judged, total
from harness.faults.shapes import LinkFault, demand
from harness.history.events import Event

_DIRECTIONS = {"to relay": ("up",), "from relay": ("down",)}
_NOTICES = {"reset": ("rst", "reset"), "fin": ("fin", "fin")}


@fault
@dataclass(frozen=True, kw_only=True)
class Cut(LinkFault):
    """Nothing crosses the link: segments vanish, or connections are aborted or closed and new ones refused.

    Attributes:
        how: ``black hole`` (silence), ``reset`` or ``fin`` (live connections end so, new ones are refused),
            ``to relay`` or ``from relay`` (silence in one direction only).
    """

    name: ClassVar[str] = "cut"
    worlds: ClassVar[dict[str, str]] = {
        "sim": "the link drops segments; reset and fin end the flows and refuse dials",
        "wire": "toxiproxy: timeout 0 and slow_close (silence), disable and enable (fin); ss -K (reset); nftables refuses dials",
        "compose": "network disconnect (black hole); nftables reject (reset)",
    }

    how: Literal["black hole", "reset", "fin", "to relay", "from relay"] = "black hole"

    def __post_init__(self) -> None:
        super().__post_init__()
        demand(
            self.for_s >= 3, "a cut shorter than 3s cannot be told from a slow segment; use `flaps` for short resets"
        )

    def begin(self) -> Sequence[Operation]:
        """Block, or end the connections and refuse new ones."""
        if self.how in _NOTICES:
            return (self.op("refuse", how="rst"), self.op("reset", how=_NOTICES[self.how][0], side="both"))
        directions = _DIRECTIONS.get(self.how, ("both",))
        return (self.op("block", direction=directions[0], how="drop"),)

    def heal(self) -> Sequence[Operation]:
        """Let traffic pass again."""
        return (self.op("refuse"),) if self.how in _NOTICES else (self.op("unblock"),)

    def evidence(self, window: Window, events: Iterable[Event]) -> Evidence:
        """Something was given to the link and none of it passed; a reset or a close was also noticed by somebody."""
        traces, core = Traces.of(events), inside(window)
        directions = _DIRECTIONS.get(self.how, ("up", "down"))
        tried = [
            event
            for event in traces.named("socket.attempted", link=self.link, since=core.began_at, until=core.healed_at)
            if event.data.get("direction") in directions
        ]
        attempted, passed = total(tried, "bytes"), total(tried, "passed")
        note = f"{attempted} bytes were given to {self.link} while it was cut, {passed} passed"
        return judged(window, attempted, passed, note, sure=self._noticed(traces, window))

    def _noticed(self, traces: Traces, window: Window) -> bool:
        """Whether a reset or a close reached somebody; silence has nothing to notice."""
        if self.how not in _NOTICES:
            return True
        wanted = (_NOTICES[self.how][1], "refused")
        closed = traces.named("socket.closed", link=self.link, since=window.began_at, until=window.healed_at)
        return any(event.data.get("error") in wanted for event in closed)
