"""Is the presence that devices show true: never ``online`` while nothing can be delivered, ``ended`` for ever.

Truth is what the tap saw: a host is reachable while the relay answers its outbox, a device while relay bytes reach it. Deliberately absent:
faults; the law holds whatever the reason for the silence. Source: OPS-2, SES-7, SES-9.
"""

from bisect import bisect_right
from itertools import pairwise

from harness.checks.findings import Voice
from harness.checks.model import Case, Finding, invariant
from harness.checks.when import end_at, late_s, lives, standing
from harness.history.events import Event

SLACK_S = 2.0
"""A presence needs a round trip and the relay's turn to reach a device."""


@invariant("presence-truthful", "RC-OPS-002.truthful")
def presence_truthful(case: Case) -> list[Finding]:
    """No device shows ``online`` longer than ``dead_peer_bound`` after the host was last in touch, or the relay last heard (OPS-2).

    That the host is out of touch a device learns from the relay: it is accused only if the relay spoke to it when it had to tell. While the relay
    itself is not heard, the device's own bound holds, and its beginning is when the relay was last heard.
    """
    voice = Voice("RC-OPS-002.truthful", "presence-truthful")
    hosts = case.names("host")
    if len(hosts) != 1 or not case.of("wire", "heard"):
        return [voice.silent("nobody to be present, or nothing heard on the wire")]
    measured = 0
    for device in case.names("device"):
        spans = _online(case, device)
        measured += len(spans)
        for event, until in spans:
            heard = _device_proofs(case, device)
            for actor, proofs in ((hosts[0], _host_proofs(case, hosts[0])), (device, heard)):
                told_at = None if actor == device else heard
                since = _stuck_since(case, device, proofs, (event.t, until), told_at)
                if since is not None:
                    told = f"{device} still shows online although {actor} is out of touch since {since:.1f} s"
                    return [voice.fails("false-online", told, expected="not online", observed=until, events=[event.n])]
    return [voice.passes(measured, "true") if measured else voice.silent("nobody showed online")]


def _online(case: Case, device: str) -> list[tuple[Event, float]]:
    """Spans in which a device showed ``online``: (the event that began it, when it ended)."""
    changes = case.of("saw", "presence", device)
    ends = [*(event.t for event in changes[1:]), _life_end(case, device)]
    return (
        [(event, end) for event, end in zip(changes, ends, strict=True) if event.data.get("state") == "online"]
        if changes
        else []
    )


def _life_end(case: Case, device: str) -> float:
    """Until when a device showed anything: its program's end, or its window's closing."""
    found = lives(case, device)
    ended = found[-1].ended if found else None
    left = [event.t for event in case.of("ok", "detach", device)]
    return min([end_at(case), *([ended.t] if ended else []), *left[-1:]])


def _host_proofs(case: Case, host: str) -> list[float]:
    """When the relay answered the host's outbox or registration: both directions work."""
    return [
        event.t
        for event in case.of("wire", "response", host)
        if event.data.get("status") in (200, 201) and event.data.get("method") == "POST"
    ]


def _device_proofs(case: Case, device: str) -> list[float]:
    return [event.t for event in case.of("wire", "heard", device)]


def _stuck_since(
    case: Case, device: str, proofs: list[float], shown: tuple[float, float], told: list[float] | None
) -> float | None:
    """Since when, in a span shown as online, there was no proof for longer than accepted; None if there always was.

    Args:
        case: the run.
        device: who shows it.
        proofs: when the direction in question worked.
        shown: the span.
        told: when the device heard the one who knows; None if it knows by itself.
    """
    began_at, until = shown
    bound_s = case.plan.contract.dead_peer_bound_s + SLACK_S
    marks = [began_at, *proofs[bisect_right(proofs, began_at) : bisect_right(proofs, until)], until]
    # A program that does not run cannot take back what it shows.
    naps = standing(case, device)
    for earlier, later in pairwise(marks):
        blind_s = sum(max(0.0, min(b + bound_s, later) - max(a, earlier)) for a, b in naps)
        must_tell_at = earlier + bound_s + blind_s
        must_tell_at += late_s(case, must_tell_at)
        if later > must_tell_at and (told is None or _was_told(case, told, must_tell_at, later)):
            return earlier
    return None


def _was_told(case: Case, told: list[float], since: float, until: float) -> bool:
    """Whether the relay spoke to a device between two moments: with time left to show it, or in the course of a stream that works."""
    quiet_s = case.plan.contract.dead_peer_bound_s / 2 + SLACK_S
    spoke = [(before, at) for before, at in pairwise([float("-inf"), *told]) if since < at <= until]
    return any(at + SLACK_S < until or at - before <= quiet_s for before, at in spoke)


@invariant("ended-is-final", "RC-SES-009.final")
def ended_is_final(case: Case) -> list[Finding]:
    """After ``ended`` no device shows another state of that session, and its log grows no more (SES-9)."""
    voice = Voice("RC-SES-009.final", "ended-is-final")
    measured = 0
    for device in case.names("device"):
        over: Event | None = None
        for event in _states_and_attaches(case, device):
            if event.what == "attach":
                over = None
            elif over is not None and event.data.get("state") not in ("ended", None):
                told = f"{device} showed {event.data.get('state')} after ended"
                return [voice.fails("revived", told, events=[over.n, event.n])]
            elif event.data.get("state") == "ended":
                over = over or event
                measured += 1
    return [voice.passes(measured, "final") if measured else voice.silent("nothing ended")]


def _states_and_attaches(case: Case, device: str) -> list[Event]:
    return sorted(
        [*case.of("saw", "presence", device), *case.of("invoke", "attach", device)], key=lambda event: event.n
    )
