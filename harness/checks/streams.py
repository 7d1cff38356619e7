"""Event streams as the tap saw them: one value for each, from its first byte to its end.

Deliberately absent: what a role says about its stream; and repair of what is malformed (``wire`` tells of that).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from harness.checks.model import Case
from harness.history.events import Event


@dataclass(slots=True)
class Stream:
    """One answer of type ``text/event-stream``.

    Attributes:
        actor: who read it.
        kind: ``inbox`` or ``events``.
        session: from its ``hello``; empty if there was none.
        opened_at: when its ``hello`` was read.
        after: number after which its entries must begin; None where that cannot be told.
        entries: log entries with a number, in the order read.
        closed_at: when it ended; None if it was open when the run ended.
        reason: of its ``bye``; empty without one.
        last_at: when anything was read last, comments included.
    """

    actor: str
    kind: str
    session: str
    opened_at: float
    after: int | None
    entries: list[Event] = field(default_factory=list)
    closed_at: float | None = None
    reason: str = ""
    last_at: float = 0.0


def entries(case: Case) -> list[Event]:
    """Log entries that any client read, in order of time."""
    return [event for event in case.of("wire", "frame") if event.data.get("event") == "entry"]


def streams(case: Case, actor: str = "") -> list[Stream]:
    """All streams in order of opening, optionally of one actor."""
    found: list[Stream] = []
    current: dict[object, Stream] = {}
    gone: dict[object, float] = {}
    for event in case.events:
        if event.kind not in ("wire", "os") or (actor and event.actor != actor):
            continue
        conn = (event.actor, repr(event.data.get("conn")))
        if event.what == "socket.closed":
            gone[conn] = event.t
        _advance(event, conn, current, found)
        stream = current.get(conn)
        if conn in gone and stream is not None:
            # It may be dropped at the instant at which its greeting is read, or read later, out of what was kept for it.
            _close(stream, max(gone[conn], stream.opened_at))
    return found


def _advance(event: Event, conn: object, current: dict[object, Stream], found: list[Stream]) -> None:
    stream = current.get(conn)
    if event.what == "frame" and event.data.get("event") == "hello":
        _close(stream, event.t)
        current[conn] = _opened(event)
        found.append(current[conn])
    elif stream is None or _is_over(stream, event.t):
        return
    elif event.what == "frame":
        _read(stream, event)
    elif event.what == "heartbeat":
        stream.last_at = event.t
    elif event.what == "stream.ended" or (event.what == "carried" and not event.data.get("open")):
        _close(stream, event.t)


def _is_over(stream: Stream, t: float) -> bool:
    """Whether it ended before: what is read at the very instant of its end belongs to it, in whichever order the two were told."""
    return stream.closed_at is not None and t > stream.closed_at


def _opened(event: Event) -> Stream:
    data = event.data
    after, first, seq = data.get("after"), data.get("first"), data.get("seq")
    start = first - 1 if isinstance(first, int) else None
    if isinstance(after, int) and start is not None and isinstance(seq, int) and start <= after <= seq:
        start = after
    return Stream(
        event.actor, str(data.get("stream", "")), str(data.get("session", "")), event.t, start, last_at=event.t
    )


def _read(stream: Stream, event: Event) -> None:
    stream.last_at = event.t
    if event.data.get("event") == "entry" and _is_count(event.data.get("seq")):
        stream.entries.append(event)
    elif event.data.get("event") == "bye":
        stream.reason = str(event.data.get("reason", ""))


def _close(stream: Stream | None, at: float) -> None:
    if stream is not None and stream.closed_at is None:
        stream.closed_at = at


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def device_streams(case: Case, actor: str) -> list[Stream]:
    """A device's streams in order of opening."""
    return _of_kind(streams(case, actor), "events")


def inboxes(case: Case, actor: str) -> list[Stream]:
    """A host's inboxes in order of opening."""
    return _of_kind(streams(case, actor), "inbox")


def _of_kind(found: Iterable[Stream], kind: str) -> list[Stream]:
    return [stream for stream in found if stream.kind == kind]
