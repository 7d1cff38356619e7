"""What terminals and devices show of a session: status, presence, list, title, messages; and that a session stays the same one.

A state that must hold ``within`` a span may hold at any point of it; without a span it must hold at the end. Deliberately absent: whether what
is shown is true (``presence``).
"""

from collections import defaultdict

from harness.checks.findings import Voice, voice_of
from harness.checks.model import Case, Finding, expectation, invariant
from harness.checks.streams import entries
from harness.checks.when import deadline_at, end_at, moment_at, span_words
from harness.checks.words import calls, counted, heard, text_of
from harness.history.events import Event
from harness.history.plan import Expectation

STAGES = {"sent": 0, "relay_stored": 1, "host_received": 2, "host_applied": 3}


@expectation("host", "shows")
def host_shows(case: Case, entry: Expectation) -> Finding:
    """What the terminal shows: a connection status, the code, the address (RC-ART-006, RC-OPS-002)."""
    voice, value = voice_of("host", entry), entry.args.get("value")
    if value in ("qr", "no qr", "url"):
        return _on_screen(case, voice, entry)
    return _state(case, voice, entry, case.of("saw", "status", entry.actor), "wrong-status")


def _on_screen(case: Case, voice: Voice, entry: Expectation) -> Finding:
    screens = case.of("ok", "screen", entry.actor)
    if not screens:
        return voice.unclear("no-screen", f"{entry.actor} was never asked what it shows")
    data, value = screens[-1].data, entry.args.get("value")
    shows = bool(data.get("url")) if value == "url" else bool(data.get("qr")) is (value == "qr")
    if not shows:
        seen = {"url": bool(data.get("url")), "qr": data.get("qr")}
        message = f"the terminal of {entry.actor} does not show {value}"
        return voice.fails("wrong-status", message, expected=value, observed=seen, events=[screens[-1].n])
    return voice.passes(1, value, expected=value, events=[screens[-1].n])


@expectation("device", "shows")
def device_shows(case: Case, entry: Expectation) -> Finding:
    """Presence of the host as the device showed it (RC-OPS-002.truthful, RC-SES-003)."""
    return _state(case, voice_of("device", entry), entry, case.of("saw", "presence", entry.actor), "wrong-presence")


def _state(case: Case, voice: Voice, entry: Expectation, changes: list[Event], code: str) -> Finding:
    value = entry.args.get("value")
    if not changes:
        return voice.unclear("nothing-shown", f"{entry.actor} never showed a state", expected=value)
    states = [event.data.get("state") for event in changes]
    if entry.times == 0:
        wrong = [event for event in _in_force(case, entry, changes) if event.data.get("state") == value]
        if wrong:
            message = f"{entry.actor} showed {value} although it must not"
            return voice.fails("unexpected", message, expected="never", observed=states, events=[e.n for e in wrong])
        return voice.passes(len(changes), states[-1], expected=f"never {value}", events=[e.n for e in changes])
    looked_at = _in_force(case, entry, changes)
    right = [event for event in looked_at if event.data.get("state") == value]
    if right:
        return voice.passes(len(changes), value, expected=value, events=[event.n for event in right])
    seen = [event.data.get("state") for event in looked_at[-5:]]
    message = f"{entry.actor} shows {states[-1]}, not {value}"
    if deadline_at(case, entry) is not None:
        message = f"{entry.actor} showed {', '.join(map(str, seen)) or 'nothing'} {span_words(entry)}, not {value}"
    cited = [event.n for event in looked_at[-5:] or changes[:1]]
    return voice.fails(code, message, expected=value, observed=seen, events=cited)


def _in_force(case: Case, entry: Expectation, changes: list[Event]) -> list[Event]:
    """The states in force in the span of an expectation, or the last one; of ``times: 0`` without a span all of them."""
    deadline = deadline_at(case, entry)
    if deadline is None:
        return changes if entry.times == 0 else changes[-1:]
    began_at = moment_at(case, entry.of or "step") or 0.0
    until = [*(event.t for event in changes[1:]), end_at(case)]
    return [event for event, end in zip(changes, until, strict=True) if event.t <= deadline and end >= began_at]


@expectation("device", "message")
def message(case: Case, entry: Expectation) -> Finding:
    """The stage a message of this device reached; a stage claimed but not reached is a lie (RC-ORD-011)."""
    voice, value = voice_of("device", entry), entry.args.get("value")
    text, wanted = (str(value.get("of", "")), str(value.get("reaches", ""))) if isinstance(value, dict) else ("", "")
    sent = [one for one in calls(case, "send", entry.actor) if one.text == text]
    if not sent:
        return voice.unclear("never-said", f"{entry.actor} never sent {text!r}")
    answer = sent[-1].answer
    reached = _stages(case, entry.actor, text, answer)
    cited = [event.n for event, _ in reached]
    stages = [stage for _, stage in reached]
    if "host_applied" in stages and not any(counted(heard(case, host))[text] for host in case.names("host")):
        told = f"{entry.actor} was told that {text!r} was applied; no session ever heard it"
        return voice.fails("stage-lied", told, expected=wanted, observed=stages, events=cited)
    if not _reaches(stages, wanted):
        told = f"{text!r} reached {(stages and stages[-1]) or 'no stage'}, not {wanted}"
        return voice.fails("stage-not-reached", told, expected=wanted, observed=stages, events=cited)
    return voice.passes(len(reached), stages[-1], expected=wanted, events=cited)


