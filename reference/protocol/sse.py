"""Server-sent events, the writing side (WHATWG HTML section 9.2). Nothing that is written can end a field or an event early."""

from typing import Any

import msgspec

OPEN = b": open\n\n"
"""First bytes of a stream: a middlebox that buffers shows itself by their absence."""

BEAT = b": hb\n\n"
"""A heartbeat."""

_FORBIDDEN = frozenset("\r\n\0")
_encode = msgspec.json.Encoder().encode


def event(name: str, data: Any, seq: int | None = None) -> bytes:
    """Encode one event.

    Args:
        name: event type; may hold no CR, LF or NUL.
        data: anything JSON; its encoding holds no line break, because JSON escapes control characters.
        seq: becomes the event id, which is the cursor to resume from; None for state that is not history.

    Returns:
        The bytes of the event, blank line included.
    """
    assert not _FORBIDDEN & set(name), name
    head = b"" if seq is None else b"id: %d\n" % seq
    return b"%bevent: %b\ndata: %b\n\n" % (head, name.encode(), _encode(data))
