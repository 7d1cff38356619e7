import base64
import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.sut.tap import Chunk, decode

BEARER = "Authorization: Bearer rca_abcDEF123"


def request(method: str, path: str, body: Any = None, *headers: str) -> bytes:
    raw = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: relay.test", *(headers or (BEARER,)), f"Content-Length: {len(raw)}"]
    return "\r\n".join([*lines, "", ""]).encode() + raw


def answer(status: int, body: Any, kind: str = "application/json", *headers: str) -> bytes:
    raw = json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} x", f"Content-Type: {kind}", "Cache-Control: no-store", *headers]
    return "\r\n".join([*lines, f"Content-Length: {len(raw)}", "", ""]).encode() + raw


def stream(text: str) -> bytes:
    head = (
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
        "X-Accel-Buffering: no\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    body = text.encode()
    return head.encode() + b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"


def sse(event: str, data: Any, seq: int | None = None) -> str:
    return (f"id: {seq}\n" if seq is not None else "") + f"event: {event}\ndata: {json.dumps(data)}\n\n"


HELLO = {
    "session": "s1", "epoch": 1, "seq": 1, "first": 1, "title": "t", "gap": False, "pending": [],
    "presence": {"state": "online", "reason": None, "since": 1_700_000_000},
}  # fmt: skip
ENTRY = {
    "session": "s1", "epoch": 1, "seq": 1, "author": "host", "msg_id": "h1", "at": 1_700_000_000.5, "kind": "update",
    "body": {"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": "grüße"}},
}  # fmt: skip
STREAM = ": open\n\n" + sse("hello", HELLO) + sse("entry", ENTRY, 1) + ": hb\n\n" + sse("bye", {"reason": "draining"})
OUTBOX = {
    "epoch": 1, "heard_s": 0.5,
    "items": [{"n": n, "kind": "update", "body": {"sessionUpdate": "x"}} for n in (1, 2)],
}  # fmt: skip

EXCHANGE = [
    ("out", request("GET", "/v1/sessions/s1/events", None, BEARER, "Last-Event-ID: 0")),
    ("in", stream(STREAM)),
    ("out", request("POST", "/v1/sessions/s1/outbox", OUTBOX)),
    ("in", answer(200, {"upto": 2, "seq": 3})),
]


def tapped(pieces, canaries=None):
    return decode([(float(n), "phone", 1, direction, data) for n, (direction, data) in enumerate(pieces)], canaries)


def forms(events):
    return [form for event in events for form in event.data.get("form", ())]


def test_an_exchange_is_told_as_it_was():
    events = tapped(EXCHANGE)
    assert forms(events) == []
    assert [event.what for event in events if event.what not in ("heard", "carried")] == [
        "request", "response", "heartbeat", "frame", "frame", "heartbeat", "frame", "stream.ended", "request", "response",
    ]  # fmt: skip
    hello, entry, bye = [event.data for event in events if event.what == "frame"]
    assert (hello["after"], hello["first"], hello["stream"]) == (0, 1, "events")
    assert (entry["text"], entry["seq"], entry["kind"]) == ("grüße", 1, "update")
    assert bye["reason"] == "draining"
    assert [event.t for event in events if event.what == "heard"] == [1.0, 3.0]


@pytest.mark.slow
@given(st.data())
def test_any_split_of_the_bytes_gives_the_same(data):
    whole = [(direction, payload) for direction, payload in EXCHANGE]
    pieces = []
    for n, (direction, payload) in enumerate(whole):
        cuts = sorted(data.draw(st.lists(st.integers(0, len(payload)), max_size=5)))
        edges = [0, *cuts, len(payload)]
        pieces += [Chunk(float(n), "phone", 1, direction, payload[a:b]) for a, b in zip(edges, edges[1:]) if a < b]  # noqa: B905, RUF007 - two lists
    assert decode(pieces) == tapped(whole)


def test_byte_by_byte_gives_the_same():
    pieces = [
        Chunk(float(n), "phone", 1, direction, payload[i : i + 1])
        for n, (direction, payload) in enumerate(EXCHANGE)
        for i in range(len(payload))
    ]
    assert decode(pieces) == tapped(EXCHANGE)


@pytest.mark.slow
@given(st.lists(st.tuples(st.sampled_from(["in", "out"]), st.binary(max_size=200))))
def test_no_bytes_make_it_raise(pieces):
    tapped(pieces, {"env": ["Cenv-0123456789abcdef01234567"]})


