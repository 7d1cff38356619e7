"""Where a chunked body ends (RFC 9112 section 7.1), counted byte by byte so that nothing behind it is taken for a part of it."""

import re

from reference.protocol import limits

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?")


class ChunkedFault(Exception):  # noqa: N818 - the peer's fault
    """The body breaks the grammar or a limit; ``code`` is one of errors.yaml."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class ChunkedBody:
    """One body as it comes in.

    Attributes:
        data: decoded so far, at most ``BODY_BYTES_MAX``.
        complete: the last chunk and its empty trailer were seen.
    """

    def __init__(self) -> None:
        self.data = bytearray()
        self.complete = False
        self._left = 0
        self._expect = b""
        self._last = False
        self._line = bytearray()
        self._overhead = 0

    def feed(self, buffer: bytes) -> int:
        """Take what belongs to this body.

        Args:
            buffer: bytes that were not taken before.

        Returns:
            How many bytes were taken: all of them, or fewer when the body is complete.

        Raises:
            ChunkedFault: at the first byte that breaks the grammar or a limit.
        """
        at = 0
        while at < len(buffer) and not self.complete:
            if self._left:
                at += self._take_data(buffer[at : at + self._left])
            else:
                self._take_mark(buffer[at])
                at += 1
        return at

    def _take_data(self, piece: bytes) -> int:
        self.data += piece
        self._left -= len(piece)
        if not self._left:
            self._expect = b"\r\n"
        return len(piece)

    def _take_mark(self, byte: int) -> None:
        """Take one byte beside the data: a line end that has to come, or a part of a size line."""
        self._overhead += 1
        if self._overhead > limits.CHUNK_OVERHEAD_BYTES_MAX:
            raise ChunkedFault("too-large")
        if self._expect:
            if byte != self._expect[0]:
                raise ChunkedFault("bad-request")
            self._expect = self._expect[1:]
            self.complete = self._last and not self._expect
            return
        if self._line.endswith(b"\r") and byte != 0x0A:
            raise ChunkedFault("bad-request")
        self._line.append(byte)
        if byte == 0x0A:
            self._read_size(bytes(self._line))
            self._line.clear()
        elif len(self._line) > limits.CHUNK_LINE_BYTES_MAX:
            raise ChunkedFault("bad-request")

    def _read_size(self, line: bytes) -> None:
        match = _SIZE.fullmatch(line[:-2]) if line.endswith(b"\r\n") else None
        if match is None:
            raise ChunkedFault("bad-request")
        self._left = int(match[1], 16)
        if len(self.data) + self._left > limits.BODY_BYTES_MAX:
            raise ChunkedFault("too-large")
        if not self._left:
            self._last, self._expect = True, b"\r\n"
