"""Did the host end when it should, and only then.

The ten minutes are judged from the last relay bytes that the tap saw reach the host, in awake seconds: the boundary as seen from the
cut lies up to a heartbeat earlier and proves nothing (design section 4). Deliberately absent: the host's own word about its end.
"""

from harness.base.rank import Rank
from harness.checks.findings import Voice, voice_of
from harness.checks.model import Case, Finding, expectation
from harness.checks.when import (
    awake_between,
    deadline_at,
    end_at,
    last_heard_at,
    late_s,
    lives,
    longest_silence,
    moment_at,
    since_words,
    span_words,
)
from harness.history.events import Event
from harness.history.plan import Expectation

EARLY_RATIO = 0.99
"""A host heard again before this part of the limit must live: a timer that fires earlier is not "about ten minutes"."""
LATE_RATIO, LATE_S = 1.01, 5.0
"""How much later than the limit an exit may come: one percent of timer, five seconds to say so and leave."""

EXIT_CODES = {"about outage_limit": 75, "cleanly": 0, "gated": 77, "superseded": 69}
"""What ``host.exits`` may be called -> exit code (docs/spec/protocol.md); a claim ``exit_codes`` in the SUT's hello overrides it."""


@expectation("host", "exits", rank=Rank.OS)
def exits(case: Case, entry: Expectation) -> Finding:
    """The host program ended as it should, when it should (RC-OUT-002.ends, RC-SES-003, RC-OPS-004)."""
    voice = voice_of("host", entry)
    ends = [life.ended for life in lives(case, entry.actor) if life.ended is not None]
    if not case.of("os", "process.started", entry.actor):
        return voice.unclear("never-started", f"{entry.actor} was never started")
    if entry.times == 0:
        return _must_not_end(case, voice, entry, ends)
    if entry.args.get("value") == "about outage_limit":
        return _ends_about_limit(case, voice, entry, ends)
    return _ends(case, voice, entry, ends)


def _must_not_end(case: Case, voice: Voice, entry: Expectation, ends: list[Event]) -> Finding:
    if ends:
        return voice.fails(
            "exited", f"{entry.actor} ended", expected="running", observed=ends[0].data, events=[ends[0].n]
        )
    started = case.of("os", "process.started", entry.actor)
    return voice.passes(len(started), "running", expected="running", events=[event.n for event in started])


def _ends_about_limit(case: Case, voice: Voice, entry: Expectation, ends: list[Event]) -> Finding:
    limit_s = case.plan.contract.outage_limit_s
    least_s, most_s = EARLY_RATIO * limit_s, LATE_RATIO * limit_s + LATE_S
    most_s += late_s(case, ends[-1].t if ends else end_at(case))
    expected = {"silent_s": [round(least_s, 3), round(most_s, 3)]}
    if not ends:
        _, silent_s = longest_silence(case, entry.actor, end_at(case))
        if silent_s <= most_s:
            message = f"the longest silence was {silent_s:.1f} s; the limit was never reached"
            return voice.unclear("limit-not-reached", message, expected=expected, observed=silent_s)
        message = f"{entry.actor} still runs after {silent_s:.0f} s of silence; the limit is {limit_s:.0f} s"
        started = [event.n for event in case.of("os", "process.started", entry.actor)]
        return voice.fails("did-not-exit", message, expected=expected, observed=silent_s, events=started)
    return _in_band(case, voice, entry, ends[-1], (least_s, most_s))


