"""What a device's stream does to its window: one gap-free order, questions, stages, and a presence that is never stale.

Deliberately absent: what the person does (``device.py``).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from reference.protocol.client_io import Reply, Tell
from reference.protocol.client_stream import StreamingClient
from reference.protocol.device_view import View, text_of
from reference.protocol.timers import Timers

if TYPE_CHECKING:
    import random

UNKNOWN_PRESENCE = {"state": "connecting", "reason": "this device has no connection", "since": None}
"""What a device shows while it does not hear the relay: never a stale ``online`` (SES-7)."""


class DeviceWindow(StreamingClient):
    """The window on one session."""

    stream_scope = "device:read"

    def __init__(self, timers: Timers, entropy: "random.Random") -> None:
        super().__init__(timers, entropy)
        self.view = View()
        self.presence: dict[str, Any] = dict(UNKNOWN_PRESENCE)
        self._told_presence: dict[str, Any] = {}
        self._host: dict[str, Any] = dict(UNKNOWN_PRESENCE)
        self._attaching: int | None = None
        self._is_open = False
        self._wants = False

    # --- policies

    def resume_cursor(self) -> int:
        """Last entry shown."""
        return self.view.cursor

    def dedup(self, seq: int) -> bool:
        """Whether an entry was shown before."""
        return seq <= self.view.cursor

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

    def known_presence(self) -> dict[str, Any]:
        """The host's presence as far as this device can know it: its own connection comes first."""
        is_final = self._host["state"] == "ended"
        return self._host if is_final or (self._is_open and self.is_down_alive) else UNKNOWN_PRESENCE

    def _show_presence(self) -> None:
        self.presence = dict(self.known_presence()) if self.view.session else dict(UNKNOWN_PRESENCE)
        if self.view.session and self.presence != self._told_presence:
            self._told_presence = self.presence
            self.do(Tell("presence", self.presence))


_EVENTS: dict[str, Callable[[DeviceWindow, dict[str, Any]], None]] = {
    "hello": DeviceWindow._hello,  # noqa: SLF001 - the table of this class
    "entry": DeviceWindow._entry,  # noqa: SLF001 - same
    "presence": DeviceWindow._presence,  # noqa: SLF001 - same
}

_KINDS: dict[str, Callable[[DeviceWindow, dict[str, Any], dict[str, Any]], None]] = {
    "prompt": DeviceWindow._own_message,  # noqa: SLF001 - same
    "title": DeviceWindow._title,  # noqa: SLF001 - same
    "permission_request": DeviceWindow._asked,  # noqa: SLF001 - same
    "permission_decision": DeviceWindow._decided,  # noqa: SLF001 - same
    "permission_withdrawn": DeviceWindow._withdrawn,  # noqa: SLF001 - same
    "receipt": DeviceWindow._receipt,  # noqa: SLF001 - same
}
