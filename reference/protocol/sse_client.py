"""Server-sent events, the reading side (WHATWG HTML section 9.2): bytes in, events and comments out, however the bytes were cut.

Deliberately absent: ``retry`` (the back-off is the machine's) and the writing side (``sse.py``).
"""

from typing import NamedTuple

EVENT_BYTES_MAX = 1024 * 1024
"""An unfinished event may be so long; the relay's own entries end at 256 KiB."""

COMMENT = ":"
"""Name under which a comment is told: no event can have it, for a line that begins so *is* a comment."""


class SseEvent(NamedTuple):
    """One event, or a comment, whose text is in ``data``."""

    name: str
    data: str
    id: str | None = None


class EventTooLong(Exception):  # noqa: N818 - it names what was met
    """The stream sends an event without end."""


class SseParser:
    """Parses one stream."""

    def __init__(self) -> None:
        self._rest = b""
        self._after_cr = False
        self._begun = False
        self._id: str | None = None
        self._reset()

    def feed(self, data: bytes) -> list[SseEvent]:
        """Take bytes and return what they complete, in order.

        Raises:
            EventTooLong: more than ``EVENT_BYTES_MAX`` without an end.
        """
        if not data:
            return []
        # A CR LF may be cut in two: the LF that follows a CR across the cut belongs to it.
        if self._after_cr and data.startswith(b"\n"):
            data, self._after_cr = data[1:], False
            if not data:
                return []
        self._after_cr = data.endswith(b"\r")
        lines = (self._rest + data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")).split(b"\n")
        self._rest = lines.pop()
        told = [event for event in map(self._line, lines) if event is not None]
        if len(self._rest) + self._bytes > EVENT_BYTES_MAX:
            raise EventTooLong
        return told

    def _line(self, raw: bytes) -> SseEvent | None:
        line = raw.decode("utf-8", "replace")
        if not self._begun:
            self._begun, line = True, line.removeprefix("\ufeff")
        if not line:
            return self._dispatch()
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not field:
            return SseEvent(COMMENT, value)
        if field == "data":
            self._data.append(value)
            self._bytes += len(raw)
        elif field == "event":
            self._name = value
        elif field == "id" and "\0" not in value:
            self._id = value
        return None

    def _dispatch(self) -> SseEvent | None:
        event = SseEvent(self._name or "message", "\n".join(self._data), self._id) if self._data else None
        self._reset()
        return event

    def _reset(self) -> None:
        self._data: list[str] = []
        self._bytes = 0
        self._name = ""
        self._id = None
