"""The tap: from the plaintext that each client's TLS object wrote and read to ``wire`` events of docs/spec/history.md.

Its decoder is written from docs/spec/protocol.md alone and shares no code with the reference, so that a fault in the reference's codec, the
same on both ends, is still noticed. It judges form only, never raises, and gives the same events however the bytes were split.
Deliberately absent: TLS, sockets, and the proxy's own CONNECT exchange, which is not inside TLS.
"""

import hashlib
import itertools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from harness.sut import tap_form
from harness.sut.canary import classes_in
from harness.sut.tap_http import Events, Head, Messages, Part, Told

CREDENTIAL = re.compile(r"rc[ar]_[A-Za-z0-9_-]+")
PROBLEM_PREFIX = "urn:relayproof:"
RELAY_TYPES = ("application/json", "text/event-stream", "application/problem+json")
_UNDER_SESSIONS = re.compile(r"/v1/sessions(?:/(?P<session>[^/?#]+)(?:/(?P<suffix>[^/?#]+))?)?/?")


class Chunk(NamedTuple):
    """Some plaintext of one client connection.

    Attributes:
        t: true seconds.
        actor: whose client it is.
        conn: the connection, unique in a run.
        direction: ``out`` towards the relay, ``in`` from it.
        data: bytes; empty = the connection ended.
    """

    t: float
    actor: str
    conn: int | str
    direction: Literal["out", "in"]
    data: bytes


class Heard(NamedTuple):
    """One ``wire`` event before it has a place in a history: true seconds, client, name, data."""

    t: float
    actor: str
    what: str
    data: dict[str, Any]


type Canaries = Mapping[str, str | Sequence[str]]


def decode(chunks: Iterable[tuple[Any, ...]], canaries: Canaries | None = None) -> list[Heard]:
    """Decode a run's plaintext.

    Args:
        chunks: the fields of ``Chunk`` each, in order of time; within a connection in order of bytes.
        canaries: class -> planted value or values; ``public`` is the class that must be found.

    Returns:
        ``wire`` events in order of time; a world interleaves them with its own and numbers all.
    """
    connections: dict[tuple[str, int | str], _Connection] = {}
    events: list[Heard] = []
    for chunk in itertools.starmap(Chunk, chunks):
        key = (chunk.actor, chunk.conn)
        if key not in connections:
            connections[key] = _Connection(chunk.actor, chunk.conn, events)
        connections[key].feed(chunk)
    for connection in connections.values():
        connection.finish(canaries or {})
    return sorted(events, key=lambda event: event.t)


@dataclass(slots=True)
class _Asked:
    """A request as far as it has been read."""

    method: str
    target: str
    headers: dict[str, str]
    session: str
    suffix: str
    known: bool
    bytes: int
    body: bytearray = field(default_factory=bytearray)

    @property
    def path(self) -> str:
        return CREDENTIAL.sub("***", self.target.partition("?")[0])

    @property
    def route(self) -> tuple[str, str]:
        return (self.method, self.suffix) if self.known or self.path == "/v1/token" else ("", "")


@dataclass(slots=True)
class _Answer:
    """An answer as far as it has been read."""

    status: int
    headers: dict[str, str]
    asked: _Asked
    bytes: int
    body: bytearray = field(default_factory=bytearray)
    events: Events | None = None
    greeted: bool = False
    commented: bool = False
    dismissed: bool = False

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def is_relays(self) -> bool:
        """Whether it counts as the relay's word."""
        if self.status >= 300:
            return self.media_type == "application/problem+json"
        return self.media_type in RELAY_TYPES


