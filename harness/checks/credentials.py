"""Doors and credentials: what the relay answered, whether a refusal left anything behind, whether a stream outlived its credential.

An answer counts as it crossed the wire; the device's word alone is not enough where the device is on trial. Deliberately absent: the
acceptance that a refusal is paired with, which lies in another run (``harness.run.pairing``).
"""

from harness.base.rank import Rank
from harness.checks.findings import Voice, voice_of
from harness.checks.model import Case, Finding, expectation
from harness.checks.streams import Stream, device_streams
from harness.checks.when import deadline_at, end_at, moment_at, seconds_in
from harness.checks.words import Send, calls, text_of
from harness.history.events import Event
from harness.history.plan import Expectation, every_step

DOORS = ("list", "send", "answer", "attach", "rename")
"""SUT verbs that knock at the relay."""

KNOCKS = frozenset({"tries", "sends", "approves", "approves_another", "rejects", "renames", "lists", "joins", "opens"})
"""Scenario verbs by which a device knocks."""

STOOD_MAX = 0.25
"""Share of the time for an answer in which the machine itself stood: a heal or a retry that was due came too late, so its want shows nothing."""

EARLY_S = 1.0
"""A stream that closed more than so long before its moment was not closed by it."""


@expectation("device", "answer", rank=Rank.PEER)
def answer(case: Case, entry: Expectation) -> Finding:
    """The relay's last answer to this device: ``accepted`` or the code of a refusal that left nothing behind (RC-AUT-001)."""
    voice, wanted = voice_of("device", entry), str(entry.args.get("value"))
    knocks = sorted((one for door in DOORS for one in calls(case, door, entry.actor) if _in_story(one)), key=_n)
    if not knocks:
        return voice.unclear("never-tried", f"{entry.actor} tried no door", expected=wanted)
    if _is_cut_short(case, entry.actor):
        return voice.unclear(
            "never-tried", f"the story stopped before {entry.actor} tried its last door", expected=wanted
        )
    knock = knocks[-1]
    seen = _outcome(knock)
    if seen != wanted:
        return _other(case, voice, entry, knock, seen)
    on_wire = _on_wire(case, knock, wanted)
    if on_wire is None and entry.actor in case.plan.suts:
        message = f"{entry.actor} says {wanted}; the wire has no such answer"
        return voice.fails("answer-not-on-wire", message, expected=wanted, events=_cited(knock))
    effect = _effect(case, knock) if entry.no_effects else None
    if effect is not None:
        message = f"{knock.invoked.what} was refused ({wanted}) and took effect all the same: {effect.what}"
        return voice.fails("refused-with-effect", message, expected="none", observed=effect.data, events=[effect.n])
    cited = [*_cited(knock), *([] if on_wire is None else [on_wire.n])]
    return voice.passes(1, seen, expected=wanted, events=cited)


def _in_story(knock: Send) -> bool:
    return not str(knock.invoked.data.get("step", "")).startswith(("setup", "end"))


def _is_cut_short(case: Case, actor: str) -> bool:
    """Whether a knock of the device was planned that a stopped story never came to: the last answer is then not the one meant."""
    done = {str(event.data.get("step")) for event in case.of("story", "done")}
    planned = (step for step in every_step(case.plan.story) if step.actor == actor and step.verb in KNOCKS)
    return bool(case.of("story", "failed")) and any(step.id not in done for step in planned)


def _n(knock: Send) -> int:
    return knock.invoked.n


def _cited(knock: Send) -> list[int]:
    return [knock.invoked.n] + ([knock.answer.n] if knock.answer is not None else [])


def _outcome(knock: Send) -> str:
    if knock.answer is None or knock.outcome == "info":
        return "nothing"
    return "accepted" if knock.outcome == "ok" else str(knock.answer.data.get("code", ""))


def _other(case: Case, voice: Voice, entry: Expectation, knock: Send, seen: str) -> Finding:
    wanted = str(entry.args.get("value"))
    code = "accepted" if seen == "accepted" else "refused" if wanted == "accepted" else "wrong-code"
    message = f"{entry.actor} tried {knock.invoked.what}: {seen}, not {wanted}"
    if seen == "nothing" and _stood_share(case, knock) >= STOOD_MAX:
        return voice.unclear("not-assessable", message, expected=wanted, observed=seen)
    if seen == "nothing":
        return voice.fails("no-answer", message, expected=wanted, observed=seen, events=_cited(knock))
    return voice.fails(code, message, expected=wanted, observed=seen, events=_cited(knock))


