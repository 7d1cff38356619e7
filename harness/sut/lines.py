"""JSON objects, one a line, from pipes and sockets of other programs; nothing that they write can hang or fill the harness.

The harness's own reader; the reference has another one.
"""

import json
from collections.abc import AsyncGenerator
from typing import Any

import trio

LINE_BYTES_MAX = 32 * 1024 * 1024
"""Longest line that is read: twice what the reference's programs allow themselves."""


class Garbage(Exception):  # noqa: N818 - it names what was met
    """What came is no line of the contract; the message says what is wrong, with its first bytes."""


async def objects(stream: trio.abc.ReceiveStream) -> AsyncGenerator[dict[str, Any]]:
    """Objects of a stream until it ends.

    Raises:
        Garbage: a line is too long, or no JSON object.
    """
    buffer = bytearray()
    try:
        async for piece in stream:
            seen = len(buffer)
            buffer += piece
            if buffer.find(b"\n", seen) < 0:
                _limit(buffer)
                continue
            *lines, rest = bytes(buffer).split(b"\n")
            buffer = bytearray(rest)
            for line in lines:
                if line.strip():
                    yield _object(line)
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        return


def line(message: dict[str, Any]) -> bytes:
    """One object as a line."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def _limit(buffer: bytearray) -> None:
    if len(buffer) > LINE_BYTES_MAX:
        raise Garbage(f"a line of more than {LINE_BYTES_MAX} bytes: {bytes(buffer[:80])!r}...")


def _object(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise Garbage(f"a line that is not JSON: {text[:80]!r}") from None
    if not isinstance(found, dict):
        raise Garbage(f"a line that is no JSON object: {text[:80]!r}")
    return found
