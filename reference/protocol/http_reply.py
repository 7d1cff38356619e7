"""Answers as bytes: with a length, or chunked for streams (RFC 9112 sections 6 and 7.1)."""

from http import HTTPStatus

from reference.protocol.relay_io import Headers

LAST_CHUNK = b"0\r\n\r\n"
"""Ends a stream."""

_REASONS = {status.value: status.phrase for status in HTTPStatus}


def reply(status: int, headers: Headers, body: bytes, *, close: bool) -> bytes:
    """Encode a whole answer; ``close`` announces the end of the connection."""
    return _head(status, (*headers, ("Content-Length", str(len(body)))), close=close) + body


def stream_head(headers: Headers) -> bytes:
    """Encode the head of a stream."""
    return _head(200, (*headers, ("Transfer-Encoding", "chunked")), close=False)


def chunk(data: bytes) -> bytes:
    """Encode one piece of a stream; never empty, because an empty chunk is the end."""
    assert data
    return b"%x\r\n%b\r\n" % (len(data), data)


def _head(status: int, headers: Headers, *, close: bool) -> bytes:
    lines = [f"HTTP/1.1 {status} {_REASONS[status]}", "Cache-Control: no-store"]
    lines += [f"{name}: {value}" for name, value in headers]
    if close:
        lines.append("Connection: close")
    head = "\r\n".join(lines)
    assert "\r\n\r\n" not in head
    return head.encode("latin-1") + b"\r\n\r\n"