def _stood_share(case: Case, knock: Send) -> float:
    """In which share of the time that a knock waited in vain the machine stood; 0 where that is not forgiven, or where anything was answered."""
    answer = knock.answer
    if not case.forgives or answer is None or answer.data.get("code") != "deadline" or answer.t <= knock.invoked.t:
        return 0.0
    return seconds_in(answer, "stood_s") / (answer.t - knock.invoked.t)


def _on_wire(case: Case, knock: Send, wanted: str) -> Event | None:
    """The answer on the wire, between the knock and what the device said about it."""
    until = knock.answer.t if knock.answer is not None else end_at(case)
    for event in case.of("wire", "response", knock.invoked.actor):
        if knock.invoked.t <= event.t <= until:
            status = event.data.get("status")
            accepted = isinstance(status, int) and 200 <= status < 300
            if event.data.get("problem") == wanted or (wanted == "accepted" and accepted):
                return event
    return None


def _effect(case: Case, knock: Send) -> Event | None:
    """What a refused knock brought about all the same; None if nothing."""
    data, since = knock.invoked.data, knock.invoked.n
    after = [event for event in case.events if event.n > since]
    if knock.invoked.what == "send":
        traces = (event for event in after if event.what in ("agent.heard", "shown", "frame"))
        return next((event for event in traces if text_of(event) == data.get("text")), None)
    if knock.invoked.what == "answer":
        tools = {
            str(e.data.get("tool")) for e in case.of("saw", "approval") if e.data.get("request") == data.get("request")
        }
        ran = (event for event in after if event.kind == "os" and event.what == "tool.ran")
        return next((event for event in ran if str(event.data.get("tool")) in tools), None)
    if knock.invoked.what == "attach":
        hellos = (event for event in after if event.kind == "wire" and event.data.get("event") == "hello")
        return next((event for event in hellos if event.actor == knock.invoked.actor), None)
    return None


@expectation("device", "stream", rank=Rank.PEER)
def stream(case: Case, entry: Expectation) -> Finding:
    """The device's stream is open at the story's last step, or closed in time (RC-AUT-002)."""
    voice, value = voice_of("device", entry), entry.args.get("value")
    found = device_streams(case, entry.actor)
    if not found:
        return voice.unclear("never-opened", f"{entry.actor} never had a stream on the wire", expected=value)
    return _is_open(case, voice, entry, found) if value == "open" else _is_closed(case, voice, entry, found)


def _is_open(case: Case, voice: Voice, entry: Expectation, found: list[Stream]) -> Finding:
    steps = case.of("story", "done") or case.of("story", "step")
    at = steps[-1].t if steps else end_at(case)
    if any(one.opened_at <= at and (one.closed_at is None or one.closed_at > at) for one in found):
        return voice.passes(len(found), "open", expected="open", events=_frames(case, entry.actor))
    message = f"no stream of {entry.actor} is open at {at:.1f} s; the last ended at {found[-1].closed_at} ({found[-1].reason})"
    return voice.fails("stream-closed", message, expected="open", observed=found[-1].reason)


def _is_closed(case: Case, voice: Voice, entry: Expectation, found: list[Stream]) -> Finding:
    deadline = deadline_at(case, entry)
    limit = end_at(case) if deadline is None else deadline
    cited = _frames(case, entry.actor)
    outlived = [one for one in found if one.closed_at is None or one.closed_at > limit]
    if outlived:
        code = "stream-open" if outlived[-1].closed_at is None else "closed-late"
        code = "stream-outlived" if outlived[-1].last_at > limit else code
        message = (
            f"a stream of {entry.actor} was still open at {limit:.1f} s and last read at {outlived[-1].last_at:.1f} s"
        )
        return voice.fails(code, message, expected=limit, observed=outlived[-1].closed_at, events=cited)
    began_at = moment_at(case, entry.of) if entry.of else None
    last = max(one.closed_at or 0.0 for one in found)
    if began_at is not None and last < began_at - EARLY_S:
        message = f"the stream of {entry.actor} ended {began_at - last:.1f} s before {entry.of}"
        return voice.fails("closed-early", message, expected=began_at, observed=last, events=cited)
    return voice.passes(len(found), {"closed_at": last, "reason": found[-1].reason}, expected=limit, events=cited)


def _frames(case: Case, actor: str) -> list[int]:
    """The last frames of a device: its ``bye`` if there was one."""
    return [event.n for event in case.of("wire", "frame", actor)][-3:]
