"""The relay's edge over any trio stream: one reader, one writer that joins what piled up, patience with limits.

Deliberately absent: HTTP's grammar (``http_gate``), every decision (the machine), sockets (trio's high-level API makes them).
"""

import dataclasses
import math
from collections import deque

import trio

from reference.protocol import limits
from reference.protocol.http_gate import HttpGate, Refusal
from reference.protocol.http_reply import LAST_CHUNK, chunk, reply, stream_head
from reference.protocol.problem import problem
from reference.protocol.relay_io import CloseStream, Flowed, OpenStream, Request, Respond, StreamData
from reference.relay.service import RelayService

_GONE = (trio.BrokenResourceError, trio.ClosedResourceError)
_READ_BYTES = 64 * 1024


async def serve_stream(stream: trio.abc.Stream, relay: RelayService) -> None:
    """Serve one connection to its end; returns when it is closed."""
    connection = _Connection(stream, relay)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(connection.write)
            await connection.read()
            with trio.move_on_after(limits.FLUSH_S):
                await connection.flushed()
            nursery.cancel_scope.cancel()
    finally:
        connection.abandon()
        await trio.aclose_forcefully(stream)


class _Connection:
    """One connection: at most one request is with the machine, later ones wait their turn."""

    def __init__(self, stream: trio.abc.Stream, relay: RelayService) -> None:
        self._stream = stream
        self._relay = relay
        self._gate = HttpGate()
        self._waiting: deque[Request] = deque()
        self._request: Request | None = None
        self._streaming = False
        self._wants_flow = False
        self._closing = False
        self._served = False
        self._over = False
        self._phase = ""
        self._phase_ends = math.inf
        self._scope = trio.CancelScope()
        self._pieces: list[bytes] = []
        self._unsent = 0
        self._writer = trio.lowlevel.ParkingLot()
        self._drained = trio.lowlevel.ParkingLot()

    # --- reading

    async def read(self) -> None:
        """Read until the peer is done, breaks the rules, or is too slow."""
        while not self._over:
            with trio.CancelScope(deadline=self._patience()) as self._scope:
                if not await self._read_in_time():
                    return
            if self._scope.cancelled_caught:
                self._too_slow()
        await self._linger()

    async def _read_in_time(self) -> bool:
        """Read on in one scope, whose deadline moves with what came; returns whether the peer is still there."""
        while not self._over and not self._scope.cancel_called:
            self._scope.deadline = self._patience()
            try:
                await self._taken()
                data = await self._stream.receive_some(_READ_BYTES)
            except _GONE:
                return False
            if not data:
                return False
            self._feed(bytes(data))
        return True

    async def _taken(self) -> None:
        """Wait until the peer has taken its answers: who asks and never listens costs no memory."""
        while self._unsent > limits.UNTAKEN_BYTES_MAX and not self._streaming and not self._over:
            await self._drained.park()

    def _feed(self, data: bytes) -> None:
        for item in self._gate.feed(data):
            if isinstance(item, Refusal):
                self._refuse(item.code)
                return
            self._waiting.append(item)
            self._next_request()
        if len(self._waiting) > limits.PIPELINED_MAX or (self._streaming and self._waiting):
            self._refuse("bad-request")

    def _next_request(self) -> None:
        """Hand the next request to the machine once the one before is answered."""
        while self._waiting and self._request is None and not self._closing:
            request = dataclasses.replace(self._waiting.popleft(), rid=self._relay.new_rid(self))
            self._request = request
            self._closing = request.method == "HEAD" or request.headers.get("connection", "").lower() == "close"
            self._relay.submit(request)

    def _patience(self) -> float:
        """Until when to wait: every phase has one deadline from its first byte on; inside a body no byte may be long in coming either."""
        if self._request is not None:
            phase, patience_s = "answer", math.inf
        elif self._gate.mid_body:
            phase, patience_s = "body", limits.BODY_S
        elif self._gate.mid_head or not self._served:
            phase, patience_s = "head", limits.HEAD_S
        else:
            phase, patience_s = "idle", limits.KEEP_ALIVE_S
        if phase != self._phase:
            self._phase, self._phase_ends = phase, trio.current_time() + patience_s
        if phase == "body":
            return min(self._phase_ends, trio.current_time() + limits.BODY_SILENCE_S)
        return self._phase_ends

    def _too_slow(self) -> None:
        """The deadline passed, or the writing side wants the end: only a request that had begun gets an answer."""
        if self._over:
            return
        if self._gate.mid_head or self._gate.mid_body:
            self._refuse("timeout")
        self._over = True

    def _refuse(self, code: str) -> None:
        """Answer with a problem where one can still be told apart from an answer under way, and end."""
        if self._request is None:
            answer = problem(0, code)
            self._put(reply(answer.status, answer.headers, answer.body, close=True))
        self._over = True

    async def _linger(self) -> None:
        """Drop what the peer still sends, so that no reset overtakes the last answer."""
        with trio.move_on_after(limits.LINGER_S):
            try:
                while await self._stream.receive_some(_READ_BYTES):
                    pass
            except _GONE:
                return

    # --- effects

    def take(self, effect: Respond | OpenStream | StreamData | CloseStream) -> None:
        """Write an effect's bytes into the buffer; the writer joins them."""
        if isinstance(effect, StreamData):
            self._put(chunk(effect.data))
            self._wants_flow |= effect.more
            if self._unsent > limits.UNSENT_BYTES_MAX:
                self._relay.submit(Flowed(effect.rid, self._unsent))
        elif isinstance(effect, OpenStream):
            self._streaming = True
            self._put(stream_head(effect.headers))
        else:
            self._answer(effect)

    def _answer(self, effect: Respond | CloseStream) -> None:
        """Write the end of an answer and turn to the next request."""
        assert self._request is not None
        if isinstance(effect, CloseStream):
            self._put(LAST_CHUNK)
            self._closing |= self._unsent > limits.UNSENT_BYTES_MAX
        else:
            body = b"" if self._request.method == "HEAD" else effect.body
            self._put(reply(effect.status, effect.headers, body, close=self._closing))
        self._request, self._streaming, self._served, self._phase = None, False, True, ""
        if self._closing:
            self._over = True
            self._scope.cancel()
        else:
            self._next_request()
            self._scope.deadline = self._patience()

    # --- writing

    def _put(self, data: bytes) -> None:
        self._pieces.append(data)
        self._unsent += len(data)
        self._writer.unpark()

    async def write(self) -> None:
        """Send what piled up, joined, as often as the peer takes it."""
        try:
            while True:
                while not self._pieces:
                    self._drained.unpark_all()
                    await self._writer.park()
                data = b"".join(self._pieces)
                self._pieces.clear()
                await self._stream.send_all(data)
                self._unsent -= len(data)
                if self._wants_flow and not self._unsent and self._request is not None:
                    self._wants_flow = False
                    self._relay.submit(Flowed(self._request.rid, 0))
        except _GONE:
            self._unsent = 0
            self._over = True
            self._drained.unpark_all()
            self._scope.cancel()

    async def flushed(self) -> None:
        """Wait until nothing is left to send."""
        while self._unsent:
            await self._drained.park()

    def abandon(self) -> None:
        """The connection is over, whatever was under way."""
        if self._request is not None:
            self._relay.drop(self._request.rid)
