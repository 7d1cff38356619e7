"""The evidence of faults in which a middlebox, or the other side, forgets connections that an end still believes in.

Deliberately absent: how soon an end finds out; that is what is on trial.
"""

from math import inf

from harness.faults.model import Evidence, Window
from harness.faults.proof import GRACE_S, Traces, judged, total
from harness.history.events import Event


def forgotten(traces: Traces, window: Window, why: str, *, notice: str = "none", until: float = inf) -> list[Event]:
    """``flow.forgotten`` events of one reason and notice from the window's beginning until true second ``until``."""
    return [
        event
        for event in traces.named("flow.forgotten", since=window.began_at, until=until)
        if event.data.get("why") == why and event.data.get("notice") == notice
    ]


def gone_dark(window: Window, traces: Traces, flows: list[Event]) -> Evidence:
    """Judge that something was given to forgotten connections, that none of it left on the other side, and that no client read relay bytes on them.

    Args:
        window: when.
        traces: the events.
        flows: the ``flow.forgotten`` events of this fault.
    """
    since = {str(event.data.get("conn")): event.t + GRACE_S for event in flows}
    given = [event for event in traces.named("flow.lost") if str(event.data.get("conn")) in since]
    attempted, crossed, heard = total(given, "bytes"), total(given, "passed"), traces.heard_on(since)
    note = f"{len(flows)} connections were forgotten, {attempted} bytes were given to them, {crossed} crossed, {heard} reads came through"
    return judged(window, attempted, crossed + heard, note)
