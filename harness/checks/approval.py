"""Approvals: no tool runs without an allow for that very request, one decision wins, everybody is told.

What ran is the scripted agent's journal; what was allowed is the log as it crossed the wire. Deliberately absent: what a host says it checked.
Source: APR-1, APR-2, APR-5.
"""

from collections import defaultdict
from dataclasses import dataclass

from harness.base.rank import Rank
from harness.checks.blindness import says_unseen, unseen
from harness.checks.findings import Voice, voice_of
from harness.checks.model import Case, Finding, expectation, invariant
from harness.checks.streams import device_streams, entries
from harness.checks.when import deadline_at, since_words, span_words
from harness.checks.words import text_of
from harness.history.events import Event
from harness.history.plan import Expectation


@expectation("host", "ran", rank=Rank.OS)
def ran(case: Case, entry: Expectation) -> Finding:
    """This tool ran, as often as said; ``times: 0``: never (RC-APR-001)."""
    voice, tool = voice_of("host", entry), entry.args.get("value")
    asked = [event for event in case.of("os", "tool.asked", entry.actor) if event.data.get("tool") == tool]
    runs = [event for event in case.of("os", "tool.ran", entry.actor) if event.data.get("tool") == tool]
    if not asked and not runs:
        return voice.unclear("never-asked", f"the session of {entry.actor} never asked to run {tool!r}")
    wanted, cited = entry.times, [event.n for event in [*asked, *runs]]
    if wanted is not None and len(runs) > wanted:
        code = "ran-unapproved" if wanted == 0 else "ran-again"
        told = f"{tool!r} ran {len(runs)} times, not {wanted}"
        return voice.fails(code, told, expected=wanted, observed=len(runs), events=cited)
    if len(runs) < (1 if wanted is None else wanted):
        return voice.fails("did-not-run", f"{tool!r} ran {len(runs)} times", expected=wanted or 1, events=cited)
    deadline = deadline_at(case, entry)
    if runs and deadline is not None and runs[0].t > deadline:
        told = f"{tool!r} ran {runs[0].t - deadline:.1f} s too late"
        observed = since_words(case, entry, runs[0].t)
        return voice.fails("late", told, expected=span_words(entry), observed=observed, events=cited)
    return voice.passes(len(asked), len(runs), expected=wanted, events=cited)


@expectation("device", "approval")
def approval(case: Case, entry: Expectation) -> Finding:
    """A request as this device showed it: ``pending``, ``resolved``, ``withdrawn`` (RC-APR-005)."""
    voice, value = voice_of("device", entry), entry.args.get("value")
    tool, wanted = (value.get("of"), value.get("is")) if isinstance(value, dict) else (None, None)
    shown = [event for event in case.of("saw", "approval", entry.actor) if event.data.get("tool") == tool]
    if not any(event.data.get("tool") == tool for event in case.of("os", "tool.asked")):
        return voice.unclear("never-asked", f"no session ever asked to run {tool!r}")
    deadline = deadline_at(case, entry)
    states = [str(event.data.get("state")) for event in shown if deadline is None or event.t <= deadline]
    cited = [event.n for event in shown]
    holds = states[-1:] == [wanted] or (deadline is not None and wanted in states)
    if not holds:
        told = f"{entry.actor} shows {tool!r} as {states[-1] if states else 'nothing'}, not {wanted}"
        return voice.fails("wrong-approval", told, expected=wanted, observed=states, events=cited)
    return voice.passes(len(states), states[-1], expected=wanted, events=cited)


@invariant("fails-closed", "RC-APR-001.fail-closed")
def fails_closed(case: Case) -> list[Finding]:
    """A tool runs only after an allow entry for its own request was read by the host, and runs once for each question (APR-1, APR-2, APR-4).

    An allow names the digest of what was asked, whatever the relay let pass. It is used up by the run that it allows: what a host remembers of an
    earlier one allows nothing.
    """
    voice = Voice("RC-APR-001.fail-closed", "fails-closed")
    runs, asked, blind = case.of("os", "tool.ran"), case.of("os", "tool.asked"), unseen(case)
    if (asked and not case.by_kind.get("wire")) or any(event.actor in blind for event in runs):
        return [voice.unclear("tap-blind", f"nobody knows what was allowed; {says_unseen(blind or ('host',))}")]
    if not asked and not runs:
        return [voice.silent("no tool asked")]
    first = {(event.actor, str(event.data.get("call")), _born(case, event)): event for event in reversed(runs)}
    unapproved = _first_unapproved(case, [event for event in runs if event in first.values()])
    if unapproved is not None:
        told = f"{unapproved.data.get('tool')!r} ran at {unapproved.t:.1f} s; no allow of its own had reached {unapproved.actor}"
        return [voice.fails("ran-unapproved", told, events=[unapproved.n])]
    twice = [event for event in runs if event not in first.values()] + case.of("os", "tool.answered_again")
    if twice:
        return [voice.fails("ran-twice", f"{twice[0].actor} answered one question twice", events=[e.n for e in twice])]
    return [voice.passes(len(asked), len(runs), events=[event.n for event in asked])]