def entry_with(**changes):
    data = {key: value for key, value in {**ENTRY, **changes}.items() if value is not ...}
    return ": open\n\n" + sse("hello", HELLO) + sse("entry", data, 1)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (entry_with(seq=...), "missing-seq"),
        (entry_with(seq="1"), "mistyped-seq"),
        (entry_with(epoch=...), "missing-epoch"),
        (entry_with(msg_id=...), "missing-msg_id"),
        (entry_with(msg_id="m1"), "mistyped-msg_id"),
        (entry_with(at=1_700_000_000_500), "mistyped-at"),
        (entry_with(kind="novel"), "mistyped-kind"),
        (entry_with(body=[]), "mistyped-body"),
        (entry_with(body={"session_update": "x"}), "missing-sessionUpdate"),
        (entry_with(seq=2), "id-not-seq"),
        (": open\n\n" + sse("entry", ENTRY, 1), "no-hello"),
        (sse("hello", HELLO), "no-opening-comment"),
        (": open\n\n" + sse("hello", {**HELLO, "first": None}), "missing-first"),
        (": open\n\n" + sse("hello", HELLO, 4), "id-on-state"),
        (": open\n\n" + sse("hello", HELLO) + sse("novel", {}), "unknown-event"),
        (": open\n\n" + sse("hello", HELLO) + sse("bye", {"reason": "bored"}), "mistyped-reason"),
        (": open\n\n" + sse("hello", HELLO) + sse("presence", {"state": "asleep"}), "mistyped-state"),
        (": open\n\nevent: hello\ndata: {\n\n", "not-an-object"),
    ],
)
def test_a_frame_that_breaks_the_page_is_noticed(text, form):
    assert form in forms(tapped([("out", request("GET", "/v1/sessions/s1/events")), ("in", stream(text))]))


def test_a_stream_that_the_relay_ends_says_why():
    asked = ("out", request("GET", "/v1/sessions/s1/events"))
    text = ": open\n\n" + sse("hello", HELLO)
    assert forms(tapped([asked, ("in", stream(text))])) == ["no-bye"]
    assert forms(tapped([asked, ("in", stream(text + sse("bye", {"reason": "draining"})))])) == []


@pytest.mark.parametrize("msg_id", ["", None, "h7"])
def test_an_end_needs_no_name(msg_id):
    text = entry_with(kind="ended", msg_id=msg_id, body={"reason": "owner"}) + sse("bye", {"reason": "ended"})
    assert forms(tapped([("out", request("GET", "/v1/sessions/s1/events")), ("in", stream(text))])) == []


@pytest.mark.parametrize(
    ("raw", "form"),
    [
        (request("GET", "/v1/sessions", None, "X-A: b"), "no-authorization"),
        (request("GET", "/v1/sessions", None, "Authorization: Bearer rcr_abc"), "not-an-access-token"),
        (request("GET", "/v1/sessions?token=rca_abc"), "credential-in-url"),
        (request("GET", "/v1/sessions/s1/novel"), "unknown-path"),
        (request("POST", "/v1/sessions/s1/outbox", {**OUTBOX, "items": OUTBOX["items"][::-1]}), "gap-in-numbers"),
        (request("POST", "/v1/sessions/s1/outbox", {"epoch": 1, "items": []}), "missing-heard_s"),
        (request("POST", "/v1/sessions/s1/outbox", {**OUTBOX, "beat": "1"}), "mistyped-beat"),
        (request("POST", "/v1/sessions/s1/messages", {"id": "m1", "body": {}}), "missing-msg_id"),
        (request("POST", "/v1/sessions/s1/decisions", {"msg_id": "m", "request": "r", "option": "o", "digest": "x"}), "mistyped-digest"),
    ],
)  # fmt: skip
def test_a_request_that_breaks_the_page_is_noticed(raw, form):
    assert form in forms(tapped([("out", raw)]))


@pytest.mark.parametrize(
    ("raw", "form"),
    [
        (answer(200, {"seq": 1}), "missing-upto"),
        (answer(200, {"upto": -1, "seq": 1}), "mistyped-upto"),
        (answer(409, {"type": "about:blank"}, "application/problem+json"), "foreign-problem"),
        (answer(409, {"type": "urn:relayproof:x", "status": 400}, "application/problem+json"), "mistyped-status"),
        (answer(200, {"upto": 1, "seq": 1}).replace(b"no-store", b"private!"), "cacheable"),
    ],
)
def test_an_answer_that_breaks_the_page_is_noticed(raw, form):
    assert form in forms(tapped([("out", request("POST", "/v1/sessions/s1/outbox", OUTBOX)), ("in", raw)]))


