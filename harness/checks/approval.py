"""Approvals: no tool runs without an allow for that very request, one decision wins, everybody is told.

What ran is the scripted agent's journal; what was allowed is the log as it crossed the wire. Deliberately absent: what a host says it checked.
Source: APR-1, APR-2, APR-5.
"""

from collections import Counter, defaultdict

from harness.base.rank import Rank
from harness.checks.findings import Voice, voice_of
from harness.checks.model import Case, Finding, expectation, invariant
from harness.checks.streams import device_streams, entries
from harness.checks.when import deadline_at
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
        return voice.fails("late", told, expected=deadline, observed=runs[0].t, events=cited)
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
    """A tool runs only after an allow entry for its request was read by the host, and runs once for each question (APR-1, APR-2)."""
    voice = Voice("RC-APR-001.fail-closed", "fails-closed")
    runs = case.of("os", "tool.ran")
    asked = case.of("os", "tool.asked")
    if asked and not case.by_kind.get("wire"):
        return [voice.unclear("tap-blind", "nothing was seen on the wire, so nobody knows what was allowed")]
    allowed = _allowed_at(case)
    for event in runs:
        if not any(at <= event.t for at in allowed[event.actor, str(event.data.get("tool"))]):
            told = f"{event.data.get('tool')!r} ran at {event.t:.1f} s; no allow for it had reached {event.actor}"
            return [voice.fails("ran-unapproved", told, events=[event.n])]
    calls = Counter((event.actor, str(event.data.get("call")), _born(case, event)) for event in runs)
    twice = [event for event in runs if calls[event.actor, str(event.data.get("call")), _born(case, event)] > 1]
    twice += case.of("os", "tool.answered_again")
    if twice:
        return [voice.fails("ran-twice", f"{twice[0].actor} answered one question twice", events=[e.n for e in twice])]
    return [
        voice.passes(len(asked), len(runs), events=[e.n for e in asked]) if asked else voice.silent("no tool asked")
    ]


def _born(case: Case, event: Event) -> int:
    """Which incarnation of the host an event belongs to; an agent counts its calls anew in each."""
    return sum(start.n < event.n for start in case.of("os", "process.started", event.actor))


def _allowed_at(case: Case) -> dict[tuple[str, str], list[float]]:
    """(host, tool) -> when an allow for a request about that tool was read from the wire by that host."""
    tools = _tools(case)
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for event in entries(case):
        data = event.data
        if data.get("kind") == "permission_decision" and str(data.get("option", "")).startswith("allow"):
            found[event.actor, tools.get(str(data.get("request")), "")].append(event.t)
    return found


def _tools(case: Case) -> dict[str, str]:
    """Request id -> tool, from what hosts published and devices read."""
    items = [
        item
        for event in case.of("wire", "request")
        for item in event.data.get("items", ())
        if isinstance(item, dict) and item.get("kind") == "permission_request"
    ]
    return {
        str(event.data.get("request")): text_of(event)
        for event in entries(case)
        if event.data.get("kind") == "permission_request"
    } | {str(item.get("request")): str(item.get("text", "")) for item in items}


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
