"""A lenient reader of one direction of an HTTP/1.1 connection, and of server-sent events; for the tap.

It takes whatever split of bytes and never raises; what it cannot read it declares foreign and only counts. Deliberately absent: strictness
(the gate of a relay refuses, the tap merely looks), HTTP/2, and any library that the reference uses.
"""

import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

HEAD_BYTES_MAX = 1 << 17
"""Eight times what the protocol allows: a head that is longer is not worth reading."""

_START = re.compile(rb"(HTTP/1\.[01] \d{3}|[A-Z]{3,10} [!-~]+ HTTP/1\.[01])")
_CHUNK_SIZE = re.compile(rb"[0-9a-fA-F]{1,8}")


@dataclass(frozen=True, slots=True)
class Head:
    """A start line and header fields; names in lower case, values stripped, the last of equals wins."""

    start: str
    headers: dict[str, str]
    bytes: int


class Part(NamedTuple):
    """A piece of a message: its head, some decoded body, or its end."""

    what: Literal["head", "body", "end"]
    head: Head | None = None
    data: bytes = b""


type NoBody = Callable[[Head], bool]


@dataclass
class Messages:
    """Reads one direction.

    Attributes:
        until_close: whether a message without a length lasts to the end of the connection (an answer) or has no body (a request).
        no_body: tells of a head that no body follows, whatever it says.
        is_foreign: whether this turned out not to be HTTP; then nothing more is read.
    """

    until_close: bool
    no_body: NoBody = lambda _head: False
    is_foreign: bool = False
    _buffer: bytearray = field(default_factory=bytearray)
    _state: str = "head"
    _left: int = 0
    _inflate: "zlib._Decompress | None" = None

    def feed(self, data: bytes) -> Iterator[Part]:
        """Take bytes and yield what they complete."""
        self._buffer += data
        while not self.is_foreign:
            before = (self._state, len(self._buffer))
            yield from _STATES[self._state](self)
            if (self._state, len(self._buffer)) == before:
                return

    def close(self) -> Iterator[Part]:
        """The connection ended: a message that lasts until then is over."""
        if self._state == "rest":
            self._state = "head"
            yield Part("end")

    def _head(self) -> Iterator[Part]:
        while self._buffer[:2] == b"\r\n":
            del self._buffer[:2]
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            self.is_foreign = len(self._buffer) > HEAD_BYTES_MAX
            return
        raw = bytes(self._buffer[:end])
        del self._buffer[: end + 4]
        if not _START.match(raw):
            self.is_foreign = True
            return
        head = _parse_head(raw, end + 4)
        self._begin_body(head)
        yield Part("head", head)
        if self._state == "end":
            self._state = "head"
            yield Part("end")

    def _begin_body(self, head: Head) -> None:
        compressed = head.headers.get("content-encoding", "") in ("gzip", "x-gzip", "deflate")
        self._inflate = zlib.decompressobj(47) if compressed else None
        length = head.headers.get("content-length", "")
        if self.no_body(head):
            self._state = "end"
        elif "chunked" in head.headers.get("transfer-encoding", "").lower():
            self._state = "chunk-size"
        elif length.isdigit():
            self._left = int(length)
            self._state = "fixed" if self._left else "end"
        else:
            self._state = "rest" if self.until_close else "end"

    def _fixed(self) -> Iterator[Part]:
        yield from self._take()
        if not self._left:
            self._state = "head"
            yield Part("end")

    def _rest(self) -> Iterator[Part]:
        self._left = len(self._buffer)
        yield from self._take()

    def _chunk_size(self) -> Iterator[Part]:
        line = self._line()
        if line is None:
            return
        size = _CHUNK_SIZE.match(line)
        if size is None:
            self.is_foreign = True
            return
        self._left = int(size[0], 16)
        self._state = "chunk" if self._left else "trailer"
        yield from ()

    def _chunk(self) -> Iterator[Part]:
        yield from self._take()
        if not self._left and self._line() is not None:
            self._state = "chunk-size"

    def _trailer(self) -> Iterator[Part]:
        line = self._line()
        if line == b"":
            self._state = "head"
            yield Part("end")

    def _take(self) -> Iterator[Part]:
        data = bytes(self._buffer[: self._left])
        if data:
            del self._buffer[: len(data)]
            self._left -= len(data)
            yield Part("body", None, self._plain(data))

    def _plain(self, data: bytes) -> bytes:
        if self._inflate is None:
            return data
        try:
            return self._inflate.decompress(data)
        except zlib.error:
            self._inflate = None
            return data

    def _line(self) -> bytes | None:
        end = self._buffer.find(b"\r\n")
        if end < 0:
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line


_STATES: dict[str, Callable[[Messages], Iterator[Part]]] = {
    "head": Messages._head,  # noqa: SLF001 - the table belongs to the class
    "fixed": Messages._fixed,  # noqa: SLF001
    "rest": Messages._rest,  # noqa: SLF001
    "chunk-size": Messages._chunk_size,  # noqa: SLF001
    "chunk": Messages._chunk,  # noqa: SLF001
    "trailer": Messages._trailer,  # noqa: SLF001
}


def _parse_head(raw: bytes, size: int) -> Head:
    start, *lines = raw.decode("latin-1").split("\r\n")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return Head(start, headers, size)


class Told(NamedTuple):
    """One server-sent event, or a comment (then ``event`` is empty); ``id`` is None where the event has none."""

    event: str
    data: str
    id: str | None = None


@dataclass
class Events:
    """Reads ``text/event-stream`` (WHATWG); a field it does not know is ignored, as the standard says."""

    _buffer: bytearray = field(default_factory=bytearray)
    _fields: dict[str, list[str]] = field(default_factory=dict)

    def feed(self, data: bytes) -> Iterator[Told]:
        """Take body bytes and yield events and comments that are complete."""
        self._buffer += data
        while (line := self._line()) is not None:
            if line.startswith(":"):
                yield Told("", line[1:].strip())
            elif line:
                name, _, value = line.partition(":")
                self._fields.setdefault(name, []).append(value.removeprefix(" "))
            elif self._fields:
                yield self._event()

    def _event(self) -> Told:
        fields, self._fields = self._fields, {}
        return Told(
            fields.get("event", ["message"])[-1], "\n".join(fields.get("data", [])), fields.get("id", [None])[-1]
        )

    def _line(self) -> str | None:
        """The next line; a carriage return at the very end of what is there waits for the line feed that may follow."""
        ends = [at for at in (self._buffer.find(b"\n"), self._buffer.find(b"\r")) if at >= 0]
        if not ends:
            return None
        end = min(ends)
        size = 1
        if self._buffer[end : end + 1] == b"\r":
            if end + 1 == len(self._buffer):
                return None
            size = 2 if self._buffer[end + 1 : end + 2] == b"\n" else 1
        line = self._buffer[:end].decode("utf-8", "replace")
        del self._buffer[: end + size]
        return line
