"""What the session itself does on the host: prompts to the agent, its words to the outbox, questions and decisions, receipts.

Every entry of the inbox is applied once, by its ``seq``. Deliberately absent: connections (``client_stream.py``) and the program's life.
"""

from abc import abstractmethod
from collections import deque
from typing import TYPE_CHECKING, Any, ClassVar

from reference.protocol.acp import AgentLink, Asked, Ready, Say, TookBack, TurnEnded, Updated
from reference.protocol.client_io import Reply
from reference.protocol.client_stream import StreamingClient
from reference.protocol.host_approvals import Question, objection, question
from reference.protocol.host_io import AgentSaid, Contract, Rename, ToAgent, Type
from reference.protocol.host_outbox import Outbox
from reference.protocol.timers import Timers

if TYPE_CHECKING:
    import random

TERMINAL = "terminal"
"""Author of a prompt typed at the host (docs/spec/protocol.md, log entries)."""


class HostSession(StreamingClient):
    """The session between its agent on one side and outbox and inbox on the other."""

    def __init__(self, timers: Timers, entropy: "random.Random") -> None:
        super().__init__(timers, entropy)
        self.contract = Contract(outage_limit_s=timers.outage_limit_s)
        self.session, self.epoch, self.title, self.cwd = "", 0, "", ""
        self.outbox = Outbox()
        self.cursor = 0
        self.questions: dict[str, Question] = {}
        self.prompts: deque[tuple[int | None, list[dict[str, Any]]]] = deque()
        self.turn: int | None = None
        self.in_turn = False
        self._asked = 0
        self._agent: AgentLink | None = None

    @abstractmethod
    def say(self, line: str) -> None:
        """Print a line at the terminal."""

    @property
    def agent(self) -> AgentLink:
        """The agent's end of the pipe."""
        if self._agent is None:
            self._agent = AgentLink(self.cwd)
        return self._agent

    # --- policies

    def resume_cursor(self) -> int:
        """Last entry applied."""
        return self.cursor

    def dedup(self, seq: int) -> bool:
        """Whether an entry was applied before."""
        return seq <= self.cursor

    def may_run_unasked(self, asked: Asked) -> bool:
        """Whether a tool call needs no approval: never, in a remote session (ART-21, APR-6)."""
        del asked
        return False

    def verify_decision(self, asked: Question, decision: dict[str, Any], epoch: int) -> str:
        """Why a decision does not answer a question; empty if it does."""
        return objection(asked, decision, epoch)

    def may_forget_question(self, asked: Question) -> bool:
        """Whether an answered question is closed: it is answered exactly once."""
        del asked
        return True

    # --- the terminal

    def put_history(self, history: tuple[dict[str, Any], ...]) -> None:
        """What a promoted session said before goes up first, in order, before anything live (SES-4)."""
        for turn in history:
            block = {"type": "text", "text": str(turn.get("text", ""))}
            if turn.get("role") == "user":
                self.outbox.put("prompt", {"prompt": [block]})
            else:
                self.outbox.put("update", {"sessionUpdate": "agent_message_chunk", "content": block})

    def on_rename(self, rename: Rename) -> None:
        """The owner names the session."""
        self.title = rename.title
        self.outbox.put("title", {"title": rename.title})
        self.do(Reply(rename.ticket, {}))

    def on_type(self, typed: Type) -> None:
        """A prompt from the terminal: devices see it, the agent gets it in its turn."""
        blocks = [{"type": "text", "text": typed.text}]
        self.outbox.put("prompt", {"prompt": blocks})
        self.do(Reply(typed.ticket, {}))
        self._queue_prompt(None, blocks)

    # --- the agent

    def on_agent_said(self, said: AgentSaid) -> None:
        """One object of the agent."""
        heard = self.agent.receive(said.message)
        if heard is not None:
            getattr(self, _AGENT[type(heard)])(heard)

    def _agent_reply(self, reply: Say) -> None:
        self.do(ToAgent(reply.message))

    def _agent_ready(self, _: Ready) -> None:
        self._next_turn()

    def _agent_updated(self, updated: Updated) -> None:
        self._turn_taken()
        self.outbox.put("update", updated.update)
        text = (updated.update.get("content") or {}).get("text")
        if isinstance(text, str):
            self.say(text)

    def _agent_asked(self, asked: Asked) -> None:
        if self.may_run_unasked(asked):
            allow = next((str(one["optionId"]) for one in asked.options if one.get("kind") == "allow_once"), None)
            self.do(ToAgent(AgentLink.answer(asked.rpc_id, allow)))
            return
        self._asked += 1
        pending = question(f"q{self.epoch}-{self._asked}", asked, self.cwd, self.epoch)
        self.questions[pending.request] = pending
        self.outbox.put("permission_request", pending.body)
        self.say(f"waits for approval: {asked.tool_call.get('title', '')}")

    def _agent_took_back(self, taken: TookBack) -> None:
        for pending in list(self.questions.values()):
            if pending.rpc_id == taken.rpc_id:
                del self.questions[pending.request]
                self.outbox.put("permission_withdrawn", {"request": pending.request, "reason": "agent"})

    def _turn_ended(self, ended: TurnEnded) -> None:
        if ended.error:
            self._receipt(self.turn, "failed", ended.error)
            self.turn = None
        self._turn_taken()
        self.in_turn = False
        self._next_turn()

    def _turn_taken(self) -> None:
        """The agent shows that it took the prompt under way."""
        if self.in_turn and self.turn is not None:
            self._receipt(self.turn, "host_applied")
            self.turn = None

    def _queue_prompt(self, seq: int | None, blocks: list[dict[str, Any]]) -> None:
        self.prompts.append((seq, blocks))
        self._next_turn()

    def _next_turn(self) -> None:
        if self.in_turn or not self.prompts or not self.agent.is_ready:
            return
        self.turn, blocks = self.prompts.popleft()
        self.in_turn = True
        self.do(ToAgent(self.agent.prompt(blocks)))

    # --- the inbox

    def on_event(self, name: str, data: dict[str, Any]) -> None:
        """One event of the inbox."""
        if name == "hello" and data.get("gap"):
            # Nothing is kept that could be applied: begin where the relay's memory begins.
            self.cursor = max(self.cursor, int(data.get("first", 1)) - 1)
        elif name == "entry":
            self._entry(data)

    def _entry(self, entry: dict[str, Any]) -> None:
        seq, body = entry.get("seq"), entry.get("body")
        if not isinstance(seq, int) or self.dedup(seq):
            return
        self.cursor = seq
        act = self.ENTRIES.get(str(entry.get("kind")))
        if act is not None and isinstance(body, dict):
            getattr(self, act)(seq, body, entry)

    def _take_prompt(self, seq: int, body: dict[str, Any], entry: dict[str, Any]) -> None:
        if entry.get("author") == TERMINAL:
            return  # typed here: the agent was given it when it was typed
        blocks = body.get("prompt")
        if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
            self._receipt(seq, "failed", "malformed")
            return
        self._receipt(seq, "host_received")
        self.say("> " + " ".join(str(block.get("text", "")) for block in blocks))
        self._queue_prompt(seq, blocks)

    def _take_decision(self, seq: int, body: dict[str, Any], entry: dict[str, Any]) -> None:
        asked = self.questions.get(str(body.get("request")))
        if asked is None:
            self._receipt(seq, "failed", "not-pending")
            return
        why = self.verify_decision(asked, body, int(entry.get("epoch", -1)))
        if self.may_forget_question(asked):
            del self.questions[asked.request]
        # The relay holds the question resolved now, so nobody can decide again: a decision in doubt is a no (APR-1).
        self.do(ToAgent(AgentLink.answer(asked.rpc_id, None if why else str(body["option"]))))
        self._receipt(seq, "failed" if why else "host_applied", why or None)
        self.say(f"{body.get('option')} by {entry.get('author')}" + (f", refused: {why}" if why else ""))

    def _take_title(self, _seq: int, body: dict[str, Any], _: dict[str, Any]) -> None:
        self.title = str(body.get("title", ""))
        self.say(f"renamed: {self.title}")

    def _receipt(self, of: int | None, stage: str, reason: str | None = None) -> None:
        if of is not None:
            self.outbox.put("receipt", {"of": of, "stage": stage, "reason": reason})

    ENTRIES: ClassVar[dict[str, str]] = {
        "prompt": "_take_prompt",
        "permission_decision": "_take_decision",
        "title": "_take_title",
    }
    """Kind of an inbox entry -> method; ``ended`` is said by the stream's ``bye``, other kinds are not for the host."""


_AGENT: dict[type, str] = {
    Say: "_agent_reply",
    Ready: "_agent_ready",
    Updated: "_agent_updated",
    Asked: "_agent_asked",
    TookBack: "_agent_took_back",
    TurnEnded: "_turn_ended",
}
