"""docs/spec/protocol.md as tables: which fields a message has and of which type; and what a message breaks of them.

Written from that page and nothing else. A violation is a stable word such as ``missing-seq``. Unknown extra fields are none: the page says they
are ignored. Deliberately absent: the meaning of a message.
"""

import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

type Test = Callable[[Any], bool]
type Shape = Mapping[str, str]

WALL_S = (946_684_800, 4_102_444_800)
"""Calendar seconds from 2000 to 2100: a time in milliseconds is no time."""

_HEX64 = re.compile(r"[0-9a-f]{64}")
_HOST_MSG_ID = re.compile(r"h\d+")


def _int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


STAGES = ("relay_stored", "host_received", "host_applied", "failed")
STATES = ("connecting", "online", "degraded", "offline", "ended")
BYES = (
    "token-expired",
    "token-revoked",
    "draining",
    "replaced",
    "superseded",
    "slow-consumer",
    "stale",
    "storage-failed",
    "ended",
)

TESTS: dict[str, Test] = {
    "str": lambda value: isinstance(value, str) and value != "",
    "text": lambda value: isinstance(value, str),
    "int": _int,
    "count": lambda value: _int(value) and value >= 0,
    "number": _number,
    "span": lambda value: _number(value) and value >= 0,
    "wall": lambda value: _number(value) and WALL_S[0] <= value <= WALL_S[1],
    "bool": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "list": lambda value: isinstance(value, list),
    "digest": lambda value: isinstance(value, str) and _HEX64.fullmatch(value) is not None,
    "stage": lambda value: isinstance(value, str) and value in STAGES,
    "state": lambda value: isinstance(value, str) and value in STATES,
    "presence": lambda value: (value.get("state") if isinstance(value, dict) else value) in STATES,
    "kind": lambda value: isinstance(value, str) and value in BODIES,
    "bye": lambda value: isinstance(value, str) and value in BYES,
}
"""Type of a field -> whether a value has it. A ``?`` after the type allows null and absence."""

EVENTS: dict[str, Shape] = {
    "hello": {
        "session": "str",
        "epoch": "count",
        "seq": "count",
        "first": "count",
        "presence": "presence",
        "title": "text?",
        "gap": "bool",
        "pending": "list",
    },
    "entry": {
        "session": "str",
        "epoch": "count",
        "seq": "count",
        "author": "str",
        "msg_id": "text?",
        "at": "wall",
        "kind": "kind",
        "body": "object",
    },
    "presence": {"state": "state", "reason": "text?", "since": "wall?"},
    "bye": {"reason": "bye", "retry_after_s": "span?"},
}
"""Event of a stream -> its data."""

BODIES: dict[str, Shape] = {
    "update": {"sessionUpdate": "str"},
    "prompt": {"prompt": "list"},
    "permission_request": {"request": "str", "digest": "digest", "toolCall": "object", "options": "list"},
    "permission_withdrawn": {"request": "str", "reason": "text?"},
    "permission_decision": {"request": "str", "option": "str", "digest": "digest"},
    "receipt": {"of": "count", "stage": "stage", "reason": "text?"},
    "title": {"title": "text"},
    "ended": {"reason": "text?"},
}
"""Kind of a log entry -> its body."""

REQUESTS: dict[tuple[str, str], tuple[str, Shape]] = {
    ("POST", ""): (
        "host:register",
        {"instance": "str", "incarnation": "str", "title": "text?", "cwd": "text?", "version": "text?"},
    ),
    ("GET", "inbox"): ("host:stream", {}),
    ("POST", "outbox"): ("host:publish", {"epoch": "count", "beat": "count?", "heard_s": "span", "items": "list"}),
    ("POST", "end"): ("host:publish", {"epoch": "count", "reason": "text?"}),
    ("GET", ""): ("device:read", {}),
    ("GET", "events"): ("device:read", {}),
    ("POST", "messages"): ("device:send", {"msg_id": "str", "body": "object"}),
    ("POST", "decisions"): (
        "device:approve",
        {"msg_id": "str", "request": "str", "option": "str", "digest": "digest"},
    ),
    ("POST", "title"): ("device:send", {"msg_id": "str", "title": "text"}),
}
"""(method, last part of the path under a session) -> scope and body."""

