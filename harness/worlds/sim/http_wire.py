"""Just enough HTTP/1.1 for middleboxes: read one message from a stream, raw, and know where it ends.

Lenient on purpose, as middleboxes are. Deliberately absent: any opinion on what is in a message.
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

import trio

HEAD_BYTES_MAX = 64 * 1024


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a message.

    Attributes:
        raw: its bytes, with the empty line.
        first: the three parts of its first line.
        headers: lower-case name -> value; of repeated ones the last.
    """

    raw: bytes
    first: tuple[bytes, ...]
    headers: dict[bytes, bytes]

    @property
    def path(self) -> str:
        """Path of a request, without query."""
        return self.first[1].partition(b"?")[0].decode("latin-1")

    def without(self, name: bytes) -> list[bytes]:
        """The lines of the head except one header's, without line ends."""
        return [line for line in self.raw[:-4].split(b"\r\n") if line.partition(b":")[0].strip().lower() != name]


def parse_head(raw: bytes) -> Head:
    """Take a head apart."""
    first, *lines = raw[:-4].split(b"\r\n")
    headers = {}
    for line in lines:
        name, _, value = line.partition(b":")
        headers[name.strip().lower()] = value.strip()
    return Head(raw, tuple(first.split(b" ", 2)), headers)


class Reader:
    """Reads messages from a stream, keeping what belongs to the next one."""

    def __init__(self, stream: trio.abc.ReceiveStream) -> None:
        self._stream = stream
        self._ahead = b""

    async def more(self) -> bool:
        """Read ahead; False at the end of the stream."""
        data = await self._stream.receive_some(65_536)
        self._ahead += data
        return bool(data)

    async def head(self) -> Head | None:
        """Read a head, None at the end of the stream or if it is beyond all measure."""
        while (end := self._ahead.find(b"\r\n\r\n")) < 0:
            if len(self._ahead) > HEAD_BYTES_MAX or not await self.more():
                return None
        raw, self._ahead = self._ahead[: end + 4], self._ahead[end + 4 :]
        return parse_head(raw)

    async def body(self, head: Head, *, until_end: bool) -> AsyncGenerator[bytes]:
        """Yield the raw body of the message whose head was read, as it comes.

        Args:
            head: the message's head.
            until_end: without a length the body lasts until the stream ends (a response), or is empty (a request).
        """
        if head.headers.get(b"transfer-encoding", b"").lower().endswith(b"chunked"):
            parts = self._chunks()
        elif b"content-length" in head.headers:
            parts = self._exactly(int(head.headers[b"content-length"]))
        elif until_end:
            parts = self._rest()
        else:
            return
        async for part in parts:
            yield part

    async def _exactly(self, size: int) -> AsyncGenerator[bytes]:
        while size and (self._ahead or await self.more()):
            part, self._ahead = self._ahead[:size], self._ahead[size:]
            size -= len(part)
            yield part

    async def _rest(self) -> AsyncGenerator[bytes]:
        while self._ahead or await self.more():
            part, self._ahead = self._ahead, b""
            yield part

    async def _chunks(self) -> AsyncGenerator[bytes]:
        while True:
            while (end := self._ahead.find(b"\r\n")) < 0:
                if not await self.more():
                    return
            size = int(self._ahead[:end].partition(b";")[0], 16)
            whole = end + 2 + size + 2
            while len(self._ahead) < whole:
                if not await self.more():
                    return
            part, self._ahead = self._ahead[:whole], self._ahead[whole:]
            yield part
            if size == 0:
                return


def has_no_body(request: Head, response: Head) -> bool:
    """Whether a response ends with its head (RFC 9112 section 6.3)."""
    status = response.first[1]
    return request.first[0] == b"HEAD" or status in (b"204", b"304") or status.startswith(b"1")
