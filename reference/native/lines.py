"""JSON objects, one a line, over pipes: how a role is told things and how it talks with its agent."""

import json
import os
from collections.abc import AsyncGenerator, Callable
from typing import Any

import trio

LINE_BYTES_MAX = 16 * 1024 * 1024
"""Longest line: twice the longest answer of a relay. What is longer is nobody's word, and reading on would fill the memory."""

_PIECE_BYTES = 65_536


async def objects(stream: trio.abc.ReceiveStream, refuse: Callable[[str], None]) -> AsyncGenerator[dict[str, Any]]:
    """Objects of a stream until it ends.

    Args:
        stream: bytes.
        refuse: is told of each line that is no JSON object, and why; reading goes on.

    Raises:
        ValueError: a line is longer than ``LINE_BYTES_MAX``.
    """
    buffer = bytearray()
    while piece := await _receive(stream):
        start = len(buffer)
        buffer += piece
        if piece.find(b"\n") >= 0:
            *lines, rest = bytes(buffer).split(b"\n")
            buffer = bytearray(rest)
            for line in lines:
                if (found := _object(line, refuse)) is not None:
                    yield found
        elif start + len(piece) > LINE_BYTES_MAX:
            raise ValueError(f"a line of more than {LINE_BYTES_MAX} bytes")


def line(message: dict[str, Any]) -> bytes:
    """One object as a line."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def pipe_end(descriptor: int) -> trio.lowlevel.FdStream:
    """A stream over a descriptor of this process, which keeps its own."""
    return trio.lowlevel.FdStream(os.dup(descriptor))


async def _receive(stream: trio.abc.ReceiveStream) -> bytes:
    try:
        return bytes(await stream.receive_some(_PIECE_BYTES))
    except trio.BrokenResourceError:
        return b""


def _object(text: bytes, refuse: Callable[[str], None]) -> dict[str, Any] | None:
    if not text.strip():
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        refuse(f"not JSON: {error}")
        return None
    if not isinstance(found, dict):
        refuse("not an object")
        return None
    return found
