"""The strict front gate: bytes of one connection in, whole requests or one refusal out (HTTP/1.1, RFC 9110 and 9112).

httptools is strict about tokens, line ends and lengths, but takes a missing or doubled Host, a mismatched absolute form,
Transfer-Encoding on HTTP/1.0, a 70 kB header and a 70 kB chunk extension (measured, 0.9). So the gate finds the end of every message itself,
counting bytes before it feeds them, and the parser is never shown a byte beyond it: two parsers must agree on each request, and how the bytes
were cut into reads cannot matter. Deliberately absent: HTTP/1.0, upgrades, trailers, anything but one answer to one request.
"""

import re
from dataclasses import dataclass
from typing import Final

import httptools

from reference.protocol import limits
from reference.protocol.chunked import ChunkedBody, ChunkedFault
from reference.protocol.relay_io import Request

_LINE_BYTES_MAX = limits.URL_BYTES_MAX + 32
_BREAK = re.compile(rb"\r\n\r\n|(?<!\r)\n|\r(?=[^\n])")
_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")
_TARGET = re.compile(r"/[!-\"$-~]*")
_ABSOLUTE = re.compile(r"https?://([^/?#]*)(.*)", re.IGNORECASE)
_SINGLE = frozenset(
    {
        "host",
        "content-length",
        "transfer-encoding",
        "authorization",
        "last-event-id",
        "relay-epoch",
        "content-type",
        "prefer",
    }
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """The connection has to be closed after this problem was answered; a code of errors.yaml."""

    code: str


_BAD: Final = Refusal("bad-request")


class HttpGate:
    """One connection's requests.

    Attributes:
        mid_head: bytes of an unfinished head are waiting.
        mid_body: a head is complete and its body is not.
    """

    def __init__(self) -> None:
        self._buffer = b""
        self._refused = False
        self._head: _Head | None = None
        self._body = bytearray()
        self._left = 0
        self._chunked: ChunkedBody | None = None
        self._collector = _Collector()
        self._parser = httptools.HttpRequestParser(self._collector)

    @property
    def mid_head(self) -> bool:
        """Whether bytes of an unfinished head are waiting."""
        return self._head is None and bool(self._buffer)

    @property
    def mid_body(self) -> bool:
        """Whether a head is complete and its body is not."""
        return self._head is not None

    def feed(self, data: bytes) -> list[Request | Refusal]:
        """Take bytes as they came.

        Args:
            data: any piece of the connection's bytes.

        Returns:
            What became complete, in order, with ``rid`` 0; a refusal is the last thing that ever comes out.
        """
        out: list[Request | Refusal] = []
        if self._refused:
            return out
        self._buffer += data
        step: Request | Refusal | None = None
        while self._buffer and (step := self._advance()) is not None:
            out.append(step)
            if isinstance(step, Refusal):
                self._refused, self._buffer = True, b""
        return out

    def _advance(self) -> Request | Refusal | None:
        """Make one message complete, or None when bytes are missing."""
        if self._head is None:
            end = _end_of_head(self._buffer)
            if not isinstance(end, int):
                return end
            refusal = self._take_head(end)
            if refusal is not None:
                return refusal
        return self._take_chunked() if self._chunked is not None else self._take_counted()

    def _take_head(self, end: int) -> Refusal | None:
        head, self._buffer = self._buffer[:end], self._buffer[end:]
        self._collector.begin()
        if not self._parse(head):
            return _BAD
        parsed = _read_head(self._parser, self._collector)
        if isinstance(parsed, Refusal):
            return parsed
        self._head = parsed
        self._left = parsed.length
        self._chunked = ChunkedBody() if parsed.chunked else None
        return None

    def _take_counted(self) -> Request | Refusal | None:
        piece, self._buffer = self._buffer[: self._left], self._buffer[self._left :]
        self._left -= len(piece)
        self._body += piece
        if piece and not self._parse(piece):
            return _BAD
        return self._complete() if self._left == 0 else None

    def _take_chunked(self) -> Request | Refusal | None:
        assert self._chunked is not None
        try:
            taken = self._chunked.feed(self._buffer)
        except ChunkedFault as fault:
            return Refusal(fault.code)
        piece, self._buffer = self._buffer[:taken], self._buffer[taken:]
        if not self._parse(piece):
            return _BAD
        if not self._chunked.complete:
            return None
        self._body += self._chunked.data
        return self._complete()

    def _complete(self) -> Request | Refusal:
        assert self._head is not None
        if not self._collector.complete or self._collector.body != self._body:
            return _BAD
        head, body = self._head, bytes(self._body)
        self._head, self._chunked = None, None
        self._body.clear()
        return Request(0, head.method, head.path, head.query, head.headers, body)

    def _parse(self, piece: bytes) -> bool:
        """Show a piece of one message to the parser; it must like it."""
        try:
            self._parser.feed_data(piece)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            return False
        return True


def _end_of_head(buffer: bytes) -> int | Refusal | None:
    """Find the end of a head as somebody who reads byte by byte would: whatever comes first decides, however the bytes were cut."""
    found = _BREAK.search(buffer, 0, limits.HEAD_BYTES_MAX)
    broken_at = found.start() if found else limits.HEAD_BYTES_MAX
    line_end = buffer.find(b"\r\n", 0, _LINE_BYTES_MAX)
    if line_end < 0 and min(len(buffer), broken_at) >= _LINE_BYTES_MAX:
        return Refusal("uri-too-long")
    if found is None:
        return Refusal("head-too-large") if len(buffer) >= limits.HEAD_BYTES_MAX else None
    return found.end() if found.group() == b"\r\n\r\n" else _BAD


class _Collector:
    """What httptools calls back with."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        self.url = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = bytearray()
        self.complete = False

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value))

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.complete = True


@dataclass(frozen=True, slots=True)
class _Head:
    method: str
    path: str
    query: str
    headers: dict[str, str]
    length: int
    chunked: bool


def _read_head(parser: httptools.HttpRequestParser, seen: _Collector) -> _Head | Refusal:
    """Check what the parser let through: version, Host, target, repeated headers, framing."""
    if parser.get_http_version() != "1.1":
        return _BAD
    if len(seen.headers) > limits.HEADERS_MAX:
        return Refusal("head-too-large")
    headers = _join(seen.headers)
    target = _origin_form(seen.url, headers.get("host", "")) if headers is not None else None
    if headers is None or target is None:
        return _BAD
    if len(seen.url) > limits.URL_BYTES_MAX:
        return Refusal("uri-too-long")
    framing = _framing(headers)
    if isinstance(framing, Refusal):
        return framing
    path, _, query = target.partition("?")
    return _Head(parser.get_method().decode("ascii"), path, query, headers, *framing)


def _join(pairs: list[tuple[bytes, bytes]]) -> dict[str, str] | None:
    """Join headers by name; None when one that decides something comes twice (RFC 9112 sections 3.2 and 6.3)."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name, value = raw_name.decode("ascii").lower(), raw_value.decode("latin-1").strip(" \t")
        if name in headers:
            if name in _SINGLE:
                return None
            value = f"{headers[name]}, {value}"
        headers[name] = value
    return headers


def _origin_form(url: bytes, host: str) -> str | None:
    """The target as path and query; an absolute form must name the very Host (RFC 9112 section 3.2.2)."""
    target = url.decode("latin-1")
    if not _HOST.fullmatch(host):
        return None
    if absolute := _ABSOLUTE.fullmatch(target):
        if absolute[1].lower() != host.lower():
            return None
        target = absolute[2] or "/"
    return target if _TARGET.fullmatch(target) else None


def _framing(headers: dict[str, str]) -> tuple[int, bool] | Refusal:
    """Length and whether the body is chunked."""
    coding, length = headers.get("transfer-encoding"), headers.get("content-length", "0")
    if "upgrade" in headers or (coding is not None and ("content-length" in headers or coding.lower() != "chunked")):
        return _BAD
    if not (length.isascii() and length.isdigit()):
        return _BAD
    if len(length) > 9 or int(length) > limits.BODY_BYTES_MAX:
        return Refusal("too-large")
    return int(length), coding is not None