ANSWERS: dict[tuple[str, str], Shape] = {
    ("POST", ""): {
        "session": "str",
        "epoch": "count",
        "seq": "count",
        "upto": "count",
        "heartbeat_s": "span",
        "retention_s": "span",
        "url": "str",
    },
    ("POST", "outbox"): {"upto": "count", "seq": "count"},
    ("POST", "end"): {"seq": "count"},
    ("GET", ""): {"sessions": "list"},
    ("POST", "messages"): {"seq": "count", "stage": "stage", "host": "presence"},
    ("POST", "decisions"): {"seq": "count", "stage": "stage", "host": "presence"},
    ("POST", "title"): {"seq": "count", "stage": "stage", "host": "presence"},
    ("POST", "token"): {"access_token": "str", "token_type": "str", "expires_in": "span", "scope": "str"},
}
"""The same -> body of a success."""

ITEM: Shape = {"n": "count", "kind": "kind", "body": "object"}


def violations(data: Any, shape: Shape) -> list[str]:
    """What an object breaks of a shape: ``not-an-object``, ``missing-<field>``, ``mistyped-<field>``."""
    if not isinstance(data, dict):
        return ["not-an-object"]
    broken = []
    for name, wanted in shape.items():
        value = data.get(name)
        if value is None:
            broken += [] if wanted.endswith("?") else [f"missing-{name}"]
        elif not TESTS[wanted.rstrip("?")](value):
            broken.append(f"mistyped-{name}")
    return broken


def of_event(event: str, data: Any, event_id: str | None) -> list[str]:
    """What a stream's event breaks: its fields, its kind's fields, and that a log entry's id is its number."""
    shape = EVENTS.get(event)
    if shape is None:
        return ["unknown-event"]
    broken = violations(data, shape)
    if event != "entry":
        return [*broken, *(["id-on-state"] if event_id else [])]
    if not isinstance(data, dict):
        return broken
    if event_id is None or event_id != str(data.get("seq")):
        broken.append("id-not-seq")
    return broken + _of_entry(data)


def _of_entry(data: dict[str, Any]) -> list[str]:
    kind = data.get("kind")
    broken = violations(data.get("body"), BODIES[kind]) if isinstance(kind, str) and kind in BODIES else []
    return list(dict.fromkeys([*broken, *_of_msg_id(data)]))


def _of_msg_id(data: dict[str, Any]) -> list[str]:
    """An entry is named by who wrote it: a device by its own id, a host by ``h<n>``; an end has no item behind it and needs no name."""
    author, msg_id = data.get("author"), data.get("msg_id")
    if author in ("relay", None) or data.get("kind") == "ended":
        return []
    if not isinstance(msg_id, str):
        return ["missing-msg_id"]
    named = _HOST_MSG_ID.fullmatch(msg_id) if author == "host" else msg_id
    return [] if named else ["mistyped-msg_id"]


def of_items(items: Any) -> list[str]:
    """What an outbox breaks: an item's fields, its body, and that items are numbered without a hole."""
    if not isinstance(items, list):
        return []
    broken = []
    for item in items:
        broken += violations(item, ITEM)
        if isinstance(item, dict) and item.get("kind") in BODIES:
            broken += violations(item.get("body"), BODIES[item["kind"]])
    numbers = [item["n"] for item in items if isinstance(item, dict) and _int(item.get("n"))]
    if any(later != earlier + 1 for earlier, later in pairwise(numbers)):
        broken.append("gap-in-numbers")
    return list(dict.fromkeys(broken))
