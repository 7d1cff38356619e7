"""The scripted agent: an ACP agent whose every word and tool run is journalled, so that evidence of rank os exists beside the host's own word.

It speaks when the story says so and does nothing else of its own accord. Deliberately absent: any model, any real tool; a tool run is a
sentinel in the journal.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import trio

type Journal = Callable[..., object]
"""``journal(what, **data)``: records an ``os`` event of the host."""

WORK_LINE_EVERY_S = 10.0
"""How often a busy turn prints: a progress line every ten seconds is what coding agents do."""

OPTIONS = (
    {"optionId": "allow", "name": "Allow once", "kind": "allow_once"},
    {"optionId": "allow-all", "name": "Always allow", "kind": "allow_always"},
    {"optionId": "reject", "name": "Reject", "kind": "reject_once"},
)
"""Options of every question; ``docs/spec/protocol.md`` calls them ``optionId``."""


@dataclass
class ScriptedAgent:
    """One run of the agent program; lives and dies with the host program that launched it.

    Attributes:
        journal: where evidence goes.
        outbox: JSON-RPC objects to the host.
        acts: what the story wants, each ``(act, args)``.
    """

    journal: Journal
    outbox: trio.MemorySendChannel[dict[str, Any]]
    acts: trio.MemoryReceiveChannel[tuple[str, dict[str, Any]]]
    _asked: dict[int, dict[str, Any]] = field(default_factory=dict)
    _ids: int = 0

    async def run(self, inbox: trio.MemoryReceiveChannel[dict[str, Any]]) -> None:
        """Serve the host until it closes the pipe."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._perform, nursery)
            async for message in inbox:
                self._hear(message)
            nursery.cancel_scope.cancel()

    async def _perform(self, nursery: trio.Nursery) -> None:
        async for act, args in self.acts:
            if act == "work":
                nursery.start_soon(self._work, args)
            else:
                _ACTS[act](self, args)

    # --- what the story makes it do

    def say(self, args: dict[str, Any]) -> None:
        """Print one line: ``{text, step, at?}``; ``at``: when the story meant it to be said, in the world's seconds."""
        self.journal("agent.said", **args)
        content = {"type": "text", "text": args["text"]}
        self._notify("session/update", {"update": {"sessionUpdate": "agent_message_chunk", "content": content}})

    def ask(self, args: dict[str, Any]) -> None:
        """Ask leave for a tool call: ``{tool}``."""
        self._ids += 1
        call = f"call-{self._ids}"
        self._asked[self._ids] = {"call": call, "tool": args["tool"]}
        self.journal("tool.asked", call=call, tool=args["tool"])
        tool_call = {
            "toolCallId": call,
            "title": args["tool"],
            "kind": "execute",
            "rawInput": {"command": args["tool"]},
        }
        self._send(
            {
                "jsonrpc": "2.0",
                "id": self._ids,
                "method": "session/request_permission",
                "params": {"sessionId": "agent", "toolCall": tool_call, "options": list(OPTIONS)},
            }
        )

    def withdraw(self, args: dict[str, Any]) -> None:
        """Take a question back: ``{tool}``."""
        for number, asked in list(self._asked.items()):
            if asked["tool"] == args["tool"]:
                del self._asked[number]
                self.journal("tool.withdrawn", **asked)
                self._notify("$/cancel_request", {"id": number})

    async def _work(self, args: dict[str, Any]) -> None:
        self.journal("turn.began")
        end_at = trio.current_time() + args["for_s"]
        line = 0
        while trio.current_time() < end_at:
            line += 1
            self.say({"text": f"{args['step']}: working {line}", "step": args["step"]})
            await trio.sleep(min(WORK_LINE_EVERY_S, end_at - trio.current_time()))
        self.journal("turn.ended")

    # --- what the host makes it do

    def _hear(self, message: dict[str, Any]) -> None:
        method = message.get("method")
        if method is None:
            self._decided(message)
        elif method == "session/prompt":
            texts = [part.get("text", "") for part in message["params"]["prompt"]]
            self.journal("agent.heard", text="".join(texts))
            self._answer(message, {"stopReason": "end_turn"})
        elif "id" in message:
            self._answer(message, _ANSWERS.get(method, {}))

    def _decided(self, message: dict[str, Any]) -> None:
        asked = self._asked.pop(message["id"], None)
        if asked is None:
            # Answered twice, or after it was withdrawn: the journal shows it, the judge decides.
            self.journal("tool.answered_again", id=message["id"])
            return
        outcome = message.get("result", {}).get("outcome", {})
        if outcome.get("outcome") == "selected" and str(outcome.get("optionId", "")).startswith("allow"):
            self.journal("tool.ran", **asked)
        else:
            self.journal("tool.refused", **asked, outcome=outcome.get("optionId") or outcome.get("outcome"))

    def _answer(self, message: dict[str, Any], result: dict[str, Any]) -> None:
        self._send({"jsonrpc": "2.0", "id": message["id"], "result": result})

    def _notify(self, method: str, params: dict[str, Any]) -> None:
        self._send({"jsonrpc": "2.0", "method": method, "params": {"sessionId": "agent", **params}})

    def _send(self, message: dict[str, Any]) -> None:
        self.outbox.send_nowait(message)


_ACTS: dict[str, Callable[[ScriptedAgent, dict[str, Any]], None]] = {
    "say": ScriptedAgent.say,
    "ask": ScriptedAgent.ask,
    "withdraw": ScriptedAgent.withdraw,
}

_ANSWERS: dict[str, dict[str, Any]] = {
    "initialize": {"protocolVersion": 1, "agentCapabilities": {}},
    "session/new": {"sessionId": "agent"},
}