def _stages(case: Case, actor: str, text: str, answer: Event | None) -> list[tuple[Event, str]]:
    """Stages that the device was told of, in order, by answer and by event."""
    ids = {answer.data.get("msg_id")} if answer is not None else set()
    ids |= {event.data.get("msg_id") for event in case.of("wire", "request", actor) if text_of(event) == text}
    told = (
        [] if answer is None else [(answer, str(answer.data.get("stage", "failed" if answer.kind == "fail" else "")))]
    )
    later = [event for event in case.of("saw", "message", actor) if event.data.get("msg_id") in ids - {None}]
    return [*told, *((event, str(event.data.get("stage", ""))) for event in later)]


def _reaches(stages: list[str], wanted: str) -> bool:
    if wanted not in STAGES:
        return wanted in stages
    return any(STAGES.get(stage, -1) >= STAGES[wanted] for stage in stages)


@expectation("device", "list")
def listed(case: Case, entry: Expectation) -> Finding:
    """The last list of sessions (RC-ART-011.listed)."""
    voice, value = voice_of("device", entry), entry.args.get("value")
    answers = case.of("ok", "list", entry.actor)
    if not answers or not isinstance(value, dict):
        return voice.unclear("never-listed", f"{entry.actor} never got a list")
    sessions = answers[-1].data.get("sessions")
    rows = [row for row in sessions if isinstance(row, dict)] if isinstance(sessions, list) else []
    seen = {"sessions": len(rows), "title": [row.get("title") for row in rows], "presence": [_of(row) for row in rows]}
    right = all(
        wanted == seen["sessions"] if name == "sessions" else wanted in (seen.get(name) or ())  # type: ignore[operator]
        for name, wanted in value.items()
    )
    if not right:
        told = f"{entry.actor} lists {seen}, not {value}"
        return voice.fails("wrong-list", told, expected=value, observed=seen, events=[answers[-1].n])
    return voice.passes(1, seen, expected=value, events=[answers[-1].n])


def _of(row: dict[str, object]) -> object:
    presence = row.get("presence")
    return presence.get("state") if isinstance(presence, dict) else presence


@expectation("device", "title")
def title(case: Case, entry: Expectation) -> Finding:
    """The session's title as the device shows it (RC-ART-009.renames)."""
    voice, value = voice_of("device", entry), entry.args.get("value")
    screens = case.of("ok", "screen", entry.actor)
    if not screens:
        return voice.unclear("no-screen", f"{entry.actor} was never asked what it shows")
    seen = screens[-1].data.get("title")
    if seen != value:
        told = f"{entry.actor} shows the title {seen!r}, not {value!r}"
        return voice.fails("wrong-title", told, expected=value, observed=seen, events=[screens[-1].n])
    return voice.passes(1, seen, expected=value, events=[screens[-1].n])


@invariant("names-author", "RC-SES-006.names-author")
def names_author(case: Case) -> list[Finding]:
    """The log names as author of a prompt who sent it: the device, or the terminal (SES-6)."""
    voice = Voice("RC-SES-006.names-author", "names-author")
    senders: dict[str, set[str]] = defaultdict(set)
    for one in calls(case, "send"):
        senders[one.text].add(one.invoked.actor)
    for one in calls(case, "type"):
        senders[one.text].add("terminal")
    read = [event for event in entries(case) if event.data.get("kind") == "prompt" and senders.get(text_of(event))]
    for event in read:
        if event.data.get("author") not in senders[text_of(event)]:
            right = " or ".join(sorted(senders[text_of(event)]))
            told = f"{text_of(event)!r} was sent by {right}; its author is {event.data.get('author')!r}"
            return [
                voice.fails("wrong-author", told, expected=right, observed=event.data.get("author"), events=[event.n])
            ]
    return [voice.passes(len(read), "right") if read else voice.silent("no prompt was read")]


@invariant("same-session", "RC-SES-002.keeps-id")
def same_session(case: Case) -> list[Finding]:
    """One incarnation of a host keeps its session and its epoch through all reconnects (SES-2)."""
    voice = Voice("RC-SES-002.keeps-id", "same-session")
    registered = [
        event
        for event in case.of("wire", "response")
        if event.data.get("method") == "POST" and event.data.get("path") == "/v1/sessions" and event.data.get("session")
    ]
    first: dict[tuple[str, int], Event] = {}
    for event in registered:
        born = sum(start.t <= event.t for start in case.of("os", "process.started", event.actor))
        known = first.setdefault((event.actor, born), event)
        for name, code in (("session", "session-changed"), ("epoch", "epoch-changed")):
            if known.data.get(name) != event.data.get(name):
                told = f"{event.actor} got another {name} on reconnect: {known.data.get(name)}, then {event.data.get(name)}"
                return [voice.fails(code, told, events=[known.n, event.n])]
    return [voice.passes(len(registered), "kept") if registered else voice.silent("no host registered")]