class _Connection:
    """One client connection: both directions, matched request by request."""

    def __init__(self, actor: str, conn: int | str, events: list[Heard]) -> None:
        self._actor, self._conn, self._events = actor, conn, events
        self._out = Messages(until_close=False)
        self._in = Messages(until_close=True, no_body=self._has_no_body)
        self._asking: _Asked | None = None
        self._asked: list[_Asked] = []
        self._answer: _Answer | None = None
        self._raw: dict[str, bytearray] = {"out": bytearray(), "in": bytearray()}
        self._plain: dict[str, bytearray] = {"out": bytearray(), "in": bytearray()}
        self._heard_at: float | None = None
        self._t = 0.0
        self._closed = False

    def feed(self, chunk: Chunk) -> None:
        self._t = chunk.t
        if not chunk.data:
            self._close()
            return
        self._raw[chunk.direction] += chunk.data
        take, messages = (self._sent, self._out) if chunk.direction == "out" else (self._read, self._in)
        for part in messages.feed(chunk.data):
            self._plain[chunk.direction] += part.data
            take(part)
        if chunk.direction == "in" and self._answer is not None and self._answer.is_relays:
            self._heard()

    def finish(self, canaries: Canaries) -> None:
        self._tell_heard()
        for direction in ("out", "in"):
            found = classes_in((bytes(self._raw[direction]), bytes(self._plain[direction])), canaries)
            total = len(self._raw[direction])
            data = {"direction": direction, "bytes": total, "canaries": found, "open": not self._closed}
            self._tell("carried", data)

    def _close(self) -> None:
        if not self._closed:
            self._closed = True
            for part in self._in.close():
                self._read(part)
            if self._answer is not None and self._answer.events is not None:
                self._end_stream([])

    def _tell(self, what: str, data: dict[str, Any], at: float | None = None) -> None:
        self._events.append(Heard(self._t if at is None else at, self._actor, what, {"conn": self._conn, **data}))

    def _heard(self) -> None:
        if self._heard_at is not None and int(self._heard_at) != int(self._t):
            self._tell_heard()
        self._heard_at = self._t

    def _tell_heard(self) -> None:
        if self._heard_at is not None:
            self._tell("heard", {}, self._heard_at)
            self._heard_at = None

    # --- towards the relay

    def _sent(self, part: Part) -> None:
        if part.head is not None:
            self._asking = _asked(part.head)
            self._asked.append(self._asking)
        elif self._asking is not None and part.what == "body":
            self._asking.body += part.data
        elif self._asking is not None:
            asked, self._asking = self._asking, None
            self._tell("request", _request(asked))

    # --- from the relay

    def _has_no_body(self, head: Head) -> bool:
        status = _status(head)
        asked = self._asked[0] if self._asked else None
        return status in (204, 304) or 100 <= status < 200 or (asked is not None and asked.method == "HEAD")

    def _read(self, part: Part) -> None:
        if part.head is not None:
            self._begin_answer(part.head)
        elif self._answer is None:
            return
        elif part.what == "end":
            self._end_answer()
        elif self._answer.events is not None:
            for told in self._answer.events.feed(part.data):
                self._told(self._answer, told)
        else:
            self._answer.body += part.data

    def _begin_answer(self, head: Head) -> None:
        status = _status(head)
        if 100 <= status < 200:
            return
        asked = self._asked.pop(0) if self._asked else _Asked("", "", {}, "", "", known=False, bytes=0)
        self._answer = _Answer(status, head.headers, asked, head.bytes)
        if self._answer.media_type == "text/event-stream":
            self._answer.events = Events()
            self._tell("response", _response(self._answer))

    def _end_answer(self) -> None:
        if self._answer is None:
            return
        if self._answer.events is not None:
            is_polite = self._closed or self._answer.dismissed or "content-length" in self._answer.headers
            self._end_stream([] if is_polite else ["no-bye"])
            return
        if self._answer.is_relays:
            self._heard()
        self._tell("response", _response(self._answer))
        self._answer = None

    def _end_stream(self, form: list[str]) -> None:
        """A stream is over: broken off, which is the network's doing, or ended by the relay, which says why before."""
        if self._answer is not None:
            self._heard()
            self._tell("stream.ended", {"stream": self._answer.asked.suffix, "form": form})
            self._answer = None

    def _told(self, answer: _Answer, told: Told) -> None:
        stream = answer.asked.suffix
        if not told.event:
            answer.commented = True
            self._tell("heartbeat", {"stream": stream})
            return
        data = _json(told.data)
        form = tap_form.of_event(told.event, data, told.id)
        if told.event in ("entry", "presence") and not answer.greeted:
            form.append("no-hello")
        if told.event == "hello" and not answer.commented and "content-length" not in answer.headers:
            form.append("no-opening-comment")
        answer.greeted = True
        answer.dismissed |= told.event == "bye"
        self._tell("frame", {"stream": stream, "event": told.event, **_frame(answer, told, data), "form": form})


def _status(head: Head) -> int:
    parts = head.start.split(" ", 2)
    return int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else 0


def _asked(head: Head) -> _Asked:
    method, _, rest = head.start.partition(" ")
    target = rest.rpartition(" ")[0] or rest
    path = target.partition("?")[0]
    match = _UNDER_SESSIONS.fullmatch(path)
    session, suffix = (match["session"] or "", match["suffix"] or "") if match else ("", path.rpartition("/")[2])
    return _Asked(method, target, head.headers, session, suffix, known=match is not None, bytes=head.bytes)


def _request(asked: _Asked) -> dict[str, Any]:
    """The data of a ``request`` event: who asks for what, what it says, and what it breaks."""
    scope, shape = tap_form.REQUESTS.get(asked.route, ("", {})) if asked.known else ("", {})
    form = ["credential-in-url"] if CREDENTIAL.search(asked.target) else []
    said: dict[str, Any] = {}
    if asked.known:
        form += _authorised(asked)
        form += [] if scope else ["unknown-path"]
    if scope and asked.method == "POST":
        said = _json(asked.body)
        form += tap_form.violations(said, shape)
        form += tap_form.of_items(said.get("items")) if isinstance(said, dict) else []
    after = asked.headers.get("last-event-id", "")
    return {
        "method": asked.method,
        "path": asked.path,
        "scope_hint": scope,
        "session": asked.session,
        "bytes": asked.bytes + len(asked.body),
        **({"after": int(after)} if after.isdigit() else {}),
        **_said(said),
        "form": form,
    }


