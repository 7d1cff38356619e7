"""When things were: moments, deadlines, sleep, last heard, process lives. All in true seconds.

Deliberately absent: any machine's own clock; an ``os`` event tells of suspension, the rest is arithmetic.
"""

import math
from bisect import bisect_right
from dataclasses import dataclass

from harness.base.span import format_span
from harness.checks.model import Case
from harness.history.events import Event
from harness.history.plan import Expectation


def moment_at(case: Case, name: str) -> float | None:
    """When a named moment last was, or None if it never came.

    Besides the moments of the story: ``step`` (the last step's beginning), ``began`` (the last fault's), ``last_heard`` (of the first host).
    """
    if name == "step":
        return _last_t(case.of("story", "step"))
    if name == "began":
        return _last_t(case.of("fault", "began"))
    if name == "last_heard":
        return last_heard_at(case, (case.names("host") or [""])[0], end_at(case))
    return _last_t([event for event in case.of("story", "moment") if event.data.get("name") == name])


def _last_t(events: list[Event]) -> float | None:
    return events[-1].t if events else None


def deadline_at(case: Case, expectation: Expectation) -> float | None:
    """The last accepted moment of an expectation, or None where the end of the run will do; a world that is late itself is forgiven that.

    Without ``of`` a span counts from the beginning of the story's last step.
    """
    if expectation.within_s is None:
        return None
    began_at = moment_at(case, expectation.of or "step")
    if began_at is None:
        return None
    due_at = began_at + expectation.within_s
    return due_at + late_s(case, due_at)


_WORDS = {"step": "the last step", "began": "the beginning of the fault", "last_heard": "the last word heard"}


def span_words(expectation: Expectation) -> str:
    """The span of an expectation, for people: ``within 45s of heal``; empty if it has none."""
    if expectation.within_s is None:
        return ""
    of = expectation.of or "step"
    return f"within {format_span(expectation.within_s)} of {_WORDS.get(of, of)}"


def since_words(case: Case, expectation: Expectation, t: float) -> str:
    """A time, counted as the span of an expectation is: ``1m4s after heal``."""
    of = expectation.of or "step"
    since_s = t - (moment_at(case, of) or 0.0)
    return f"{format_span(abs(since_s))} {'after' if since_s >= 0 else 'before'} {_WORDS.get(of, of)}"


def end_at(case: Case) -> float:
    """When the run ended."""
    last = case.events[-1].t if case.events else 0.0
    return max(last, case.history.footer.simulated_s)


def last_heard_at(case: Case, actor: str, before: float) -> float | None:
    """When the relay's authenticated bytes last reached a client before a time, as the tap saw it."""
    heard = [event.t for event in case.of("wire", "heard", actor)]
    position = bisect_right(heard, before)
    return heard[position - 1] if position else None


def longest_silence(case: Case, actor: str, until: float) -> tuple[float, float]:
    """The longest awake span without the relay: (when it began, how long it was in awake seconds)."""
    heard = [event.t for event in case.of("wire", "heard", actor) if event.t <= until]
    naps = asleep(case, actor)
    spans = [(a, outside_s(naps, a, b)) for a, b in zip(heard, [*heard[1:], until], strict=True)] if heard else []
    return max(spans, key=lambda span: span[1], default=(0.0, 0.0))


LATE_SPAN_S = 60.0
"""World seconds around a time within which a world's own lateness is of it (docs/spec/history.md, ``clock.late``)."""


def late_s(case: Case, t: float) -> float:
    """How late the world itself was around a time: so much later anything may have come that was due; 0 in the simulated world.

    A stall is told when it is over; it began so much earlier as it was late.
    """
    around = [over - began for began, over in stalls(case) if began - LATE_SPAN_S <= t <= over + LATE_SPAN_S]
    return max(around, default=0.0) if case.forgives else 0.0


def stalls(case: Case) -> list[tuple[float, float]]:
    """Spans in which the world itself stood, the worst of each minute; what tells no time is none."""
    told = [(event.t, seconds_in(event, "late_s")) for event in case.of("os", "clock.late")]
    return [(over - late, over) for over, late in told if late > 0]


def seconds_in(event: Event, field: str) -> float:
    """A span that an event tells of, finite and not negative; 0 where it tells none."""
    value = event.data.get(field)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return 0.0
    return max(0.0, float(value))


def asleep(case: Case, actor: str) -> list[tuple[float, float]]:
    """Spans in which an actor's machine was suspended, in order."""
    return _spans(case, actor, "machine.suspended", "machine.resumed")


def frozen(case: Case, actor: str) -> list[tuple[float, float]]:
    """Spans in which an actor's program was stopped while its clocks ran on, in order."""
    return _spans(case, actor, "process.frozen", "process.thawed")


def standing(case: Case, actor: str) -> list[tuple[float, float]]:
    """Spans in which an actor's machine was suspended or its program stopped, in order, none within another's."""
    joined: list[tuple[float, float]] = []
    for began_at, ended_at in sorted([*asleep(case, actor), *frozen(case, actor)]):
        if joined and began_at <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], ended_at))
        else:
            joined.append((began_at, ended_at))
    return joined


def _spans(case: Case, actor: str, begins: str, ends: str) -> list[tuple[float, float]]:
    spans: list[tuple[float, float]] = []
    began_at: float | None = None
    for event in case.by_kind.get("os", ()):
        if event.actor != actor:
            continue
        if event.what == begins:
            began_at = event.t
        elif event.what == ends and began_at is not None:
            spans.append((began_at, event.t))
            began_at = None
    return spans if began_at is None else [*spans, (began_at, end_at(case))]


def awake_between(case: Case, actor: str, began_at: float, ended_at: float) -> float:
    """Seconds of a span in which the actor's machine was awake."""
    return outside_s(asleep(case, actor), began_at, ended_at)


def outside_s(naps: list[tuple[float, float]], began_at: float, ended_at: float) -> float:
    """Seconds of a span that are in none of others, which do not overlap; 0 if it ends before it begins."""
    slept_s = sum(max(0.0, min(b, ended_at) - max(a, began_at)) for a, b in naps)
    return max(0.0, ended_at - began_at - slept_s)


@dataclass(frozen=True, slots=True)
class Life:
    """One incarnation of an actor's program: from its start to its end, ``ended`` is None while it runs."""

    started: Event
    ended: Event | None


def lives(case: Case, actor: str) -> list[Life]:
    """Incarnations of an actor's program, in order."""
    found: list[Life] = []
    for event in case.by_kind.get("os", ()):
        if event.actor == actor and event.what == "process.started":
            found.append(Life(event, None))
        elif event.actor == actor and event.what == "process.exited" and found and found[-1].ended is None:
            found[-1] = Life(found[-1].started, event)
    return found
