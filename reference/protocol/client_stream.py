"""A stream from the relay that outlives its connections: resume by cursor, renewal without a break, silence, polls where streams are buffered.

A stream is first a *candidate*; with its first bytes it becomes *live* and the older one is dropped. So a token renewal costs no moment
without a stream.
"""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reference.protocol.client import TOKEN_TROUBLE, Client
from reference.protocol.client_answers import Refused, json_object, media_type, retry_after_s
from reference.protocol.client_io import DropStream, OpenStream, StreamBytes, StreamEnded, StreamOpened, StreamSent
from reference.protocol.errors import ERRORS
from reference.protocol.renewal import Token
from reference.protocol.sse_client import COMMENT, EventTooLong, SseEvent, SseParser
from reference.protocol.timers import Timers

if TYPE_CHECKING:
    import random

PROBE_WAIT_S = 1.0
"""The first bounded poll is short: its answer proves that the way is open and only streaming is not."""

POLL_FLOOR_S = 0.5
"""Polls that end sooner without news are not bounded polls: something answers in the relay's place, so back off."""


@dataclass
class Attachment:
    """One request for a stream. Times are awake seconds.

    Attributes:
        poll: it asked for one bounded answer.
        deadline_s: it is given up unless something happens before.
        sent: its request has left this machine.
        news: entries it brought.
        relieves: the relay has ended the live stream for its sake, though its own first byte is still on the way.
    """

    id: int
    token: str
    asked_at_s: float
    deadline_s: float
    poll: bool
    sent: bool = False
    news: int = 0
    relieves: bool = False
    parser: SseParser = field(default_factory=SseParser)


