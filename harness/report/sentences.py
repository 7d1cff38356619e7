"""What an event is, in a few words for people.

What people do and see is loud and has a sentence; the small talk of wire and system (requests, frames, heartbeats, sockets) has words only for
whoever asks, because a verdict may rest on it. Deliberately absent: where the words stand (``lanes``).
"""

from collections.abc import Callable
from typing import Any

from harness.base.span import format_span
from harness.history.events import Event

TEXT_MAX = 40
"""Characters of a text that is quoted; the history has all of it."""

type Words = Callable[[dict[str, Any]], str]


def _said(mouth: str) -> Words:
    return lambda data: f"{mouth} {_quoted(data.get('text', ''))}"


def _quoted(text: Any) -> str:
    shown = str(text)
    return f"“{shown if len(shown) <= TEXT_MAX else shown[: TEXT_MAX - 1] + '…'}”"


def _limited(data: dict[str, Any]) -> str:
    if not data.get("ended"):
        return (
            f"connection {data.get('conn')} carries {data.get('passed_min')} bytes {data.get('direction')} and goes on"
        )
    return f"connection {data.get('conn')} breaks off after {data.get('passed_max')} bytes {data.get('direction')}, {data.get('lost')} never pass"


_OS: dict[str, Words] = {
    "agent.said": _said("says"),
    "agent.heard": _said("hears"),
    "tool.asked": lambda data: f"asks leave: {data.get('tool')}",
    "tool.ran": lambda data: f"ran {data.get('tool')}",
    "tool.refused": lambda data: f"refused {data.get('tool')}: {data.get('outcome')}",
    "process.started": lambda data: f"program starts (no. {data.get('incarnation')})",
    "process.exited": lambda data: f"program ends, code {data.get('code')} {data.get('reason') or ''}",
    "machine.suspended": lambda _data: "falls asleep",
    "machine.resumed": lambda data: f"wakes after {format_span(float(data.get('slept_s', 0.0)))}",
    "clock.stepped": lambda data: f"calendar moves by {data.get('by_s')} s",
    "flow.limited": _limited,
}

_SAW: dict[str, Words] = {
    "shown": lambda data: f"sees {_quoted(data['text'])}" if data.get("text") else f"sees {data.get('kind')}",
    "presence": lambda data: f"shows {data.get('state')}{_because(data)}",
    "status": lambda data: f"shows {data.get('state')}{_because(data)}",
    "exiting": lambda data: f"says goodbye: {data.get('message') or data.get('reason')}",
    "approval": lambda data: f"question {data.get('tool', '')} is {data.get('state')}{_because(data, 'option')}",
    "message": lambda data: f"message reached {data.get('stage')}",
    "stream": lambda data: f"stream {data.get('state')}{_because(data)}",
    "gap": lambda data: f"gap up to {data.get('first')}",
}

_QUIET_VERBS = {"hello", "issue", "screen", "start", "list"}


def _because(data: dict[str, Any], key: str = "reason") -> str:
    return f" ({data[key]})" if data.get(key) else ""


def _called(event: Event) -> str:
    word = {"ok": "accepted", "fail": "refused", "info": "outcome unknown"}[event.kind]
    detail = event.data.get("stage") or event.data.get("code")
    return f"{event.what} {word}" + (f": {detail}" if detail else "")


def sentence(event: Event) -> str:
    """Say in a few words what an event is; empty for small talk that lanes leave out."""
    if event.kind == "os":
        return _OS[event.what](event.data) if event.what in _OS else ""
    if event.kind == "saw":
        return _SAW[event.what](event.data) if event.what in _SAW else ""
    if event.kind in ("ok", "fail", "info"):
        quiet = event.what in _QUIET_VERBS and event.kind == "ok"
        return "" if quiet else _called(event)
    if event.kind == "fault" and event.what in ("began", "healed"):
        return f"{event.data.get('name')} {'begins' if event.what == 'began' else 'is over'}{_effect(event)}"
    if event.kind == "story" and event.what == "failed":
        return f"the story ends here: {event.data.get('why')}"
    if event.kind == "story" and event.what == "given_back":
        return f"the story goes on after the time that was meant: the machine stood {event.data.get('stood_s')} s"
    return ""


def bare(event: Event) -> str:
    """Say what an event is even if lanes would leave it out: a verdict may rest on it."""
    quiet = _QUIET.get((event.kind, event.what))
    words = sentence(event) or (quiet(event.data) if quiet else "")
    fields = ", ".join(f"{key}={value}" for key, value in event.data.items() if not isinstance(value, (dict, list)))
    return words or f"{event.kind} {event.what} {fields}".rstrip()


def _message(data: dict[str, Any]) -> str:
    """What a frame, a request or an answer is about: number, kind, text, ids; whatever of these it has."""
    parts = [
        f"no. {data['seq']}" if data.get("seq") is not None else "",
        str(data.get("kind") or ""),
        _quoted(data["text"]) if data.get("text") else "",
        f"message {data['msg_id']}" if data.get("msg_id") else "",
        f"question {data['request']}" if data.get("request") else "",
        str(data.get("option") or ""),
        str(data.get("stage") or ""),
    ]
    return "".join(f" {part}" for part in parts if part)


def _path(data: dict[str, Any]) -> str:
    """A path whose long ids are cut; the history has them whole."""
    return "/".join(part if len(part) <= 16 else f"{part[:6]}…" for part in str(data.get("path", "")).split("/"))


def _carried(data: dict[str, Any]) -> str:
    secrets = f", with secrets of {', '.join(data['canaries'])}" if data.get("canaries") else ""
    return f"connection {data.get('conn')} carried {data.get('bytes')} bytes {data.get('direction')}{secrets}"


_QUIET: dict[tuple[str, str], Words] = {
    ("wire", "frame"): lambda data: f"reads {data.get('event')}{_message(data)}",
    ("wire", "request"): lambda data: f"asks {data.get('method')} {_path(data)}{_message(data)}",
    ("wire", "response"): lambda data: f"is answered {data.get('status')}{_because(data, 'problem')}{_message(data)}",
    ("wire", "stream.ended"): lambda data: f"stream of {data.get('stream')} ends",
    ("wire", "heartbeat"): lambda data: f"heartbeat on connection {data.get('conn')}",
    ("wire", "heard"): lambda data: f"hears the relay on connection {data.get('conn')}",
    ("wire", "carried"): _carried,
    ("os", "socket.listening"): lambda data: f"listens at {data.get('address')}",
    ("os", "socket.dialled"): lambda data: f"dials {data.get('to')}:{data.get('port')} ({data.get('via')})",
    ("os", "socket.connected"): lambda data: f"connection {data.get('conn')} opens",
    ("os", "socket.spoke"): lambda data: (
        f"connection {data.get('conn')} begins {'with TLS' if data.get('tls') else 'in clear'}"
    ),
    ("os", "socket.closed"): lambda data: f"connection {data.get('conn')} closes{_because(data, 'error')}",
}
"""Small talk, worded for whoever must look at it."""


def _effect(event: Event) -> str:
    return " (effect switched off)" if event.data.get("effect") is False else ""
