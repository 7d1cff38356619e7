"""What a person sees of a session on a device: entries, questions, the stages of what was sent. Pure values; no connection, no clock."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from reference.protocol.messages import offered

ENTRIES_MAX = 2_000
"""Entries kept for the screen; the relay keeps the rest."""

STAGES = ("pending", "relay_stored", "host_received", "host_applied", "failed")
"""Stages of a message, worst known first; a message never goes back (ORD-11)."""


@dataclass
class View:
    """One session as a device shows it.

    Attributes:
        questions: request id -> ``{request, digest, tool, options, state, by, option}``.
        stages: msg_id of what this device sent -> stage.
    """

    session: str = ""
    epoch: int = 0
    title: str = ""
    cursor: int = 0
    entries: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=ENTRIES_MAX))
    questions: dict[str, dict[str, Any]] = field(default_factory=dict)
    stages: dict[str, str] = field(default_factory=dict)
    _sent: dict[int, str] = field(default_factory=dict)

    def ask(self, body: dict[str, Any]) -> dict[str, Any] | None:
        """A question is pending; returns it if it is new."""
        request = str(body.get("request"))
        if request in self.questions:
            return None
        call = body.get("toolCall") if isinstance(body.get("toolCall"), dict) else {}
        assert call is not None
        question = {
            "request": request,
            "digest": body.get("digest"),
            "tool": str(call.get("title", "")),
            "options": offered(body.get("options")),
            "state": "pending",
            "option": None,
            "by": None,
        }
        self.questions[request] = question
        return question

    def close(
        self, request: str, state: str, option: str | None = None, by: str | None = None
    ) -> dict[str, Any] | None:
        """A question was decided or withdrawn; returns it if that is news."""
        question = self.questions.get(request)
        if question is None or question["state"] != "pending":
            return None
        question.update(state=state, option=option, by=by)
        return question

    def reach(self, msg_id: str, stage: str) -> bool:
        """A message reached a stage; returns whether that is news."""
        known = self.stages.get(msg_id)
        if known is not None and (known == "failed" or STAGES.index(stage) <= STAGES.index(known)):
            return False
        self.stages[msg_id] = stage
        return True

    def sent_as(self, seq: int, msg_id: str) -> None:
        """Remember under which ``seq`` the relay keeps a message of this device: receipts name it."""
        self._sent[seq] = msg_id

    def message_at(self, seq: Any) -> str | None:
        """The msg_id of this device's message at a ``seq``, or None."""
        return self._sent.get(seq) if isinstance(seq, int) else None

    def pending(self) -> list[dict[str, Any]]:
        """Questions that wait for a decision."""
        return [question for question in self.questions.values() if question["state"] == "pending"]

    def unsent(self) -> list[str]:
        """Messages that the relay has not stored yet."""
        return [msg_id for msg_id, stage in self.stages.items() if stage == "pending"]


def text_of(kind: str, body: dict[str, Any]) -> str:
    """The text of an entry as a person reads it."""
    if kind == "update":
        content = body.get("content")
        return str(content.get("text", "")) if isinstance(content, dict) else ""
    if kind == "prompt":
        blocks = body.get("prompt")
        return "".join(str(block.get("text", "")) for block in blocks) if isinstance(blocks, list) else ""
    if kind == "permission_request":
        call = body.get("toolCall")
        return str(call.get("title", "")) if isinstance(call, dict) else ""
    return str(body.get(_TEXT_FIELD.get(kind, ""), ""))


_TEXT_FIELD = {
    "title": "title",
    "ended": "reason",
    "receipt": "stage",
    "permission_decision": "option",
    "permission_withdrawn": "reason",
}
