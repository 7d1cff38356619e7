"""The host's side of the Agent Client Protocol: JSON-RPC objects in, what the agent meant out.

The host is the ACP *client*. It offers no file system and no terminal of its own, so every request but ``session/request_permission`` gets
"method not found". Deliberately absent: what the host does with what it hears.
"""

from dataclasses import dataclass
from typing import Any

from reference.protocol.messages import offered

type Message = dict[str, Any]

METHOD_NOT_FOUND = -32601
"""JSON-RPC 2.0 section 5.1."""


@dataclass(frozen=True, slots=True)
class Updated:
    """The agent said or did something; ``update`` is opaque."""

    update: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """The agent asks leave for a tool call; ``rpc_id`` names the question."""

    rpc_id: Any
    tool_call: dict[str, Any]
    options: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class TookBack:
    """The agent takes a question back; it must not be answered any more."""

    rpc_id: Any


@dataclass(frozen=True, slots=True)
class Ready:
    """The agent has a session and takes prompts."""


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The prompt under way was worked off; ``error`` is empty if it was."""

    error: str


@dataclass(frozen=True, slots=True)
class Say:
    """An object that must go back to the agent."""

    message: Message


type Heard = Updated | Asked | TookBack | Ready | TurnEnded | Say


class AgentLink:
    """One agent, from its launch to its end."""

    def __init__(self, cwd: str) -> None:
        self._cwd = cwd
        self._ids = 0
        self._asked: dict[int, str] = {}
        self._session = ""

    @property
    def is_ready(self) -> bool:
        """Whether the agent takes prompts."""
        return bool(self._session)

    def hello(self) -> Message:
        """The first object to an agent."""
        capabilities = {"fs": {"readTextFile": False, "writeTextFile": False}, "terminal": False}
        return self._request("initialize", {"protocolVersion": 1, "clientCapabilities": capabilities})

    def prompt(self, blocks: list[dict[str, Any]]) -> Message:
        """Give the agent a prompt; only when it is ready, one at a time."""
        assert self.is_ready
        return self._request("session/prompt", {"sessionId": self._session, "prompt": blocks})

    @staticmethod
    def answer(rpc_id: Any, option: str | None) -> Message:
        """Answer a question with an option, or with ``cancelled``."""
        outcome = {"outcome": "cancelled"} if option is None else {"outcome": "selected", "optionId": option}
        return {"jsonrpc": "2.0", "id": rpc_id, "result": {"outcome": outcome}}

    def receive(self, message: Message) -> Heard | None:
        """Read one object of the agent; None for what means nothing here."""
        method = message.get("method")
        if method is None:
            return self._answered(message)
        params = message.get("params")
        params = params if isinstance(params, dict) else {}
        if "id" in message:
            return self._asks(message["id"], str(method), params)
        if method == "session/update" and isinstance(params.get("update"), dict):
            return Updated(params["update"])
        if method == "$/cancel_request" and "id" in params:
            return TookBack(params["id"])
        return None

    def _asks(self, rpc_id: Any, method: str, params: dict[str, Any]) -> Heard:
        if method != "session/request_permission":
            error = {"code": METHOD_NOT_FOUND, "message": f"no method {method}"}
            return Say({"jsonrpc": "2.0", "id": rpc_id, "error": error})
        tool_call, options = params.get("toolCall"), params.get("options")
        choices = offered(options)
        if not isinstance(tool_call, dict) or not choices:
            return Say(self.answer(rpc_id, None))
        return Asked(rpc_id, tool_call, choices)

    def _answered(self, message: Message) -> Heard | None:
        what = self._asked.pop(message.get("id", 0), "")
        result = message.get("result")
        error = "" if isinstance(result, dict) else str(message.get("error") or "no result")
        if what == "initialize" and isinstance(result, dict):
            return Say(self._request("session/new", {"cwd": self._cwd, "mcpServers": []}))
        if what == "session/new" and isinstance(result, dict):
            self._session = str(result.get("sessionId", ""))
            return Ready()
        return TurnEnded(error) if what == "session/prompt" else None

    def _request(self, method: str, params: dict[str, Any]) -> Message:
        self._ids += 1
        self._asked[self._ids] = method
        return {"jsonrpc": "2.0", "id": self._ids, "method": method, "params": params}
