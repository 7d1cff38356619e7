"""Questions of the agent that wait for a person: bound to what is asked, answered exactly once, closed on any doubt (APR-1, 2, 4, 7)."""

import hashlib
from dataclasses import dataclass
from typing import Any

import msgspec

from reference.protocol.acp import Asked

_canonical = msgspec.json.Encoder(order="deterministic").encode


@dataclass(frozen=True, slots=True)
class Question:
    """One pending question.

    Attributes:
        request: its id, minted by this host.
        rpc_id: its id in the agent's words.
        digest: of what is asked; a decision must name it.
        epoch: incarnation in which it was asked.
        options: ``optionId``s that the agent offered.
        body: of the ``permission_request`` entry.
    """

    request: str
    rpc_id: Any
    digest: str
    epoch: int
    options: frozenset[str]
    body: dict[str, Any]


def question(request: str, asked: Asked, cwd: str, epoch: int) -> Question:
    """Bind what the agent asked to a digest of (tool, args, cwd, epoch)."""
    call = asked.tool_call
    what = {"args": call.get("rawInput"), "cwd": cwd, "epoch": epoch, "tool": call.get("title", "")}
    digest = hashlib.sha256(_canonical(what)).hexdigest()
    options = frozenset(str(option.get("optionId")) for option in asked.options)
    body = {"request": request, "digest": digest, "toolCall": call, "options": asked.options}
    return Question(request, asked.rpc_id, digest, epoch, options, body)


def objection(asked: Question, decision: dict[str, Any], epoch: int) -> str:
    """Why a decision does not answer a question; empty if it does."""
    if epoch != asked.epoch:
        return "stale-epoch"
    if decision.get("digest") != asked.digest:
        return "digest-mismatch"
    if decision.get("option") not in asked.options:
        return "unknown-option"
    return ""
