"""A device: it lists, attaches, shows one gap-free order, sends once, decides once, and is honest about what it does not know. Pure.

Deliberately absent: pixels; ``screen`` says what a person would see.
"""

import math
import random
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from reference.protocol.client import Ask, encode
from reference.protocol.client_answers import Refused
from reference.protocol.client_io import Exit, Reply, Tell
from reference.protocol.client_stream import StreamingClient
from reference.protocol.device_io import Attach, Decide, Detach, List, Rename, Send, Start, Stop
from reference.protocol.device_state import HANDLERS, IGNORED, Phase
from reference.protocol.device_view import View, text_of
from reference.protocol.timers import Timers

UNKNOWN_PRESENCE = {"state": "connecting", "reason": "this device has no connection", "since": None}
"""What a device shows while it does not hear the relay: never a stale ``online`` (SES-7)."""

PROBE_S = 5.0
"""How often an open window looks whether the device slept; a phone's own wake signal would come sooner, but not everywhere."""

SCOPES = ("device:read", "device:send", "device:approve")


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing the person wants of the relay; asked again under the same ``msg_id`` until the relay has answered."""

    ticket: int
    path: str
    body: dict[str, Any]


class DeviceMachine(StreamingClient):
    """One run of the device program."""

    TABLE = HANDLERS
    IGNORED = IGNORED
    stream_scope = "device:read"

    def __init__(self, timers: Timers, entropy: random.Random) -> None:
        super().__init__(timers, entropy)
        self.phase = Phase.IDLE
        self.view = View()
        self.presence: dict[str, Any] = dict(UNKNOWN_PRESENCE)
        self._told_presence: dict[str, Any] = {}
        self._host: dict[str, Any] = dict(UNKNOWN_PRESENCE)
        self._starting: int | None = None
        self._lists: deque[int] = deque()
        self._attaching: int | None = None
        self._is_open = False
        self._wants = False
        self._queues: dict[str, deque[Operation]] = {"device:send": deque(), "device:approve": deque()}

    # --- policies

    def resume_cursor(self) -> int:
        """Last entry shown."""
        return self.view.cursor

    def dedup(self, seq: int) -> bool:
        """Whether an entry was shown before."""
        return seq <= self.view.cursor

    def mint_msg_id(self) -> str:
        """A new idempotency key: minted once for each send, whatever happens to the answer."""
        return f"{self.entropy.getrandbits(96):024x}"

    # --- the person's actions

    def on_start(self, start: Start) -> None:
        """Sign in: the first token says whether this enrolment is any good."""
        self.credential, self.tokens.renews = start.credential, start.renew
        self._starting = start.ticket
        self.phase = Phase.READY

    def on_start_again(self, start: Start) -> None:
        """One sign-in for each run."""
        self.do(Reply(start.ticket, err={"code": "bad-args", "message": "the device runs already"}))

    def on_too_soon(self, action: Any) -> None:
        """Something has to be opened first."""
        self.do(Reply(action.ticket, err={"code": "bad-args", "message": f"not possible while {self.phase}"}))

    def on_list(self, listing: List) -> None:
        """Ask for the sessions; asked again until the relay has answered."""
        self._lists.append(listing.ticket)

    def on_attach(self, attach: Attach) -> None:
        """Open a session's window; for the same session the stream is opened anew, by cursor, and the old one stays until then."""
        self._reply_attach(err={"code": "deadline", "message": "attached anew"})
        if attach.session != self.view.session:
            self.drop_streams()
            self.view = View(session=attach.session)
        self._attaching, self._wants, self.reopen = attach.ticket, True, True
        self.phase = Phase.ATTACHED

    def on_detach(self, detach: Detach) -> None:
        """Close the window."""
        self._reply_attach(err={"code": "deadline", "message": "detached"})
        self._wants = False
        self.drop_streams()
        self._closed("detached")
        self.phase = Phase.READY
        self.do(Reply(detach.ticket, {}))

    def on_send(self, send: Send) -> None:
        """Send a prompt: visibly pending until the relay has stored it (ORD-12)."""
        body = {"prompt": [{"type": "text", "text": send.text}]}
        self._submit(
            "device:send", "messages", send.ticket, {"msg_id": send.msg_id or self.mint_msg_id(), "body": body}
        )

    def on_decide(self, decide: Decide) -> None:
        """Decide a question that this device was shown."""
        question = self.view.questions.get(decide.request)
        if question is None:
            self.do(
                Reply(
                    decide.ticket,
                    err={"code": "unknown-request", "message": "this device was never shown that question"},
                )
            )
            return
        body = {"request": decide.request, "option": decide.option, "digest": question["digest"]}
        self._submit("device:approve", "decisions", decide.ticket, {"msg_id": self.mint_msg_id(), **body})

    def on_rename(self, rename: Rename) -> None:
        """Name the session."""
        self._submit("device:send", "title", rename.ticket, {"msg_id": self.mint_msg_id(), "title": rename.title})

    def on_stop(self, stop: Stop) -> None:
        """The person closes the program; the session is the host's and goes on."""
        self.drop_streams()
        self._closed("stopped")
        self.phase = Phase.OVER
        self.do(Reply(stop.ticket, {}))
        self.do(Exit(0, "owner", "closed"))

    def _submit(self, scope: str, suffix: str, ticket: int, body: dict[str, Any]) -> None:
        self._queues[scope].append(Operation(ticket, f"/v1/sessions/{self.view.session}/{suffix}", body))
        self._reach(body["msg_id"], "pending")

    # --- what is wanted

    def drive(self) -> None:
        """Do what the phase wants."""
        if self.phase in (Phase.IDLE, Phase.OVER):
            return
        self._want_start()
        self._want_list()
        for scope, queue in self._queues.items():
            self._want_operation(scope, queue)
        if self._wants:
            self.drive_stream()
        self._show_presence()

    def _want_start(self) -> None:
        if self._starting is None:
            return
        # Without renewal there is one chance: what may be needed is minted now.
        scopes = SCOPES[:1] if self.tokens.renews else SCOPES[:2]
        if all(self.token(scope) for scope in scopes):
            self.do(Reply(self._starting, {}))
            self._starting = None

    def _want_list(self) -> None:
        lane = self.lane("list")
        if not self._lists or not lane.is_free(self._now.awake_s):
            return
        token = self.token("device:read")
        if token is not None:
            self.ask(lane, Ask("/v1/sessions", b"", token, "device:read", "GET"), self._listed, self._list_refused)

    def _listed(self, body: dict[str, Any]) -> None:
        self.do(Reply(self._lists.popleft(), {"sessions": body.get("sessions", [])}))

    def _list_refused(self, refused: Refused) -> None:
        self.do(Reply(self._lists.popleft(), err=_error(refused)))

    def _want_operation(self, scope: str, queue: deque[Operation]) -> None:
        lane = self.lane(scope)
        if not queue or not lane.is_free(self._now.awake_s):
            return
        token = self.token(scope)
        if token is None:
            return
        operation = queue[0]
        request = Ask(operation.path, encode(operation.body), token, scope)
        self.ask(lane, request, self._done(queue), self._undone(queue))

    def _done(self, queue: deque[Operation]) -> Callable[[dict[str, Any]], None]:
        def accepted(body: dict[str, Any]) -> None:
            operation = queue.popleft()
            msg_id = operation.body["msg_id"]
            if isinstance(body.get("seq"), int):
                self.view.sent_as(body["seq"], msg_id)
            self._reach(msg_id, "relay_stored")
            answer = {key: body.get(key) for key in ("seq", "stage", "host")}
            self.do(Reply(operation.ticket, {"msg_id": msg_id, **answer}))

        return accepted

    def _undone(self, queue: deque[Operation]) -> Callable[[Refused], None]:
        def refused(word: Refused) -> None:
            operation = queue.popleft()
            self._reach(operation.body["msg_id"], "failed")
            self.do(Reply(operation.ticket, err=_error(word)))

        return refused

    # --- the stream

    def stream_path(self) -> str:
        """The session's events."""
        return f"/v1/sessions/{self.view.session}/events"

    def on_event(self, name: str, data: dict[str, Any]) -> None:
        """One event of the stream."""
        if name in _EVENTS:
            _EVENTS[name](self, data)

    def _hello(self, hello: dict[str, Any]) -> None:
        view = self.view
        view.epoch, view.title = int(hello.get("epoch", 0)), str(hello.get("title", ""))
        if hello.get("gap"):
            view.cursor = int(hello.get("first", 1)) - 1
            self.do(Tell("gap", {"first": view.cursor + 1}))
        for body in hello.get("pending") or []:
            self._question(body)
        self._host = dict(hello.get("presence") or UNKNOWN_PRESENCE)
        if not self._is_open:
            self._is_open = True
            self.do(Tell("stream", {"state": "open", "reason": ""}))
        self._reply_attach(ok={})

    def _presence(self, presence: dict[str, Any]) -> None:
        self._host = presence

    def _entry(self, entry: dict[str, Any]) -> None:
        seq, kind, body = entry.get("seq"), str(entry.get("kind")), entry.get("body")
        if not isinstance(seq, int) or not isinstance(body, dict) or self.dedup(seq):
            return
        if seq > self.view.cursor + 1:
            # Never skip in silence (ORD-6): the cursor brings what is missing.
            self._lose("an entry is missing")
            return
        self.view.cursor = seq
        shown = {
            "seq": seq,
            "epoch": entry.get("epoch"),
            "author": entry.get("author"),
            "kind": kind,
            "text": text_of(kind, body),
            "msg_id": entry.get("msg_id"),
        }
        self.view.entries.append(shown)
        self.do(Tell("shown", shown))
        if kind in _KINDS:
            _KINDS[kind](self, entry, body)

    def _own_message(self, entry: dict[str, Any], _: dict[str, Any]) -> None:
        msg_id = str(entry.get("msg_id"))
        if msg_id in self.view.stages:
            self.view.sent_as(entry["seq"], msg_id)

    def _title(self, entry: dict[str, Any], body: dict[str, Any]) -> None:
        self.view.title = str(body.get("title", ""))
        self._own_message(entry, body)

    def _asked(self, _: dict[str, Any], body: dict[str, Any]) -> None:
        self._question(body)

    def _question(self, body: dict[str, Any]) -> None:
        question = self.view.ask(body)
        if question is not None:
            self._tell_approval(question)

    def _decided(self, entry: dict[str, Any], body: dict[str, Any]) -> None:
        self._own_message(entry, body)
        closed = self.view.close(
            str(body.get("request")), "resolved", str(body.get("option")), str(entry.get("author"))
        )
        if closed is not None:
            self._tell_approval(closed)

    def _withdrawn(self, _: dict[str, Any], body: dict[str, Any]) -> None:
        closed = self.view.close(str(body.get("request")), "withdrawn")
        if closed is not None:
            self._tell_approval(closed)

    def _tell_approval(self, question: dict[str, Any]) -> None:
        self.do(Tell("approval", {key: question[key] for key in ("request", "state", "tool", "option", "by")}))

    def _receipt(self, _: dict[str, Any], body: dict[str, Any]) -> None:
        msg_id = self.view.message_at(body.get("of"))
        if msg_id is not None and body.get("stage") in ("host_received", "host_applied", "failed"):
            self._reach(msg_id, str(body["stage"]))

    def _reach(self, msg_id: str, stage: str) -> None:
        if self.view.reach(msg_id, stage):
            self.do(Tell("message", {"msg_id": msg_id, "stage": stage}))

    # --- ends

    def on_enrolment_refused(self, scope: str, refused: Refused) -> None:
        """No tokens any more: whoever waits for one is told the relay's word."""
        waiting = [self._starting] if self._starting is not None else []
        self._starting = None
        if scope == "device:read":
            waiting += self._lists
            self._lists.clear()
            if self._wants:
                self.on_stream_refused(refused)
        else:
            for operation in self._queues[scope]:
                self._reach(operation.body["msg_id"], "failed")
                waiting.append(operation.ticket)
            self._queues[scope].clear()
        for ticket in waiting:
            self.do(Reply(ticket, err=_error(refused)))

    def on_stream_refused(self, refused: Refused) -> None:
        """The relay's word: no stream for this device; a live one stays until the relay closes it."""
        self._reply_attach(err=_error(refused))
        self._wants = self.live is not None
        if self.live is None:
            self._closed(refused.code)

    def on_final_bye(self, reason: str) -> None:
        """The session is over, and so is its stream."""
        self._wants = False
        self._host = (
            {"state": "ended", "reason": reason, "since": self._now.wall_s}
            if self._host["state"] != "ended"
            else self._host
        )
        self._closed(reason)

    def on_stream_lost(self, reason: str) -> None:
        """The connection is gone; it comes back by itself."""
        if self.live is None:
            self._closed(reason)

    def _closed(self, reason: str) -> None:
        if self._is_open:
            self._is_open = False
            self.do(Tell("stream", {"state": "closed", "reason": reason}))

    def _reply_attach(self, ok: dict[str, Any] | None = None, err: dict[str, Any] | None = None) -> None:
        if self._attaching is not None:
            self.do(Reply(self._attaching, ok, err))
            self._attaching = None

    # --- what the person sees

    def known_presence(self) -> dict[str, Any]:
        """The host's presence as far as this device can know it: its own connection comes first."""
        is_final = self._host["state"] == "ended"
        return self._host if is_final or (self._is_open and self.is_down_alive) else UNKNOWN_PRESENCE

    def _show_presence(self) -> None:
        self.presence = dict(self.known_presence()) if self.view.session else dict(UNKNOWN_PRESENCE)
        if self.view.session and self.presence != self._told_presence:
            self._told_presence = self.presence
            self.do(Tell("presence", self.presence))

    def screen(self) -> dict[str, Any]:
        """What a person sees now."""
        view = self.view
        return {
            "presence": self.presence,
            "title": view.title,
            "entries": list(view.entries),
            "pending": view.pending(),
            "unsent": view.unsent(),
        }

    def probe_every_s(self) -> float:
        """Only with a window open."""
        return PROBE_S if self.phase is Phase.ATTACHED else math.inf

    def deadlines(self) -> Iterator[float]:
        """Also: when the last poll is too long ago to call the way alive."""
        yield from super().deadlines()
        heard_until_s = self.stream_heard_s + self.timers.silence_s
        if self.phase is Phase.ATTACHED and heard_until_s > self._now.awake_s:
            yield heard_until_s


_EVENTS: dict[str, Callable[[DeviceMachine, dict[str, Any]], None]] = {
    "hello": DeviceMachine._hello,  # noqa: SLF001 - the table of this class
    "entry": DeviceMachine._entry,  # noqa: SLF001 - same
    "presence": DeviceMachine._presence,  # noqa: SLF001 - same
}

_KINDS: dict[str, Callable[[DeviceMachine, dict[str, Any], dict[str, Any]], None]] = {
    "prompt": DeviceMachine._own_message,  # noqa: SLF001 - same
    "title": DeviceMachine._title,  # noqa: SLF001 - same
    "permission_request": DeviceMachine._asked,  # noqa: SLF001 - same
    "permission_decision": DeviceMachine._decided,  # noqa: SLF001 - same
    "permission_withdrawn": DeviceMachine._withdrawn,  # noqa: SLF001 - same
    "receipt": DeviceMachine._receipt,  # noqa: SLF001 - same
}


def _error(refused: Refused) -> dict[str, Any]:
    return {"code": refused.code, "message": refused.message}