def _in_band(case: Case, voice: Voice, entry: Expectation, end: Event, band: tuple[float, float]) -> Finding:
    heard_at = last_heard_at(case, entry.actor, end.t)
    if heard_at is None:
        return voice.unclear(
            "never-heard", f"{entry.actor} never heard the relay, so nobody knows how long it was silent"
        )
    silent_s = awake_between(case, entry.actor, heard_at, end.t)
    facts = {"silent_s": round(silent_s, 3), "code": end.data.get("code")}
    expected = {"silent_s": [round(edge, 3) for edge in band]}
    if not band[0] <= silent_s <= band[1]:
        code = "exited-early" if silent_s < band[0] else "exited-late"
        message = f"{entry.actor} ended {silent_s:.1f} s after it last heard the relay; accepted is {band[0]:.0f} to {band[1]:.0f} s"
        return voice.fails(code, message, expected=expected, observed=facts, events=[end.n])
    heard = [event.n for event in case.of("wire", "heard", entry.actor) if event.t == heard_at]
    return _right_code(case, voice, entry, end, [*heard, end.n])


def _ends(case: Case, voice: Voice, entry: Expectation, ends: list[Event]) -> Finding:
    deadline = deadline_at(case, entry)
    if not ends:
        if deadline is not None and end_at(case) < deadline:
            return voice.unclear("ended-too-soon", "the run ended before the host had to")
        started = [event.n for event in case.of("os", "process.started", entry.actor)]
        return voice.fails(
            "did-not-exit", f"{entry.actor} never ended", expected=entry.args.get("value"), events=started
        )
    end = ends[-1]
    if deadline is not None and end.t > deadline:
        message = f"{entry.actor} ended {end.t - deadline:.1f} s too late"
        observed = since_words(case, entry, end.t)
        return voice.fails("exited-late", message, expected=span_words(entry), observed=observed, events=[end.n])
    began_at = moment_at(case, entry.of) if entry.of else None
    if began_at is not None and end.t < began_at:
        message = f"{entry.actor} ended {began_at - end.t:.1f} s before {entry.of}"
        observed = since_words(case, entry, end.t)
        return voice.fails("exited-early", message, expected=f"after {entry.of}", observed=observed, events=[end.n])
    return _right_code(case, voice, entry, end, [end.n])


def _right_code(case: Case, voice: Voice, entry: Expectation, end: Event, cited: list[int]) -> Finding:
    wanted = _exit_code(case, entry)
    code = end.data.get("code")
    if wanted is not None and code != wanted:
        message = f"{entry.actor} ended with exit code {code}, not {wanted}"
        return voice.fails("wrong-exit-code", message, expected=wanted, observed=code, events=[end.n])
    return voice.passes(1, {"t": end.t, "code": code}, expected=entry.args.get("value"), events=cited)


def _exit_code(case: Case, entry: Expectation) -> int | None:
    """The exit code that must be seen; None where any will do."""
    value = entry.args.get("value")
    hellos = case.of("story", "hello", entry.actor)
    claims = hellos[-1].data.get("claims") if hellos else None
    declared = claims.get("exit_codes") if isinstance(claims, dict) else None
    if isinstance(declared, dict) and isinstance(declared.get(value), int):
        return int(declared[value])
    return EXIT_CODES.get(value) if isinstance(value, str) else None


@expectation("host", "process", rank=Rank.OS)
def process(case: Case, entry: Expectation) -> Finding:
    """The host program is the one that was started first, runs, or has ended (RC-OUT-004.survives-sleep)."""
    voice = voice_of("host", entry)
    found = lives(case, entry.actor)
    if not found:
        return voice.unclear("never-started", f"{entry.actor} was never started")
    ended = found[-1].ended
    cited = [event.n for life in found for event in (life.started, life.ended) if event is not None]
    value = entry.args.get("value")
    if value == "ended":
        if ended is None:
            return voice.fails("still-running", f"{entry.actor} still runs", expected=value, events=cited)
        return voice.passes(1, ended.data, expected=value, events=cited)
    if ended is not None:
        message = f"{entry.actor} ended at {ended.t:.1f} s with code {ended.data.get('code')}"
        return voice.fails("exited", message, expected=value, observed=ended.data, events=cited)
    if value == "same as before" and len(found) > 1:
        message = f"{entry.actor} was started {len(found)} times"
        return voice.fails("restarted", message, expected=1, observed=len(found), events=cited)
    return voice.passes(len(found), "running", expected=value, events=cited)
