"""The evidence of faults that keep new connections from coming about, while live ones go on.

Deliberately absent: what the program that dialled did next.
"""

from harness.faults.model import Evidence, Window
from harness.faults.proof import GRACE_S, Traces, judged


def dials_failed(window: Window, traces: Traces, link: str, error: str) -> Evidence:
    """Judge that connections of ``link`` were tried in the window and that none came about.

    Args:
        window: when new connections were meant to fail; a handshake under way may still end in its first second.
        traces: the events.
        link: whose connections.
        error: what ``socket.closed`` must say of at least one of them; empty if silence has no error of its own.
    """
    dialled = {
        event.data.get("conn")
        for event in traces.named("socket.dialled", link=link, since=window.began_at, until=window.healed_at)
    }
    connected = traces.named("socket.connected", link=link, since=window.began_at + GRACE_S, until=window.healed_at)
    closed = traces.named("socket.closed", link=link, since=window.began_at)
    told = not error or any(event.data.get("conn") in dialled and event.data.get("error") == error for event in closed)
    note = f"{len(dialled)} connections of {link} were tried, {len(connected)} came about"
    return judged(window, len(dialled), len(connected), note, sure=told)
