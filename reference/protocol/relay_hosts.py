"""What hosts ask for: register, inbox, outbox, end."""

import base64
from typing import Any

from msgspec import Struct

from reference.protocol.credentials import Enrolment
from reference.protocol.messages import ITEMS, End, Item, Outbox, Register, convert, decode
from reference.protocol.presence import Phase
from reference.protocol.problem import Refused
from reference.protocol.relay_core import Call
from reference.protocol.relay_state import Session
from reference.protocol.relay_streams import RelayStreams, Stream, _number


class RelayHosts(RelayStreams):
    """The host's side of a session."""

    # --- policies

    def admit(self, enrolment: Enrolment, body: Register) -> None:
        """The gates, each with an answer of its own.

        Raises:
            Refused: ``version-unsupported``, ``api-key-refused`` or ``plan-not-eligible``.
        """
        if str(body.version) not in self.terms.versions:
            raise Refused("version-unsupported", versions=list(self.terms.versions))
        if enrolment.sign_in in self.terms.sign_ins_refused:
            raise Refused("api-key-refused")
        if enrolment.plan not in self.terms.plans:
            raise Refused("plan-not-eligible", plan=enrolment.plan)

    def is_fenced(self, session: Session, epoch: int) -> bool:
        """Whether a newer incarnation has taken over from the one that speaks (SES-1)."""
        return session.epoch != epoch or self.state.epochs[session.account, session.instance] != epoch

    def fresh_items(self, session: Session, items: list[Item]) -> list[Item]:
        """The items that are not stored yet; a retry of stored ones is harmless.

        Raises:
            Refused: ``outbox-gap`` when one is missing in between.
        """
        fresh: list[Item] = []
        for item in items:
            expected = session.upto + len(fresh) + 1
            if item.n > expected:
                raise Refused("outbox-gap", expected=expected)
            if item.n == expected:
                fresh.append(item)
        return fresh

    def stale_inbox(self, session: Session) -> Stream | None:
        """The inbox stream that a first word after a silence proves nothing of: a broken connection may have delivered it late."""
        inbox = self.liveness[session.id].inbox
        stream = None if inbox is None else self.streams.get(inbox)
        is_back = self.presences[session.id].phase is Phase.OFFLINE
        return stream if is_back and stream is not None and not stream.poll else None

    def is_late(self, session: Session, beat: int) -> bool:
        """Whether a word was said before one that came already: a given-up connection goes on delivering (OPS-2)."""
        return 0 < beat <= self.liveness[session.id].beat

    # --- routes

    def register(self, call: Call) -> None:
        """``POST /v1/sessions``: a new incarnation opens a session and supersedes the old one, the same one finds its own again."""
        enrolment, body = call.who.enrolment, decode(call.request.body, Register)
        self.admit(enrolment, body)
        instance = (enrolment.account, body.instance)
        known = self.state.incarnations.get((*instance, body.incarnation))
        session = self._open_session(enrolment, body) if known is None else self._find_again(instance, known, enrolment)
        self._heard(session, 0.0)
        answer: dict[str, Any] = {
            "session": session.id,
            "epoch": session.epoch,
            "seq": session.log.seq,
            "upto": session.upto,
            "heartbeat_s": self.terms.timers.heartbeat_s,
            "retention_s": self.terms.retention_s,
            "url": f"{self.terms.url}/s/{session.id}",
        }
        self._answer(call, 201 if known is None else 200, answer)

    def open_inbox(self, call: Call) -> None:
        """``GET /{s}/inbox``: a newer one of the same incarnation replaces the older."""
        session = self._host_session(call, _number(call.request.headers.get("relay-epoch", ""), "Relay-Epoch"))
        older = [stream for stream in self.readers.get(session.id, {}).values() if stream.inbox]
        self._open(call, session, inbox=True)
        self._bye_all(older, "replaced")
        alive, stream = self.liveness[session.id], self.streams.get(call.request.rid)
        alive.inbox = None if stream is None else stream.rid
        alive.polling = stream is None or stream.poll
        alive.inbox_at, alive.heard_s, alive.closed = self._now.awake_s, 0.0, False
        self._keep(session)
        self._review(session.id)

    def take_outbox(self, call: Call) -> None:
        """``POST /{s}/outbox``: store what happened; an empty batch is a heartbeat."""
        body = decode(call.request.body, Outbox)
        session = self._host_session(call, body.epoch)
        if not self.is_late(session, body.beat):
            alive = self.liveness[session.id]
            alive.beat = max(alive.beat, body.beat)
            self._heard(session, body.heard_s)
        fresh = self.fresh_items(session, body.items)
        self._check_items(session, fresh)
        for item in fresh:
            self._append(session, ITEMS[item.kind][0], f"h{item.n}", item.kind, item.body, n=item.n)
        if fresh:
            self._publish(session)
        self._answer(call, 200, {"upto": session.upto, "seq": session.log.seq})

    def end_session(self, call: Call) -> None:
        """``POST /{s}/end``: final; asked again, the same answer."""
        body = decode(call.request.body, End)
        session = self._own_session(call)
        if session.ended_author != "host":
            session = self._host_session(call, body.epoch)
            self._finish(session, body.reason, "host")
        self._answer(call, 200, {"seq": session.ended_seq})

    # --- parts

    def _own_session(self, call: Call) -> Session:
        """A session that this very host registered; its neighbours in the account do not publish to it (AZN-5)."""
        session = self.session_of(call)
        if session.subject != call.who.enrolment.subject:
            raise Refused("unknown-session")
        return session

    def _host_session(self, call: Call, epoch: int) -> Session:
        """A host's own session, alive, in the epoch it claims."""
        session = self._own_session(call)
        if self.is_fenced(session, epoch):
            raise Refused("epoch-superseded")
        if session.ended:
            raise Refused("session-ended")
        return session

    def _open_session(self, enrolment: Enrolment, body: Register) -> Session:
        instance = (enrolment.account, body.instance)
        older = self.state.sessions.get(self.state.by_instance.get(instance, ""))
        epoch = self.state.epochs.get(instance, 0) + 1
        session_id = "s_" + base64.urlsafe_b64encode(self.entropy.randbytes(18)).decode()
        self._write(
            "opened",
            session=session_id,
            account=enrolment.account,
            subject=enrolment.subject,
            instance=body.instance,
            incarnation=body.incarnation,
            epoch=epoch,
            title=body.title,
            cwd=body.cwd,
        )
        if older is not None and not older.ended:
            self._finish(older, "superseded", "relay")
        session = self.state.sessions[session_id]
        self._watch(session)
        return session

    def _find_again(self, instance: tuple[str, str], known: str, enrolment: Enrolment) -> Session:
        session = self.state.sessions.get(known)
        if self.state.by_instance.get(instance, known) != known or (session and session.subject != enrolment.subject):
            raise Refused("epoch-superseded")
        if session is None or session.ended:
            raise Refused("session-ended")
        return session

    def _heard(self, session: Session, heard_s: float) -> None:
        """The host spoke: its way up works, and it says how its way down does."""
        alive = self.liveness[session.id]
        stale = self.stale_inbox(session)
        if stale is not None:
            self._bye(stale, "stale")
        alive.up_at, alive.heard_s = self._now.awake_s, heard_s
        self._keep(session)
        self._review(session.id)

    def _check_items(self, session: Session, items: list[Item]) -> None:
        """Check every item before one is stored: a batch is taken whole or not at all."""
        asked = set(session.asked)
        for item in items:
            if item.kind not in ITEMS:
                raise Refused("bad-request", detail=f"item {item.n}: unknown kind {item.kind!r}")
            shape = ITEMS[item.kind][1]
            if shape is not None:
                _check_shape(item, shape)
            if item.kind == "permission_request":
                if item.body["request"] in asked:
                    raise Refused("bad-request", detail=f"item {item.n}: this request was made before")
                asked.add(item.body["request"])
            elif item.kind == "permission_withdrawn" and item.body["request"] not in asked:
                raise Refused("unknown-request")


def _check_shape(item: Item, shape: type[Struct]) -> None:
    try:
        convert(item.body, shape)
    except Refused as refused:
        raise Refused("bad-request", detail=f"item {item.n}: {refused.extra['detail']}") from None
