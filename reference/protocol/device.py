"""A device: it lists, attaches, shows one gap-free order, sends once, decides once, and is honest about what it does not know. Pure.

Deliberately absent: pixels; ``screen`` says what a person would see.
"""

import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reference.protocol.client import Ask, encode
from reference.protocol.client_answers import Refused
from reference.protocol.client_io import Exit, Reply
from reference.protocol.device_io import Attach, Decide, Detach, List, Rename, Send, Start, Stop
from reference.protocol.device_state import HANDLERS, IGNORED, Phase
from reference.protocol.device_view import View
from reference.protocol.device_window import DeviceWindow
from reference.protocol.timers import Timers

if TYPE_CHECKING:
    import random

PROBE_S = 5.0
"""How often an open window looks whether the device slept; a phone's own wake signal would come sooner, but not everywhere."""

SCOPES = ("device:read", "device:send", "device:approve")


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing the person wants of the relay; asked again under the same ``msg_id`` until the relay has answered."""

    ticket: int
    path: str
    body: dict[str, Any]


class DeviceMachine(DeviceWindow):
    """One run of the device program."""

    TABLE = HANDLERS
    IGNORED = IGNORED

    def __init__(self, timers: Timers, entropy: "random.Random") -> None:
        super().__init__(timers, entropy)
        self.phase = Phase.IDLE
        self._starting: int | None = None
        self._lists: deque[int] = deque()
        self._queues: dict[str, deque[Operation]] = {"device:send": deque(), "device:approve": deque()}

    # --- policies

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
        digest = decide.digest or question["digest"]
        body = {"request": decide.request, "option": decide.option, "digest": digest}
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
        if not self._lists or not self.may_try(lane):
            return
        token = self.token("device:read")
        if token is not None:
            self.ask(
                lane,
                Ask("/v1/sessions", b"", token, "device:read", "GET", needs=(("sessions", list),)),
                self._listed,
                self._list_refused,
            )

    def _listed(self, body: dict[str, Any]) -> None:
        self.do(Reply(self._lists.popleft(), {"sessions": body.get("sessions", [])}))

    def _list_refused(self, refused: Refused) -> None:
        self.do(Reply(self._lists.popleft(), err=_error(refused)))

    def _want_operation(self, scope: str, queue: deque[Operation]) -> None:
        lane = self.lane(scope)
        if not queue or not self.may_try(lane):
            return
        token = self.token(scope)
        if token is None:
            return
        operation = queue[0]
        request = Ask(operation.path, encode(operation.body), token, scope, needs=(("seq", int),))
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

    # --- what the person sees

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


def _error(refused: Refused) -> dict[str, Any]:
    return {"code": refused.code, "message": refused.message}
