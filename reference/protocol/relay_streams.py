"""The relay's streams: baseline, replay, fan-out, presence, heartbeats, and every regular end of a stream."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from reference.protocol import limits, sse
from reference.protocol.alarms import EARLY_S
from reference.protocol.credentials import Access
from reference.protocol.log import Entry
from reference.protocol.presence import TRANSITIONS, Liveness, Phase, Presence, Sign
from reference.protocol.problem import Refused
from reference.protocol.relay_core import Call, RelayCore
from reference.protocol.relay_io import CloseStream, Drain, Flowed, Gone, Headers, OpenStream, Respond, StreamData
from reference.protocol.relay_state import Session

STREAM_HEADERS: Headers = (("Content-Type", "text/event-stream"), ("X-Accel-Buffering", "no"))


@dataclass(slots=True)
class Stream:
    """One reader.

    Attributes:
        rid: its request.
        inbox: the host's stream; else a device's.
        cursor: last entry looked at for this reader.
        gap: it asked to resume from where nothing is kept.
        poll: it wants one answer with a length.
        live: it has caught up and gets entries as they come.
    """

    rid: int
    session: Session
    access: Access
    inbox: bool
    cursor: int
    gap: bool
    poll: bool
    live: bool = False


class RelayStreams(RelayCore):
    """Who reads what, and what is known of the host."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.streams: dict[int, Stream] = {}
        self.readers: dict[str, dict[int, Stream]] = {}
        self.presences: dict[str, Presence] = {}

    # --- policies

    def resume_from(self, session: Session, cursor: int) -> tuple[int, bool]:
        """Where a reader goes on, and whether it has missed something: the cursor is exclusive."""
        return (cursor, False) if session.log.holds(cursor) else (session.log.first - 1, True)

    def may_see(self, stream: Stream, entry: Entry) -> bool:
        """A device sees everything, a host all but its own words."""
        return not stream.inbox or entry.author != "host"

    def presence_of(self, session: Session) -> Presence:
        """What devices are told about the host."""
        return self.presences[session.id]

    def is_slow(self, unsent_bytes: int) -> bool:
        """Whether a reader is so far behind that it is better detached."""
        return unsent_bytes > limits.UNSENT_BYTES_MAX

    # --- opening

    def _open(self, call: Call, session: Session, *, inbox: bool) -> None:
        asked = call.request.headers.get("last-event-id")
        cursor, gap = self.resume_from(session, _number(asked, "Last-Event-ID") if asked is not None else 0)
        wait_s = _wait_of(call.request.headers.get("prefer", ""))
        stream = Stream(call.request.rid, session, call.who, inbox, cursor, gap, poll=wait_s is not None)
        self.streams[stream.rid] = stream
        self.readers.setdefault(session.id, {})[stream.rid] = stream
        if wait_s is None:
            self._say(OpenStream(stream.rid, STREAM_HEADERS))
            self.awake_alarms.set(("beat", stream.rid), self._now.awake_s + self.terms.timers.heartbeat_s)
            self._feed(stream, sse.OPEN + self._hello(stream))
        elif asked is None or gap or session.ended or self._has_news(stream):
            self._answer_poll(stream)
        else:
            self.awake_alarms.set(("poll", stream.rid), self._now.awake_s + wait_s)

    def _hello(self, stream: Stream) -> bytes:
        session = stream.session
        baseline = {
            "session": session.id,
            "epoch": session.epoch,
            "seq": session.log.seq,
            "first": session.log.first,
            "presence": self.presence_of(session).to_json(),
            "title": session.title,
            "gap": stream.gap,
            "pending": session.pending,
        }
        return sse.event("hello", baseline)

    # --- feeding

    def _next_slice(self, stream: Stream) -> bytes:
        """What the reader gets next, bounded, and move its cursor behind it."""
        frames, size = [], 0
        for entry in stream.session.log.after(stream.cursor):
            stream.cursor = entry.seq
            if self.may_see(stream, entry):
                frames.append(entry.frame)
                size += len(entry.frame)
                if size >= limits.REPLAY_BYTES:
                    break
        stream.live = stream.cursor == stream.session.log.seq
        return b"".join(frames)

    def _feed(self, stream: Stream, lead: bytes = b"") -> None:
        """Feed a stream that catches up; at the end of an ended session, say so."""
        if not lead and stream.session.log.first - 1 > stream.cursor:
            self._bye(stream, "slow-consumer")
            return
        data = lead + self._next_slice(stream)
        if data:
            self._say(StreamData(stream.rid, data, more=not stream.live))
        if stream.live and stream.session.ended:
            self._bye(stream, _farewell(stream.session))

    def _on_flowed(self, flowed: Flowed) -> None:
        stream = self.streams.get(flowed.rid)
        if stream is None:
            return
        if self.is_slow(flowed.unsent_bytes):
            self._bye(stream, "slow-consumer")
        elif not stream.live:
            self._feed(stream)

    def _publish(self, session: Session) -> None:
        """Hand new entries to everybody who has caught up; encoded once, joined once."""
        blobs: dict[tuple[bool, int], bytes] = {}
        for stream in list(self.readers.get(session.id, {}).values()):
            if stream.poll:
                if self._has_news(stream):
                    self._answer_poll(stream)
            elif stream.live:
                key = (stream.inbox, stream.cursor)
                if key not in blobs:
                    seen = [entry.frame for entry in session.log.after(stream.cursor) if self.may_see(stream, entry)]
                    blobs[key] = b"".join(seen)
                stream.cursor = session.log.seq
                if blobs[key]:
                    self._say(StreamData(stream.rid, blobs[key]))

    def _has_news(self, stream: Stream) -> bool:
        return any(self.may_see(stream, entry) for entry in stream.session.log.after(stream.cursor))

    def _answer_poll(self, stream: Stream, bye: bytes = b"") -> None:
        """Give a bounded poll its one answer: baseline, a bounded slice, the end."""
        body = sse.OPEN + self._hello(stream) + self._next_slice(stream)
        if stream.session.ended and stream.live and not bye:
            bye = _bye_event(_farewell(stream.session), None)
        self._forget(stream)
        self._say(Respond(stream.rid, 200, STREAM_HEADERS, body + bye))

    def _end_poll(self, rid: int) -> None:
        self._answer_poll(self.streams[rid])

    def _beat(self, rid: int) -> None:
        self._say(StreamData(rid, sse.BEAT))
        self.awake_alarms.set(("beat", rid), self._now.awake_s + self.terms.timers.heartbeat_s)

    # --- ends

    def _bye(self, stream: Stream, reason: str, retry_after_s: float | None = None) -> None:
        """Say why and close."""
        bye = _bye_event(reason, retry_after_s)
        if stream.poll:
            self._answer_poll(stream, bye)
            return
        self._forget(stream)
        self._say(StreamData(stream.rid, bye))
        self._say(CloseStream(stream.rid))

    def _bye_all(self, streams: Iterable[Stream], reason: str, retry_after_s: float | None = None) -> None:
        for stream in list(streams):
            self._bye(stream, reason, retry_after_s)

    def _forget(self, stream: Stream) -> None:
        del self.streams[stream.rid]
        del self.readers[stream.session.id][stream.rid]
        self.awake_alarms.clear(("beat", stream.rid))
        self.awake_alarms.clear(("poll", stream.rid))
        alive = self.liveness.get(stream.session.id)
        if stream.inbox and alive is not None and alive.inbox == stream.rid:
            alive.inbox = None
            alive.inbox_at = self._now.awake_s if stream.poll else float("-inf")

    def _on_gone(self, gone: Gone) -> None:
        stream = self.streams.get(gone.rid)
        if stream is None:
            return
        self._forget(stream)
        if stream.inbox:
            self.liveness[stream.session.id].closed = True
            self._review(stream.session.id)

    def _on_drain(self, drain: Drain) -> None:
        self.draining_s = drain.retry_after_s
        self._bye_all(self.streams.values(), "draining", drain.retry_after_s)

    def _drop_streams(self) -> None:
        self._bye_all(self.streams.values(), "storage-failed")

    def _expire(self, sha: str) -> None:
        """A token's time is over: cut what it holds open, and stamp the store so that no restart gives the time back."""
        access = self.state.credentials.accesses.get(sha)
        if access is None:
            return
        self._cut(access, "token-expired")
        self.state.credentials.forget(self.age.at(self._now) - limits.EXPIRED_KEPT_S)
        self._write("stamp")

    def _cut(self, access: Access, reason: str) -> None:
        self._bye_all([stream for stream in self.streams.values() if stream.access is access], reason)

    # --- presence and retention

    def _watch(self, session: Session) -> None:
        """Begin to watch a session whose host is not known of yet."""
        self.liveness[session.id] = Liveness(settles_at=self._now.awake_s + self.terms.timers.silence_s)
        if session.ended:
            self.presences[session.id] = Presence(Phase.ENDED, session.ended, session.ended_wall)
            self.age_alarms.set(("retain", session.id), session.ended_at + self.terms.retention_s)
        else:
            self.presences[session.id] = Presence(Phase.CONNECTING, None, self._now.wall_s)
            self._keep(session)
            self._review(session.id)

    def _keep(self, session: Session) -> None:
        """The host gave a sign of life: retention starts over."""
        self.age_alarms.set(("retain", session.id), self.age.at(self._now) + self.terms.retention_s)

    def _review(self, session_id: str) -> None:
        """Look at the evidence and tell the devices what changed."""
        session, alive = self.state.sessions[session_id], self.liveness[session_id]
        now_s, silence_s = self._now.awake_s + EARLY_S, self.terms.timers.silence_s
        sign = Sign.END if session.ended else alive.sign(now_s, silence_s)
        before = self.presences[session_id]
        phase = TRANSITIONS[before.phase][sign]
        change_at = None if session.ended else alive.next_change(now_s, silence_s)
        if change_at is not None:
            self.awake_alarms.set(("presence", session_id), change_at)
        if phase is not before.phase:
            reason = session.ended or (("closed" if alive.closed else "silent") if phase is Phase.OFFLINE else None)
            self.presences[session_id] = Presence(phase, reason, self._now.wall_s)
            self._tell_presence(session)

    def _tell_presence(self, session: Session) -> None:
        told = sse.event("presence", self.presence_of(session).to_json())
        for stream in list(self.readers.get(session.id, {}).values()):
            if stream.inbox:
                continue
            if stream.poll:
                self._answer_poll(stream)
            else:
                self._say(StreamData(stream.rid, told))

    def _retain(self, session_id: str) -> None:
        """Retention is over: presume the end of a silent session, forget an ended one."""
        session = self.state.sessions[session_id]
        if not session.ended:
            self._finish(session, "presumed", "relay")
            return
        self._write("dropped", session=session_id)
        for table in (self.liveness, self.presences, self.readers):
            table.pop(session_id, None)
        self.awake_alarms.clear(("presence", session_id))

    # --- writing to a log

    def next_seq(self, session: Session) -> int:
        """The place of the next entry: gap-free, never used twice."""
        return session.log.seq + 1

    def _append(self, session: Session, author: str, msg_id: str, kind: str, body: Any, **more: Any) -> int:
        seq = self.next_seq(session)
        at = round(self._now.wall_s, 3)
        self._write(
            "entry", session=session.id, seq=seq, author=author, msg_id=msg_id, at=at, kind=kind, body=body, **more
        )
        return seq

    def _finish(self, session: Session, reason: str, author: str) -> int:
        """End a session for good and tell everybody."""
        seq = self._append(session, author, f"end{session.epoch}", "ended", {"reason": reason})
        self._publish(session)
        self._review(session.id)
        live = [stream for stream in self.readers.get(session.id, {}).values() if stream.live or stream.poll]
        self._bye_all(live, _farewell(session))
        self.age_alarms.set(("retain", session.id), session.ended_at + self.terms.retention_s)
        return seq


def _farewell(session: Session) -> str:
    return "superseded" if session.ended == "superseded" else "ended"


def _bye_event(reason: str, retry_after_s: float | None) -> bytes:
    return sse.event("bye", {"reason": reason, "retry_after_s": retry_after_s})


def _number(text: str, name: str) -> int:
    """Read a small whole number from a header."""
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise Refused("bad-request", detail=f"{name} is not a whole number")
    return int(text)


def _wait_of(prefer: str) -> float | None:
    """Seconds of ``Prefer: wait=20`` (RFC 7240 section 4.3), or None; what is not understood is ignored, as that RFC demands."""
    for preference in prefer.split(","):
        name, _, value = preference.strip().partition("=")
        if name.lower() == "wait" and value.isascii() and value.isdigit():
            return min(float(value[:6]), limits.WAIT_S_MAX)
    return None
