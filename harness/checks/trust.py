"""Whom a client talks to: a certificate that must not be trusted gets not one request, on any channel.

The certificate is what the server's end showed, the request what the tap heard on that very connection. Deliberately absent: whether the host
ends, which an outage decides; and scanning of TLS itself. Source: TLS-2.
"""

from harness.checks.findings import Voice
from harness.checks.model import Case, Finding, invariant
from harness.history.events import Event

GOOD = frozenset({"good", "rotated"})
"""``how`` of a certificate that a client must accept."""

UNKNOWN = "unknown"
"""``how`` of a certificate of which nobody knows whether it may be trusted; every word but this and the good ones says what is wrong with it."""


@invariant("verifies-peer", "RC-TLS-002.verifies")
def verifies_peer(case: Case) -> list[Finding]:
    """No request goes over a connection whose other end showed a bad certificate (TLS-2)."""
    voice = Voice("RC-TLS-002.verifies", "verifies-peer")
    bad = {conn: event for event in [*_shown(case), *_inspected(case)] if (conn := event.data.get("conn")) is not None}
    unknown = [event for event in case.of("os", "certificate.shown") if event.data.get("how") == UNKNOWN]
    if not bad and unknown:
        return [
            voice.unclear("unknown-certificate", f"{len(unknown)} handshakes showed a certificate that nobody knows")
        ]
    if not bad:
        return [voice.silent("nobody showed a bad certificate")]
    trusted = [event for event in case.of("wire", "request") if event.data.get("conn") in bad]
    if trusted:
        first = trusted[0]
        told = f"{first.actor} sent {first.data.get('path')} to somebody with a bad certificate"
        cited = [bad[first.data["conn"]].n, *(event.n for event in trusted)]
        return [voice.fails("trusted-a-stranger", told, expected=0, observed=len(trusted), events=cited)]
    return [voice.passes(len(bad), 0, expected=0, events=[event.n for event in bad.values()])]


def _shown(case: Case) -> list[Event]:
    return [event for event in case.of("os", "certificate.shown") if event.data.get("how") not in {*GOOD, UNKNOWN}]


def _inspected(case: Case) -> list[Event]:
    """Handshakes in which a middlebox showed a certificate of its own that nobody on the machine trusts."""
    return [event for event in case.of("os", "middlebox.inspected") if event.data.get("ca") == "untrusted"]
