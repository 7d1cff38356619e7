"""Is everything on the wire as docs/spec/protocol.md says, by the tap's own reading of that page.

Deliberately absent: any code of the reference: where both of its ends are wrong in the same way, only this notices.
"""

from collections import Counter

from harness.checks.findings import Voice
from harness.checks.model import Case, Finding, invariant
from harness.history.events import Event

SECRET_FORMS = frozenset({"credential-in-url"})
"""Violations of form that are a leak: they have a requirement of their own."""


@invariant("well-formed", "RC-WIRE-001.well-formed")
def well_formed(case: Case) -> list[Finding]:
    """Every request, answer and frame has the form that the protocol's tables give it (RC-WIRE-001)."""
    return [_judge(case, Voice("RC-WIRE-001.well-formed", "well-formed"), secret=False)]


@invariant("token-not-in-url", "RC-AUT-015.not-in-url")
def token_not_in_url(case: Case) -> list[Finding]:
    """No credential ever stands in a URL (AUT-15)."""
    return [_judge(case, Voice("RC-AUT-015.not-in-url", "token-not-in-url"), secret=True)]


def _judge(case: Case, voice: Voice, *, secret: bool) -> Finding:
    judged = [event for event in case.of("wire") if event.what in ("request", "response", "frame", "stream.ended")]
    if not judged:
        return voice.unclear("nothing-measured", "the tap decoded nothing")
    broken = [(event, form) for event in judged for form in _forms(event) if (form in SECRET_FORMS) is secret]
    if not broken:
        return voice.passes(len(judged), "all as the page says")
    event, form = broken[0]
    where = event.data.get("path") or event.data.get("event") or event.what
    message = f"{event.what} {where} of {event.actor}: {form} ({len(broken)} in all)"
    counts = dict(sorted(Counter(form for _, form in broken).items()))
    return voice.fails(form, message, observed=counts, events=[event.n for event, _ in broken], measured=len(judged))


def _forms(event: Event) -> list[str]:
    form = event.data.get("form")
    return [str(one) for one in form] if isinstance(form, (list, tuple)) else []
