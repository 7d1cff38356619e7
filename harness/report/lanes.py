"""Events in lanes: one column for each actor, time downwards, a band where a fault is in force.

Shows what people do and see; the wire's small talk (requests, heartbeats, sockets) stays in the history. Deliberately absent: colour.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from harness.base.span import format_span
from harness.history.events import Event
from harness.history.plan import Plan

_BAND, _CALM = "▒", " "
_TIME_WIDTH = 13


def _said(mouth: str) -> Callable[[dict[str, Any]], str]:
    return lambda data: f"{mouth} “{data.get('text', '')}”"


_OS: dict[str, Callable[[dict[str, Any]], str]] = {
    "agent.said": _said("says"),
    "agent.heard": _said("hears"),
    "tool.asked": lambda data: f"asks leave: {data.get('tool')}",
    "tool.ran": lambda data: f"ran {data.get('tool')}",
    "tool.refused": lambda data: f"refused {data.get('tool')}: {data.get('outcome')}",
    "process.started": lambda data: f"program starts (no. {data.get('incarnation')})",
    "process.exited": lambda data: f"program ends, code {data.get('code')} {data.get('reason') or ''}",
    "machine.suspended": lambda _data: "falls asleep",
    "machine.resumed": lambda data: f"wakes after {format_span(float(data.get('slept_s', 0.0)))}",
    "clock.stepped": lambda data: f"calendar moves by {data.get('by_s')} s",
}

_SAW: dict[str, Callable[[dict[str, Any]], str]] = {
    "shown": lambda data: f"sees “{data.get('text')}”" if data.get("text") else f"sees {data.get('kind')}",
    "presence": lambda data: f"shows {data.get('state')}{_because(data)}",
    "status": lambda data: f"shows {data.get('state')}{_because(data)}",
    "exiting": lambda data: f"says goodbye: {data.get('message') or data.get('reason')}",
    "approval": lambda data: f"question {data.get('tool', '')} is {data.get('state')}{_because(data, 'option')}",
    "message": lambda data: f"message reached {data.get('stage')}",
    "stream": lambda data: f"stream {data.get('state')}{_because(data)}",
    "gap": lambda data: f"gap up to {data.get('first')}",
}

_QUIET_VERBS = {"hello", "issue", "screen", "start", "list"}


def _because(data: dict[str, Any], key: str = "reason") -> str:
    return f" ({data[key]})" if data.get(key) else ""


def _called(event: Event) -> str:
    word = {"ok": "accepted", "fail": "refused", "info": "outcome unknown"}[event.kind]
    detail = event.data.get("stage") or event.data.get("code")
    return f"{event.what} {word}" + (f": {detail}" if detail else "")


def sentence(event: Event) -> str:
    """Say in a few words what an event is; empty for small talk that lanes leave out."""
    if event.kind == "os":
        return _OS[event.what](event.data) if event.what in _OS else ""
    if event.kind == "saw":
        return _SAW[event.what](event.data) if event.what in _SAW else ""
    if event.kind in ("ok", "fail", "info"):
        quiet = event.what in _QUIET_VERBS and event.kind == "ok"
        return "" if quiet else _called(event)
    if event.kind == "fault" and event.what in ("began", "healed"):
        return f"{event.data.get('name')} {'begins' if event.what == 'began' else 'is over'}{_effect(event)}"
    if event.kind == "story" and event.what == "failed":
        return f"the story ends here: {event.data.get('why')}"
    return ""


def bare(event: Event) -> str:
    """Say what an event is even if lanes would leave it out: a verdict may rest on it."""
    fields = ", ".join(f"{key}={value}" for key, value in event.data.items() if not isinstance(value, (dict, list)))
    return sentence(event) or f"{event.kind} {event.what} {fields}".rstrip()


def _effect(event: Event) -> str:
    return " (effect switched off)" if event.data.get("effect") is False else ""


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
        return max((self.width - _TIME_WIDTH - 4) // len(self.actors), 12)

    def head(self) -> str:
        """The line above: names of the lanes."""
        return f"{'time':>{_TIME_WIDTH}}    " + "".join(f"{name:<{self.lane}}" for name in self.actors).rstrip()

    def line(self, event: Event, *, faulty: bool, mark: str = " ") -> str:
        """One event: its time, the band, and its words in its actor's lane; whatever belongs to no lane spans all."""
        words = bare(event)
        band = _BAND if faulty else _CALM
        start = f"{clock(event.t):>{_TIME_WIDTH}} {mark}{band} "
        if event.actor not in self.actors or event.kind in ("fault", "story"):
            return start + f"── {words} ──"
        at = self.actors.index(event.actor) * self.lane
        return start + " " * at + words[: self.width - _TIME_WIDTH - 4 - at]

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
            lines.append(self.line(event, faulty=faulty, mark=">" if event.n in marked else " "))
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
        Positions, ascending; at most about ``most``, the marked ones always; the end where nothing is marked.
    """
    talk = loud(events)
    chosen = set(marked) or set(talk[-context:])
    for n in sorted(chosen):
        before = [other for other in talk if other < n][-context:]
        after = [other for other in talk if other > n][:context]
        if len(chosen) < most:
            chosen.update(before, after)
    chosen.update(event.n for event in events if event.kind == "fault" and event.what in ("began", "healed"))
    return sorted(chosen)
