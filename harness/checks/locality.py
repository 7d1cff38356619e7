"""Data locality: planted secrets in anything that crossed the network in clear.

The scan is the tap's; here it is weighed: enough bytes, and proof that what was typed in public *was* found. Deliberately absent: encrypted or
covert channels, which no scan can exclude (properties section 2.2). Source: LOC-1, LOC-3.
"""

from harness.base.rank import Rank
from harness.checks.findings import Voice, voice_of
from harness.checks.model import Case, Finding, expectation, invariant
from harness.checks.words import text_of, uttered
from harness.history.events import Event
from harness.history.plan import Expectation

PUBLIC = "public"
"""Class of the canary that must be found: the scan's positive control."""


@expectation("wire", "carries", rank=Rank.WIRE)
def carries(case: Case, entry: Expectation) -> Finding:
    """No planted secret crossed the network, in at least so many decoded bytes (RC-LOC-001.stays-local)."""
    voice = voice_of("wire", entry)
    totals = case.of("wire", "carried")
    leaked = [event for event in totals if _secrets(event)]
    if leaked:
        return _leak(voice, leaked)
    bytes_seen = sum(size for event in totals if isinstance(size := event.data.get("bytes"), int))
    least = int((entry.at_least or {}).get("count", 1))
    if bytes_seen < least:
        return voice.unclear("too-few", f"only {bytes_seen} bytes were decoded of at least {least}")
    if not _is_planted(case):
        return voice.unclear("nothing-planted", "no secret was planted, so none could be found")
    control = _control(case)
    if control is None:
        return voice.unclear("no-control", "not even what was said in public was found in the capture")
    return voice.passes(bytes_seen, "no secret", expected="no secret", events=[control.n, *(e.n for e in totals)])


@invariant("stays-local", "RC-LOC-001.stays-local")
def stays_local(case: Case) -> list[Finding]:
    """Wherever secrets are planted, none crosses the network (LOC-1)."""
    voice = Voice("RC-LOC-001.stays-local", "stays-local")
    if not _is_planted(case):
        return [voice.silent("no secret was planted")]
    totals = case.of("wire", "carried")
    leaked = [event for event in totals if _secrets(event)]
    if leaked:
        return [_leak(voice, leaked)]
    if _control(case) is None:
        return [voice.unclear("no-control", "not even what was said in public was found in the capture")]
    return [voice.passes(len(totals), "no secret", events=[event.n for event in totals])]


def _secrets(event: Event) -> list[str]:
    found = event.data.get("canaries")
    return [str(name) for name in found if name != PUBLIC] if isinstance(found, (list, tuple)) else []


def _leak(voice: Voice, leaked: list[Event]) -> Finding:
    classes = sorted({name for event in leaked for name in _secrets(event)})
    told = f"{leaked[0].actor} carried planted secrets: {', '.join(classes)}"
    return voice.fails("carries-secret", told, expected="no secret", observed=classes, events=[e.n for e in leaked])


def _is_planted(case: Case) -> bool:
    return any(isinstance(given, dict) and given.get("secrets_in") for given in case.plan.given.values())


def _control(case: Case) -> Event | None:
    """The public canary, or a text of the story, found in the capture."""
    known = uttered(case)
    for event in case.of("wire"):
        found = event.data.get("canaries")
        if isinstance(found, (list, tuple)) and PUBLIC in found:
            return event
        if event.what == "frame" and known[text_of(event)]:
            return event
    return None
