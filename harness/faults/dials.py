"""The evidence of faults that keep new connections from coming about, while live ones go on.

Deliberately absent: what the program that dialled did next.
"""

from harness.faults.model import Evidence, Window
from harness.faults.proof import Traces, judged


def dials_failed(window: Window, traces: Traces, link: str, error: str) -> Evidence:
    """Judge that connections of ``link`` were tried in the window and that none of them came about in it.

    Args:
        window: when new connections were meant to fail.
        traces: the events.
        link: whose connections.
        error: what ``socket.closed`` must say of at least one of them; empty if silence has no error of its own.
    """
    since, until = window.began_at, window.healed_at
    dialled = {event.data.get("conn") for event in traces.named("socket.dialled", link=link, since=since, until=until)}
    came = traces.named("socket.connected", link=link, since=since, until=until)
    passed = sum(event.data.get("conn") in dialled for event in came)
    closed = traces.named("socket.closed", link=link, since=since)
    told = not error or any(event.data.get("conn") in dialled and event.data.get("error") == error for event in closed)
    note = f"{len(dialled)} connections of {link} were tried, {passed} came about"
    return judged(window, len(dialled), passed, note, sure=told)