class StreamingClient(Client):
    """A client that keeps one stream open."""

    stream_scope: str

    def __init__(self, timers: Timers, entropy: "random.Random") -> None:
        super().__init__(timers, entropy)
        self.live: Attachment | None = None
        self.candidate: Attachment | None = None
        self.polling_until_s: float | None = None
        self.stream_heard_s = float("-inf")
        self.reopen = False

    # --- what a role adds

    @abstractmethod
    def stream_path(self) -> str:
        """Where the stream is."""

    @abstractmethod
    def resume_cursor(self) -> int:
        """Last ``seq`` applied; the stream goes on behind it."""

    @abstractmethod
    def on_event(self, name: str, data: dict[str, Any]) -> None:
        """``hello``, ``entry`` or ``presence``."""

    @abstractmethod
    def on_stream_lost(self, reason: str) -> None:
        """There is no stream any more."""

    @abstractmethod
    def on_stream_refused(self, refused: Refused) -> None:
        """The relay does not give this stream."""

    @abstractmethod
    def on_final_bye(self, reason: str) -> None:
        """The relay closed the stream for good: ``superseded`` or ``ended``."""

    def stream_headers(self) -> tuple[tuple[str, str], ...]:
        """Further headers of a stream request."""
        return ()

    # --- opening

    @property
    def is_down_alive(self) -> bool:
        """Whether the direction from the relay works: there is a stream or its relief, or polls follow each other, and it was heard in time."""
        relieved = self.candidate is not None and self.candidate.relieves
        is_there = self.live is not None or relieved or self.polling_until_s is not None
        return is_there and self._now.awake_s < self.stream_heard_s + self.timers.silence_s

    def drive_stream(self) -> None:
        """Keep the stream: give up what is overdue, renew what is due, open what is missing."""
        self._give_up_overdue()
        if self.candidate is not None:
            return
        token = self.stream_token()
        if token is None or not self.may_try(self.lane("stream")):
            return
        if self.live is None or token.value != self.live.token or self.reopen:
            self._open(token)

    def stream_token(self) -> Token | None:
        """What a stream is asked for with; the last of an enrolment serves a live one until the relay closes it, by the relay's clock."""
        if self.live is not None and self.tokens.is_last(self.stream_scope):
            return self.tokens.usable(self.stream_scope, self._now.elapsed_s)
        return self.token(self.stream_scope)

    def _open(self, token: Token, *, probe: bool = False) -> None:
        now_s = self._now.awake_s
        poll = probe or (self.polling_until_s is not None and now_s < self.polling_until_s)
        wait_s = PROBE_WAIT_S if probe else self.timers.poll_wait_s
        prefer: tuple[tuple[str, str], ...] = (("Prefer", f"wait={wait_s:.0f}"),) if poll else ()
        deadline_s = now_s + self.timers.connect_s + (wait_s if poll else 0.0)
        self.reopen = False
        self.candidate = Attachment(self.number(), token.value, now_s, deadline_s, poll)
        headers = (
            ("Authorization", f"Bearer {token.value}"),
            ("Accept", "text/event-stream"),
            ("Last-Event-ID", str(self.resume_cursor())),
            *self.stream_headers(),
            *prefer,
        )
        self.do(OpenStream(self.candidate.id, self.stream_path(), headers))

    def _give_up_overdue(self) -> None:
        now_s = self._now.awake_s
        if self.live is not None and now_s >= self.stream_heard_s + self.timers.silence_s:
            self._lose("silent")
        if self.candidate is not None and now_s >= self.candidate.deadline_s:
            self._candidate_overdue(self.candidate)

    def _candidate_overdue(self, candidate: Attachment) -> None:
        """No first byte in time: a middlebox that buffers if only the answer is missing, else a network fault."""
        self.do(DropStream(candidate.id))
        self.candidate = None
        token = self.tokens.usable(self.stream_scope, self._now.elapsed_s)
        if candidate.sent and not candidate.poll and self.live is None and token is not None:
            self.polling_until_s = self._now.awake_s + self.timers.stream_retry_s
            self._open(token, probe=True)
        else:
            self._candidate_unreached("no answer in time")

    def _candidate_unreached(self, why: str, at_least_s: float = 0.0) -> None:
        self._way.failed(self._now.awake_s, at_least_s)
        self._candidate_failed(why, at_least_s)

    def _candidate_failed(self, why: str, at_least_s: float = 0.0) -> None:
        self.candidate = None
        if self.live is None:
            self.polling_until_s = None
            self.on_stream_lost(why)
        self.lane("stream").backoff.failed(self._now.awake_s, at_least_s)

    # --- inputs

    def on_stream_sent(self, sent: StreamSent) -> None:
        """The request is out: the first byte has its own, shorter time."""
        candidate = self.candidate
        if candidate is not None and candidate.id == sent.stream:
            candidate.sent = True
            wait_s = self.timers.request_s + self.timers.poll_wait_s if candidate.poll else self.timers.first_byte_s
            candidate.deadline_s = self._now.awake_s + wait_s

    def on_stream_opened(self, opened: StreamOpened) -> None:
        """The head of the answer: the relay's stream, its refusal, or somebody else's word."""
        candidate = self.candidate
        if candidate is None or candidate.id != opened.stream:
            return
        if opened.status == 200 and media_type(opened.headers) == "text/event-stream":
            return
        self.do(DropStream(candidate.id))
        word = self.is_relays_word(opened.status, opened.headers, opened.body)
        if not isinstance(word, Refused):
            self._candidate_unreached(f"HTTP {opened.status} not from the relay", retry_after_s(opened.headers))
            return
        self.heard()
        self._stream_refused(candidate, word)

    def _stream_refused(self, candidate: Attachment, refused: Refused) -> None:
        row = ERRORS.get(refused.code)
        retry = refused.code in TOKEN_TROUBLE and self.tokens.discard(self.stream_scope, candidate.token)
        if retry or (row is not None and row.retryable):
            self._candidate_failed(refused.code, refused.retry_after_s)
        else:
            self.candidate = None
            self.on_stream_refused(refused)

    def on_stream_bytes(self, chunk: StreamBytes) -> None:
        """Bytes of a stream; the first ones make a candidate live."""
        if self.candidate is not None and self.candidate.id == chunk.stream:
            self._promote(self.candidate)
        live = self.live
        if live is None or live.id != chunk.stream:
            return
        try:
            events = live.parser.feed(chunk.data)
        except EventTooLong:
            self._lose("event too long")
            return
        if events:
            self.heard()
            self.stream_heard_s = self._now.awake_s
        for event in events:
            if self.live is live:
                self._dispatch(live, event)

    def _promote(self, candidate: Attachment) -> None:
        if self.live is not None:
            self.do(DropStream(self.live.id))
        self.live, self.candidate = candidate, None
        self.stream_heard_s = self._now.awake_s
        if not candidate.poll:
            self.polling_until_s = None
        self.lane("stream").backoff.worked(self._now.awake_s)

    def _dispatch(self, live: Attachment, event: SseEvent) -> None:
        if event.name == COMMENT:
            return
        data = json_object(event.data)
        if data is None:
            self._lose("an event that is no JSON object")
        elif event.name == "bye":
            self._on_bye(live, str(data.get("reason", "")), float(data.get("retry_after_s") or 0.0))
        else:
            live.news += event.name == "entry"
            self.on_event(event.name, data)

    def _on_bye(self, live: Attachment, reason: str, retry_after_s_: float) -> None:
        if reason in ("superseded", "ended"):
            self.drop_streams()
            self.on_final_bye(reason)
        elif reason == "replaced" and self.candidate is not None:
            # Ours: the relay lets a newer attachment of the same incarnation push out the older one before we drop it ourselves.
            self.candidate.relieves = True
        else:
            if reason in TOKEN_TROUBLE:
                self.tokens.discard(self.stream_scope, live.token)
            self._lose(reason, retry_after_s_)

    def on_stream_ended(self, ended: StreamEnded) -> None:
        """A stream is over: the end of a poll, or a network fault."""
        if self.candidate is not None and self.candidate.id == ended.stream:
            self._candidate_unreached(ended.why or "closed without a word")
        elif self.live is not None and self.live.id == ended.stream:
            if self.live.poll:
                self._poll_ended(self.live)
            elif self.candidate is not None:
                self.live = None
            else:
                self._lose(ended.why or "closed without a word")

    def _poll_ended(self, poll: Attachment) -> None:
        self.live = None
        if not poll.news and self._now.awake_s < poll.asked_at_s + POLL_FLOOR_S:
            self.lane("stream").backoff.failed(self._now.awake_s)

    def _lose(self, reason: str, at_least_s: float = 0.0) -> None:
        """The live stream is gone; a candidate goes on."""
        assert self.live is not None
        self.do(DropStream(self.live.id))
        self.live = None
        if self.candidate is None:
            self.lane("stream").backoff.failed(self._now.awake_s, at_least_s)
        self.on_stream_lost(reason)

    def is_trying(self) -> bool:
        """Whether any attempt is under way, a stream that is not live yet included."""
        return self.candidate is not None or super().is_trying()

    def drop_streams(self) -> None:
        """Close whatever is open, without a word to anybody."""
        for attachment in (self.live, self.candidate):
            if attachment is not None:
                self.do(DropStream(attachment.id))
        self.live = self.candidate = None
        self.polling_until_s = None

    def woke(self, slept_s: float) -> None:
        """The streams are as little to be trusted as the calls."""
        had_stream = self.live is not None
        self.live = self.candidate = None
        self.polling_until_s = None
        super().woke(slept_s)
        if had_stream:
            self.on_stream_lost("woke up")

    def deadlines(self) -> Iterator[float]:
        """Silence, patience with a candidate, renewal."""
        yield from super().deadlines()
        now = self._now
        if self.live is not None:
            yield self.stream_heard_s + self.timers.silence_s
            renew_at_s = self.tokens.renew_at_s(self.stream_scope)
            if renew_at_s is not None and renew_at_s > now.elapsed_s:
                # A millisecond's floor: the difference of two clocks may round to nothing.
                yield now.awake_s + max(renew_at_s - now.elapsed_s, 0.001)
        if self.candidate is not None:
            yield self.candidate.deadline_s