def _authorised(asked: _Asked) -> list[str]:
    value = asked.headers.get("authorization", "")
    if not value:
        return ["no-authorization"]
    return [] if re.fullmatch(r"[Bb]earer rca_[A-Za-z0-9_-]+", value) else ["not-an-access-token"]


def _said(body: Any) -> dict[str, Any]:
    """The parts of a request's body that the judge reads."""
    if not isinstance(body, dict):
        return {}
    kept = {
        name: body[name]
        for name in ("msg_id", "request", "option", "digest", "epoch", "beat", "heard_s")
        if name in body
    }
    text = _text("prompt", body.get("body")) or _text("title", body)
    items = body.get("items")
    if isinstance(items, list):
        kept["items"] = [_item(item) for item in items if isinstance(item, dict)]
    return kept | ({"text": text} if text else {})


def _item(item: dict[str, Any]) -> dict[str, Any]:
    kind, body = item.get("kind"), item.get("body")
    return {"n": item.get("n"), "kind": kind, **_parts(str(kind), body)}


def _response(answer: _Answer) -> dict[str, Any]:
    """The data of a ``response`` event; a problem counts only as the relay's own."""
    asked = answer.asked
    body = _json(answer.body) if answer.events is None else {}
    kind = str(body.get("type", "")) if isinstance(body, dict) else ""
    own = answer.media_type == "application/problem+json" and kind.startswith(PROBLEM_PREFIX)
    after = answer.headers.get("retry-after", "")[:9]
    kept = ("session", "epoch", "seq", "upto", "stage", "duplicate", "expected", "expires_in")
    return {
        "status": answer.status,
        "problem": kind.removeprefix(PROBLEM_PREFIX) if own else "",
        "relays": answer.is_relays,
        "method": asked.method,
        "path": asked.path,
        "bytes": answer.bytes + len(answer.body),
        **({"retry_after_s": int(after)} if own and after.isdecimal() and after.isascii() else {}),
        **({name: body[name] for name in kept if name in body} if isinstance(body, dict) else {}),
        "form": _answer_form(answer, body, own=own) if answer.is_relays else [],
    }


def _answer_form(answer: _Answer, body: Any, *, own: bool) -> list[str]:
    broken = [] if "no-store" in answer.headers.get("cache-control", "") else ["cacheable"]
    if answer.events is not None:
        return broken + ([] if answer.headers.get("x-accel-buffering") == "no" else ["bufferable"])
    if answer.status >= 300:
        wrong = isinstance(body, dict) and body.get("status", answer.status) != answer.status
        return broken + ([] if own else ["foreign-problem"]) + (["mistyped-status"] if wrong else [])
    return broken + tap_form.violations(body, tap_form.ANSWERS.get(answer.asked.route, {}))


def _frame(answer: _Answer, told: Told, data: Any) -> dict[str, Any]:
    """The parts of a stream's event that the judge reads."""
    if not isinstance(data, dict):
        return {"session": answer.asked.session}
    names = ("epoch", "seq", "first", "gap", "kind", "author", "msg_id", "at", "state", "reason", "since", "title")
    kept: dict[str, Any] = {"session": data.get("session", answer.asked.session)}
    kept |= {name: data[name] for name in names if name in data}
    after = answer.asked.headers.get("last-event-id", "")
    if told.event == "hello":
        kept |= {"after": int(after)} if after.isdigit() else {}
        kept |= {"presence": data.get("presence"), "pending": _requests(data.get("pending"))}
    if told.event == "entry":
        kept |= _parts(str(data.get("kind")), data.get("body")) | {"body_sha256": _digest(data.get("body"))}
    return kept


def _requests(pending: Any) -> list[Any]:
    if not isinstance(pending, list):
        return []
    return [
        one.get("request", (one.get("body") or {}).get("request")) if isinstance(one, dict) else one for one in pending
    ]


def _parts(kind: str, body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        return {}
    names = ("request", "option", "digest", "of", "stage", "reason")
    text, call = _text(kind, body), _call(kind, body)
    known = {name: body[name] for name in names if name in body}
    return known | ({"text": text} if text else {}) | ({"call": call} if call else {})


def _call(kind: str, body: dict[str, Any]) -> str:
    """The id of the tool call that a permission request is about; empty where it has none."""
    asked = body.get("toolCall") if kind == "permission_request" else None
    call = asked.get("toolCallId") if isinstance(asked, dict) else None
    return call if isinstance(call, str) else ""


def _text(kind: str, body: Any) -> str:
    """The words of a body: what a person would read."""
    if not isinstance(body, dict):
        return ""
    if kind == "prompt":
        prompt = body.get("prompt")
        parts = prompt if isinstance(prompt, list) else []
        return "".join(str(part.get("text", "")) for part in parts if isinstance(part, dict))
    holder, name = {"update": ("content", "text"), "permission_request": ("toolCall", "title")}.get(kind, ("", "title"))
    inner = body.get(holder) if holder else body
    text = inner.get(name) if isinstance(inner, dict) else None
    return text if isinstance(text, str) else ""


def _digest(body: Any) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:16]


def _json(raw: bytes | bytearray | str) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None
