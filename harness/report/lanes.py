"""Events in lanes: one column for each actor, time downwards, a band where a fault is in force.

Shows what people do and see, and of the wire's small talk what it is asked for. Deliberately absent: colour, and the words (``sentences``).
"""

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.history.events import Event
from harness.history.plan import Plan
from harness.report.sentences import bare, sentence

_BAND, _CALM = "▒", " "
_TIME_WIDTH = 12
"""Up to ten hours with a blank before; a longer run pushes its words to the right a little."""

_LANE_MIN = 12


@dataclass(frozen=True, slots=True)
class Lanes:
    """Columns for the actors of a plan.

    Attributes:
        actors: host, relay, devices: left to right.
        width: of everything, in characters.
    """

    actors: tuple[str, ...]
    width: int = 110

    @classmethod
    def of(cls, plan: Plan, width: int = 110) -> "Lanes":
        """Lanes for the cast of a plan, hosts left, devices right."""
        order = {"host": 0, "relay": 1, "device": 2}
        cast = sorted(plan.cast, key=lambda actor: order[actor.role])
        return cls(tuple(actor.name for actor in cast), width)

    @property
    def lane(self) -> int:
        """Width of one lane."""
        return max((self.width - _TIME_WIDTH - 4) // len(self.actors), _LANE_MIN)

    def head(self) -> str:
        """The line above: names of the lanes."""
        return f"{'time':>{_TIME_WIDTH}}    " + "".join(f"{name:<{self.lane}}" for name in self.actors).rstrip()

    def lines(self, event: Event, *, faulty: bool, mark: str = " ") -> list[str]:
        """One event: its time, the band, and its words from its actor's lane on; whatever belongs to no lane spans all.

        Words that do not fit go on below, still in their lane; none is cut.
        """
        words = bare(event)
        spans = event.actor not in self.actors or event.kind in ("fault", "story")
        at = 0 if spans else self.actors.index(event.actor) * self.lane
        room = max(self.width - _TIME_WIDTH - 4 - at, _LANE_MIN)
        rows = textwrap.wrap(f"── {words} ──" if spans else words, room, break_on_hyphens=False) or [""]
        starts = [f"{clock(event.t):>{_TIME_WIDTH}} {mark}", *(["".rjust(_TIME_WIDTH + 2)] * (len(rows) - 1))]
        band = _BAND if faulty else _CALM
        return [f"{start}{band} {'':{at}}{row}" for start, row in zip(starts, rows, strict=True)]

    def empty(self, time: str, *, faulty: bool) -> str:
        """A row in which nothing happens."""
        return f"{time:>{_TIME_WIDTH}}  {_BAND if faulty else _CALM}"

    def draw(self, events: Sequence[Event], chosen: Iterable[int], marked: frozenset[int] = frozenset()) -> list[str]:
        """Draw the chosen events.

        Args:
            events: the whole history, so that bands are right.
            chosen: positions of the events to show.
            marked: positions that get a ``>``.

        Returns:
            Lines, the head first; ``...`` where more than a minute was left out.
        """
        wanted = frozenset(chosen)
        lines, active, shown_t = [self.head()], 0, None
        for event in events:
            active += _active_change(event)
            if event.n not in wanted:
                continue
            if shown_t is not None and event.t - shown_t > 60.0:
                lines.append(self.empty("⋮", faulty=active > 0 or event.what == "healed"))
            faulty = active > 0 or event.what == "healed"
            lines += self.lines(event, faulty=faulty, mark=">" if event.n in marked else " ")
            shown_t = event.t
        return lines


def _active_change(event: Event) -> int:
    return {"began": 1, "healed": -1}.get(event.what, 0) if event.kind == "fault" else 0


def clock(t: float) -> str:
    """True seconds as ``1:02:03.456``."""
    minutes, seconds = divmod(t, 60.0)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{seconds:06.3f}"


def loud(events: Iterable[Event]) -> list[int]:
    """Positions of the events that lanes show by themselves."""
    return [event.n for event in events if sentence(event)]


def around(events: Sequence[Event], marked: Iterable[int], context: int = 3, most: int = 18) -> list[int]:
    """Choose what explains the marked events: themselves, their neighbours, and where faults begin and end.

    Returns:
        Positions, ascending; at most about ``most``: of more marked ones the first few and the last; the end where nothing is marked.
    """
    talk = loud(events)
    cited = sorted(set(marked))
    few = most // 3
    chosen = set(cited if len(cited) <= most else cited[:few] + cited[few - most :]) or set(talk[-context:])
    for n in sorted(chosen):
        before = [other for other in talk if other < n][-context:]
        after = [other for other in talk if other > n][:context]
        if len(chosen) < most:
            chosen.update(before, after)
    chosen.update(event.n for event in events if event.kind == "fault" and event.what in ("began", "healed"))
    return sorted(chosen)