def _born(case: Case, event: Event, actor: str = "") -> int:
    """Which incarnation of a host an event belongs to; an agent counts its calls anew in each."""
    return sum(start.n < event.n for start in case.of("os", "process.started", actor or event.actor))


@dataclass(frozen=True, slots=True)
class _Allow:
    """A request that a host read an allow for: when first, for which tool, and of which call of which incarnation; call "" is unknown."""

    t: float
    tool: str
    call: str
    born: int

    def covers(self, run: Event, born: int) -> bool:
        """Whether this run is what was allowed."""
        own = not self.call or (self.call, self.born) == (str(run.data.get("call")), born)
        return self.t <= run.t and self.tool == run.data.get("tool") and own


@dataclass(frozen=True, slots=True)
class _Question:
    """A request as it first crossed the wire; call "" is unknown, and so is a digest that is None."""

    event: Event
    tool: str
    call: str
    digest: object


def _first_unapproved(case: Case, runs: list[Event]) -> Event | None:
    """The first run for which no allow is left."""
    left = _allows(case)
    for run in runs:
        born = _born(case, run)
        allow = next((one for one in left[run.actor] if one.covers(run, born)), None)
        if allow is None:
            return run
        left[run.actor].remove(allow)
    return None


def _allows(case: Case) -> dict[str, list[_Allow]]:
    """Host -> one allow for each request, when its decision was first read from the wire; those of a known call stand first."""
    asked = _asked(case)
    found: dict[str, dict[str, _Allow]] = defaultdict(dict)
    for event in entries(case):
        data, request = event.data, str(event.data.get("request"))
        if data.get("kind") != "permission_decision" or not str(data.get("option", "")).startswith("allow"):
            continue
        question = asked.get(request)
        if question is not None and question.digest == data.get("digest"):
            allow = _Allow(event.t, question.tool, question.call, _born(case, question.event, event.actor))
            found[event.actor].setdefault(request, allow)
    return defaultdict(
        list, {host: sorted(allows.values(), key=lambda one: not one.call) for host, allows in found.items()}
    )


def _asked(case: Case) -> dict[str, _Question]:
    """Request id -> what was asked, from what hosts published and devices read."""
    found: dict[str, _Question] = {}
    for event in case.by_kind.get("wire", ()):
        items = event.data.get("items", ()) if event.what == "request" else [event.data | {"text": text_of(event)}]
        for item in items if isinstance(items, (list, tuple)) else ():
            if isinstance(item, dict) and item.get("kind") == "permission_request":
                told = _Question(event, str(item.get("text", "")), str(item.get("call", "")), item.get("digest"))
                found.setdefault(str(item.get("request")), told)
    return found


@invariant("one-decision", "RC-APR-002.first-wins")
def one_decision(case: Case) -> list[Finding]:
    """At most one terminal entry for each request, and every attached device is shown that it is settled (APR-2, APR-5)."""
    voice = Voice("RC-APR-002.first-wins", "one-decision")
    terminal: dict[tuple[str, str], dict[int, Event]] = defaultdict(dict)
    for event in entries(case):
        if event.data.get("kind") in ("permission_decision", "permission_withdrawn"):
            key = (str(event.data.get("session")), str(event.data.get("request")))
            terminal[key][int(event.data.get("seq") or 0)] = event
    for (_, request), settled in terminal.items():
        if len(settled) > 1:
            told = f"{request} was settled {len(settled)} times"
            return [voice.fails("two-decisions", told, events=[event.n for event in settled.values()])]
        missed = _not_told(case, request)
        if missed is not None:
            return [
                voice.fails(
                    "not-told", f"{missed} still shows {request} as pending", events=[e.n for e in settled.values()]
                )
            ]
    return [voice.passes(len(terminal), "settled once") if terminal else voice.silent("nothing was settled")]


def _not_told(case: Case, request: str) -> str | None:
    """A device that is attached at the end and still shows a settled request as pending."""
    for device in case.names("device"):
        states = [e.data.get("state") for e in case.of("saw", "approval", device) if e.data.get("request") == request]
        streams = device_streams(case, device)
        if states[-1:] == ["pending"] and streams and streams[-1].closed_at is None:
            return device
    return None