def test_a_refusal_is_read_by_its_type_and_a_middlebox_is_not_heard():
    problem = answer(401, {"type": "urn:relayproof:token-expired", "status": 401}, "application/problem+json")
    html = answer(403, "blocked", "text/html")
    ask = ("out", request("GET", "/v1/sessions"))
    events = tapped([ask, ("in", problem), ask, ("in", html)])
    assert [event.data["problem"] for event in events if event.what == "response"] == ["token-expired", ""]
    assert [event.t for event in events if event.what == "heard"] == [1.0]
    assert forms(events) == []


def test_when_to_come_back_is_read_where_the_relay_says_it():
    problem = answer(429, {"type": "urn:relayproof:rate-limited", "status": 429}, "application/problem+json")
    told = problem.replace(b"\r\n", b"\r\nRetry-After: 2\r\n", 1)
    dated = problem.replace(b"\r\n", b"\r\nRetry-After: Fri, 27 Nov 2026 00:00:00 GMT\r\n", 1)
    foreign = answer(503, "busy", "text/html").replace(b"\r\n", b"\r\nRetry-After: 2\r\n", 1)
    ask = ("out", request("GET", "/v1/sessions"))
    events = tapped([ask, ("in", told), ask, ("in", dated), ask, ("in", foreign)])
    assert [e.data.get("retry_after_s") for e in events if e.what == "response"] == [2, None, None]


def test_no_credential_is_kept():
    token = answer(200, {"access_token": "rca_secret1", "token_type": "Bearer", "expires_in": 600, "scope": "x"})
    ask = (
        request("POST", "/v1/token", None, "A: b").replace(b"Content-Length: 0", b"Content-Length: 11") + b"rcr_secret2"
    )
    assert "secret" not in repr(tapped([("out", ask), ("in", token)]))


def test_gzip_is_read():
    raw = gzip.compress(json.dumps({"upto": 2, "seq": 3}).encode())
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n"
        f"Content-Encoding: gzip\r\nContent-Length: {len(raw)}\r\n\r\n"
    )
    events = tapped([("out", request("POST", "/v1/sessions/s1/outbox", OUTBOX)), ("in", head.encode() + raw)])
    assert forms(events) == []
    assert events[-3].data.get("upto", events[1].data.get("upto")) == 2


CANARY = "Cenv-0123456789abcdef01234567"


@pytest.mark.parametrize(
    "carried",
    [
        CANARY,
        CANARY.encode().hex(),
        base64.b64encode(CANARY.encode()).decode(),
        base64.b64encode(b"x" + CANARY.encode()).decode(),
        base64.b64encode(b"xy" + CANARY.encode() + b"z").decode(),
        "".join(f"%{ord(c):02X}" for c in CANARY),
        "".join(f"\\u{ord(c):04x}" for c in CANARY),
    ],
    ids=["plain", "hex", "base64", "base64+1", "base64+2", "percent", "json"],
)
def test_a_canary_is_found_in_any_spelling(carried):
    raw = b"POST /v1/x HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(carried), carried.encode())
    halves = [("out", raw[:60]), ("out", raw[60:])]
    found = [event.data for event in tapped(halves, {"env": CANARY, "files": ["Cfiles-aaaaaaaaaaaaaaaaaaaaaaaa"]})]
    assert [data["canaries"] for data in found if data.get("direction") == "out"] == [["env"]]


def test_a_canary_cut_by_chunked_coding_is_found():
    body = f"5\r\n{CANARY[:5]}\r\n{len(CANARY) - 5:x}\r\n{CANARY[5:]}\r\n0\r\n\r\n"
    raw = f"POST /v1/x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{body}".encode()
    carried = [event.data for event in tapped([("out", raw)], {"env": [CANARY]}) if event.what == "carried"]
    assert carried[0]["canaries"] == ["env"]


def test_the_end_of_a_connection_ends_its_stream():
    half = stream(STREAM.split("event: bye")[0])[: -len(b"\r\n0\r\n\r\n")]
    events = tapped([("out", request("GET", "/v1/sessions/s1/inbox")), ("in", half), ("in", b"")])
    assert [event.t for event in events if event.what == "stream.ended"] == [2.0]
    assert not any(event.data["open"] for event in events if event.what == "carried")
