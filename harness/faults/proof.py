"""Reading a history for traces of a fault: what every ``evidence`` is made of.

Only events of the kinds ``os``, ``wire`` and verb outcomes are looked at; a fault's own book-keeping cannot be reached
from here, so it can never count as evidence. Deliberately absent: any opinion on how the system under
test ought to have reacted.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf

from harness.base.rank import Rank
from harness.faults.model import Evidence, Window
from harness.history.events import Event, Kind

GRACE_S = 1.0
"""What was in flight when a fault began or healed may arrive; also the width of the aggregated link events."""

ALIVE = ("agent.", "tool.", "turn.", "process.started", "file.", "dns.", "socket.dialled")
"""Beginnings of os events that only a running machine can cause."""

COMPARED = "clock."
"""Beginning of what the harness makes of a program's answers, told long after they came."""

SPOKEN = ("request", "response", "frame")
"""Wire events that carry the exact time of a client's own read or write; totals and sums over a second do not."""


@dataclass(frozen=True, slots=True)
class Traces:
    """The events of a history, with the look-ups that evidence needs.

    Args:
        events: the whole history in order of time.
    """

    events: tuple[Event, ...]

    @classmethod
    def of(cls, events: Iterable[Event]) -> "Traces":
        """Keep everything but the book-keeping of faults and of the story."""
        return cls(tuple(event for event in events if event.kind not in ("fault", "story")))

    def named(
        self, what: str, *, kind: Kind = "os", actor: str = "", link: str = "", since: float = 0.0, until: float = inf
    ) -> list[Event]:
        """Events of one name, optionally of one actor or link, with ``since <= t <= until`` in true seconds."""
        return [
            event
            for event in self.events
            if event.what == what
            and event.kind == kind
            and since <= event.t <= until
            and (not actor or event.actor == actor)
            and (not link or event.data.get("link") == link)
        ]

    def first(self, what: str, *, actor: str, since: float = 0.0, until: float = inf) -> Event | None:
        """The first os event of a name and actor, or None."""
        return next(iter(self.named(what, actor=actor, since=since, until=until)), None)

    def activity(self, machine: str, after: float, before: float) -> int:
        """Count what only a running ``machine`` can do, strictly between two times."""
        return sum(1 for event in self.events if event.actor == machine and after < event.t < before and _lively(event))

    def heard_on(self, heard_since: dict[str, float]) -> int:
        """Count reads of relay bytes later than they should: ``heard_since`` is conn -> true seconds."""
        return sum(
            1
            for event in self.events
            if event.kind == "wire"
            and event.what == "heard"
            and event.t > heard_since.get(str(event.data.get("conn")), inf)
        )


def _lively(event: Event) -> bool:
    if event.kind == "wire":
        return event.what in SPOKEN
    return (event.kind == "saw" and not event.what.startswith(COMPARED)) or (
        event.kind == "os" and event.what.startswith(ALIVE)
    )


def inside(window: Window) -> Window:
    """Return the window without ``GRACE_S`` at each end; of one shorter than that nothing remains."""
    return Window(window.began_at + GRACE_S, window.healed_at - GRACE_S)


def total(events: Iterable[Event], key: str) -> int:
    """Sum one number over the data of events."""
    return sum(int(event.data.get(key, 0)) for event in events)


def judged(window: Window, attempted: int, passed: int, note: str, *, sure: bool = True) -> Evidence:
    """Conclude from os events: it has bitten if it was tried, nothing passed, and ``sure`` where it asks for more.

    Args:
        window: when.
        attempted: how often the faulted thing was tried.
        passed: how often it got through.
        note: what was seen, one sentence.
        sure: any further condition of the fault.
    """
    return Evidence(Rank.OS, window, attempted, passed, attempted > 0 and passed == 0 and sure, note)
