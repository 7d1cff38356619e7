"""Whose traffic the tap did not see, although the network carried it.

The tap reads plaintext from a client's TLS objects. A program that makes TLS contexts of its own goes by it, and whatever is then said of
that client rests on nothing. Deliberately absent: single connections whose handshake failed; a client that never connected is not unseen.
"""

from harness.checks.model import Case
from harness.history.events import Event

REMEDY = "it makes TLS contexts of its own: let it take the one it is given"
"""What to do about it, for the sentence of a finding."""


def unseen(case: Case) -> tuple[str, ...]:
    """Hosts and devices whose connections carried bytes of which the tap saw nothing, or one direction only; in order of the cast."""
    names = [*case.names("host"), *case.names("device")]
    return tuple(name for name in names if _carried(case, name) and not _is_seen(case, name))


def says_unseen(names: tuple[str, ...]) -> str:
    """The sentence for people: whose traffic was not seen, and the remedy."""
    return f"connections of {' and '.join(names)} carried bytes, but the tap saw nothing of them, or one side only; {REMEDY}"


def _carried(case: Case, actor: str) -> bool:
    """Whether a connection that the actor dialled came about, and is open or gave and took bytes; the harness's own probes do not count."""
    dialled = {_conn(event) for event in case.of("os", "socket.dialled", actor) if not event.data.get("probe")}
    connected = {_conn(event) for event in case.of("os", "socket.connected", actor)} & dialled
    empty = {
        _conn(event)
        for event in case.of("os", "socket.closed", actor)
        if not (event.data.get("sent") and event.data.get("received"))
    }
    return bool(connected - empty)


def _is_seen(case: Case, actor: str) -> bool:
    """Whether the tap saw the actor both speak and be spoken to."""
    spoke = heard = False
    for event in case.of("wire", "", actor):
        if event.what == "carried":
            spoke |= event.data.get("direction") == "out" and bool(event.data.get("bytes"))
            heard |= event.data.get("direction") == "in" and bool(event.data.get("bytes"))
        elif event.what == "request":
            spoke = True
        else:
            heard = True
    return spoke and heard


def _conn(event: Event) -> str:
    return repr(event.data.get("conn"))
