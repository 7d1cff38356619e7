"""What the relay refused, as it crossed the wire, and whether who was told when to come back came no earlier.

Deliberately absent: the last answer to one knock (``credentials``).
"""

from collections.abc import Iterable, Iterator
from typing import Any

from harness.base.rank import Rank
from harness.checks.findings import voice_of
from harness.checks.model import Case, Finding, expectation
from harness.history.events import Event
from harness.history.plan import Expectation

ROUNDING_S = 0.001
"""Two clocks in between: a request so much early is not early."""


def _role(case: Case, entry: Expectation) -> str:
    return next((actor.role for actor in case.plan.cast if actor.name == entry.actor), "host")


@expectation("device", "refused", rank=Rank.WIRE)
@expectation("host", "refused", rank=Rank.WIRE)
def refused(case: Case, entry: Expectation) -> Finding:
    """The relay refused this client by this code at least so often (RC-SES-001.supersedes, RC-OUT-013.limits-rate)."""
    voice, given = voice_of(_role(case, entry), entry), entry.args.get("value")
    value = given if isinstance(given, dict) else {}
    code, least = str(value.get("as")), int(value.get("at_least", 1))
    answers = case.of("wire", "response", entry.actor)
    found = [event for event in answers if event.data.get("problem") == code]
    if not answers:
        return voice.unclear("never-answered", f"the relay answered nothing to {entry.actor}", expected=value)
    if len(found) < least:
        message = f"the relay refused {entry.actor} as {code} {len(found)} times, not {least}"
        return voice.fails("not-refused", message, expected=least, observed=len(found), events=[answers[-1].n])
    return voice.passes(len(found), len(found), expected=least, events=[event.n for event in found])


@expectation("device", "obeys", rank=Rank.WIRE)
@expectation("host", "obeys", rank=Rank.WIRE)
def obeys(case: Case, entry: Expectation) -> Finding:
    """Who is told by ``Retry-After`` when to come back does not ask the same before (RC-OUT-013.obeys-retry-after)."""
    voice = voice_of(_role(case, entry), entry)
    told = [event for event in case.of("wire", "response", entry.actor) if _asks_s(event) > 0.0]
    if not told:
        return voice.unclear("never-told", f"nobody told {entry.actor} when to come back")
    early = list(_early(told, case.of("wire", "request", entry.actor)))
    if early:
        answer, again = early[0]
        message = f"{entry.actor} asked again after {again.t - answer.t:.2f} s, not {_asks_s(answer):g} s"
        cited = [event.n for pair in early for event in pair]
        return voice.fails("came-early", message, expected=_asks_s(answer), observed=again.t - answer.t, events=cited)
    return voice.passes(len(told), len(told), events=[event.n for event in told])


def _asks_s(answer: Event) -> float:
    asked = answer.data.get("retry_after_s")
    return float(asked) if isinstance(asked, (int, float)) else 0.0


def _early(told: Iterable[Event], requests: Iterable[Event]) -> Iterator[tuple[Event, Event]]:
    """Answers that asked for a pause, each with a request of the same that came in it."""
    last: dict[tuple[Any, Any], Event] = {}
    for event in sorted([*told, *requests], key=lambda event: event.n):
        key = (event.data.get("method"), event.data.get("path"))
        if event.what == "response":
            last[key] = event
        elif key in last and event.t < last[key].t + _asks_s(last[key]) - ROUNDING_S:
            yield last[key], event
