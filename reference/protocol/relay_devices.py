"""What devices ask for: list, events, messages, decisions, titles."""

import hashlib
from typing import Any

import msgspec

from reference.protocol.credentials import Access
from reference.protocol.messages import Decision, Message, Title, decode
from reference.protocol.problem import Refused
from reference.protocol.relay_core import Call
from reference.protocol.relay_state import Session
from reference.protocol.relay_streams import RelayStreams


class RelayDevices(RelayStreams):
    """The device's side of a session."""

    # --- policies

    def dedup_key(self, access: Access, msg_id: str) -> tuple[str, ...]:
        """What makes a message the same one: account, device and msg_id, whatever token or connection it comes by (ORD-3)."""
        return (access.enrolment.account, access.enrolment.subject, msg_id)

    def decide(self, session: Session, body: Decision) -> None:
        """Compare-and-set on a permission request: it must be open, and be what the person was shown.

        Raises:
            Refused: ``unknown-request``, ``already-resolved``, ``request-withdrawn``, ``digest-mismatch`` or ``bad-request``.
        """
        asked = session.asked.get(body.request)
        if asked is None:
            raise Refused("unknown-request")
        if asked.decision is not None:
            raise Refused("already-resolved", decision=asked.decision)
        if asked.withdrawn:
            raise Refused("request-withdrawn")
        if body.digest != asked.digest:
            raise Refused("digest-mismatch")
        if body.option not in asked.options:
            raise Refused("bad-request", detail="no such option")

    # --- routes

    def list_sessions(self, call: Call) -> None:
        """``GET /v1/sessions``: the newest session of each instance of the account, oldest first."""
        newest = set(self.state.by_instance.values())
        rows = [self._row(s) for s in self.state.sessions.values() if s.id in newest and self.owns(call.who, s)]
        self._answer(call, 200, {"sessions": rows})

    def open_events(self, call: Call) -> None:
        """``GET /{s}/events``."""
        self._open(call, self.session_of(call), inbox=False)

    def take_message(self, call: Call) -> None:
        """``POST /{s}/messages``."""
        body = decode(call.request.body, Message)
        self._take(call, self.session_of(call), body.msg_id, "prompt", msgspec.to_builtins(body.body), 202)

    def take_decision(self, call: Call) -> None:
        """``POST /{s}/decisions``: the first one wins."""
        body = decode(call.request.body, Decision)
        stored = {"request": body.request, "option": body.option, "digest": body.digest}
        self._take(call, self.session_of(call), body.msg_id, "permission_decision", stored, 200, decision=body)

    def take_title(self, call: Call) -> None:
        """``POST /{s}/title``."""
        body = decode(call.request.body, Title)
        self._take(call, self.session_of(call), body.msg_id, "title", {"title": body.title}, 202)

    # --- parts

    def _take(
        self,
        call: Call,
        session: Session,
        msg_id: str,
        kind: str,
        body: Any,
        status: int,
        decision: Decision | None = None,
    ) -> None:
        """Store one message of a device once, whoever asks how often."""
        key = self.dedup_key(call.who, msg_id)
        digest = hashlib.sha256(msgspec.json.encode([session.id, kind, body], order="sorted")).hexdigest()
        if (sent := self.state.sent.get(key)) is not None:
            if sent.digest != digest:
                raise Refused("msg-id-reused")
            self._answer(call, 200, {**self._stored(session, sent.seq), "duplicate": True})
            return
        if session.ended:
            raise Refused("session-ended")
        if decision is not None:
            self.decide(session, decision)
        seq = self._append(session, call.who.enrolment.subject, msg_id, kind, body, key=key, digest=digest)
        self._publish(session)
        self._answer(call, status, self._stored(session, seq))

    def _stored(self, session: Session, seq: int) -> dict[str, Any]:
        return {"seq": seq, "stage": "relay_stored", "host": self.presence_of(session).to_json()}

    def _row(self, session: Session) -> dict[str, Any]:
        return {
            "session": session.id,
            "title": session.title,
            "cwd": session.cwd,
            "instance": session.instance,
            "presence": self.presence_of(session).to_json(),
            "epoch": session.epoch,
        }
