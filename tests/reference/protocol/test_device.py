import itertools
import json

import pytest

from reference.protocol import client_io
from reference.protocol.client import ProtocolError
from reference.protocol.client_io import (
    Answered,
    Call,
    CallFailed,
    DropStream,
    OpenStream,
    Reply,
    StreamBytes,
    StreamEnded,
    StreamOpened,
    StreamSent,
    Tell,
    Tick,
)
from reference.protocol.device import DeviceMachine
from reference.protocol.device_io import Attach, Decide, Detach, List, Rename, Send, Start, Stop
from reference.protocol.device_state import HANDLERS, IGNORED, Phase
from tests.reference.protocol.client_playbook import PROBLEM, Playbook, of, sse

ONLINE = {"state": "online", "reason": None, "since": 1.0}
REQUEST = {
    "request": "q1-1",
    "digest": "d" * 64,
    "toolCall": {"title": "rm -rf build"},
    "options": [{"optionId": "allow"}],
}


def hello(**changed):
    body = {
        "session": "s1",
        "epoch": 1,
        "seq": 0,
        "first": 1,
        "presence": ONLINE,
        "title": "t",
        "gap": False,
        "pending": [],
    }
    return sse("hello", body | changed)


def entry(seq, kind="update", body=None, author="host", msg_id=None):
    body = body or {"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": f"line {seq}"}}
    data = {
        "session": "s1",
        "epoch": 1,
        "seq": seq,
        "author": author,
        "msg_id": msg_id or f"h{seq}",
        "at": 0,
        "kind": kind,
        "body": body,
    }
    return sse("entry", data, seq)


class DeviceBook(Playbook):
    def __init__(self, **options):
        super().__init__(DeviceMachine, **options)
        self.relay["sessions"] = lambda _: (200, {"sessions": [{"session": "s1"}]})

    def attached(self, *events, renew=True):
        told = self.give(Start(1, "rcr_x", renew))
        told += self.give(Attach(2, "s1"))
        told += self.opens()
        return told + self.reads(hello(), *events)

    def told(self, event):
        return [effect.data for effect in of(Tell, self.effects) if effect.event == event]

    def stores(self, seq):
        return lambda _: (202, {"seq": seq, "stage": "relay_stored", "host": ONLINE})


@pytest.fixture
def book():
    return DeviceBook()


def test_it_lists_attaches_and_shows_in_order(book):
    book.attached(entry(1), entry(2))
    told = book.give(List(3))
    assert of(Reply, told) == [Reply(3, {"sessions": [{"session": "s1"}]})]
    assert [shown["text"] for shown in book.told("shown")] == ["line 1", "line 2"]
    assert book.told("presence") == [
        {"state": "connecting", "reason": "this device has no connection", "since": None},
        ONLINE,
    ]
    assert book.told("stream") == [{"state": "open", "reason": ""}]


def test_every_entry_is_shown_once_whatever_comes_twice(book):
    book.attached(entry(1), entry(2))
    book.give(StreamEnded(book.machine.live.id, "reset"))
    book.passes(3.0)
    assert ("Last-Event-ID", "2") in book.last(OpenStream).headers
    book.opens()
    book.reads(hello(seq=3), entry(2), entry(3))
    assert [shown["seq"] for shown in book.told("shown")] == [1, 2, 3]


def test_a_hole_is_never_skipped_in_silence(book):
    book.attached(entry(1))
    told = book.reads(entry(3))
    assert of(DropStream, told)
    assert [shown["seq"] for shown in book.told("shown")] == [1]


def test_a_gap_is_told(book):
    book.attached(entry(1))
    book.reads(hello(seq=90, first=50, gap=True, pending=[REQUEST]), entry(50))
    assert book.told("gap") == [{"first": 50}]
    assert [shown["seq"] for shown in book.told("shown")] == [1, 50]
    assert book.told("approval")[-1]["state"] == "pending"


def test_a_message_reaches_its_stages_and_never_goes_back(book):
    book.attached()
    book.relay["messages"] = book.stores(1)
    told = book.give(Send(3, "hi", "m-1"))
    assert of(Reply, told)[0].ok["stage"] == "relay_stored"
    body = {"prompt": [{"type": "text", "text": "hi"}]}
    receipt = lambda seq, stage: entry(seq, "receipt", {"of": 1, "stage": stage, "reason": None})  # noqa: E731 - shorter than a def
    book.reads(
        entry(1, "prompt", body, "phone", "m-1"),
        receipt(2, "host_received"),
        receipt(3, "host_applied"),
        receipt(4, "host_received"),
    )
    assert [event["stage"] for event in book.told("message")] == [
        "pending",
        "relay_stored",
        "host_received",
        "host_applied",
    ]


def test_a_send_is_retried_under_one_msg_id_until_it_is_answered(book):
    book.attached()
    book.give(Send(3, "hi"))
    assert book.machine.screen()["unsent"]
    for _ in range(4):
        told = book.fails()
        assert not of(Reply, told)
        told = book.beats(31.0, 10.0)
    sends = [call for call in book.calls if call.path.endswith("messages")]
    assert len(sends) >= 4
    assert len({json.loads(call.body)["msg_id"] for call in sends}) == 1
    book.relay["messages"] = book.stores(1)
    told = book.fails() + book.beats(31.0, 10.0)
    assert len(of(Reply, told)) == 1
    assert not book.machine.screen()["unsent"]


def test_sends_keep_their_order(book):
    book.attached()
    book.give(Send(3, "a"))
    book.give(Send(4, "b"))
    assert len([call for call in book.calls if call.path.endswith("messages")]) == 1


def test_a_refused_send_has_failed_visibly(book):
    book.attached()
    book.relay["messages"] = book.refuses("session-ended")
    told = book.give(Send(3, "hi", "m"))
    assert of(Reply, told)[0].err["code"] == "session-ended"
    assert book.told("message")[-1] == {"msg_id": "m", "stage": "failed"}


def test_a_question_is_pending_until_somebody_decides(book):
    book.attached(entry(1, "permission_request", REQUEST))
    book.relay["decisions"] = lambda _: (200, {"seq": 2, "stage": "relay_stored", "host": ONLINE})
    book.give(Decide(3, "q1-1", "allow"))
    assert json.loads(book.calls[-1].body)["digest"] == REQUEST["digest"]
    assert [event["state"] for event in book.told("approval")] == ["pending"]
    book.reads(entry(2, "permission_decision", {"request": "q1-1", "option": "allow", "digest": "d"}, "tablet", "x"))
    assert book.told("approval")[-1] == {
        "request": "q1-1",
        "state": "resolved",
        "tool": "rm -rf build",
        "option": "allow",
        "by": "tablet",
    }


def test_a_decision_may_name_another_digest_than_was_shown(book):
    book.attached(entry(1, "permission_request", REQUEST))
    book.relay["decisions"] = book.refuses("digest-mismatch")
    told = book.give(Decide(3, "q1-1", "allow", "e" * 64))
    assert json.loads(book.calls[-1].body)["digest"] == "e" * 64
    assert of(Reply, told)[0].err["code"] == "digest-mismatch"


def test_a_withdrawn_question_disappears(book):
    book.attached(
        entry(1, "permission_request", REQUEST),
        entry(2, "permission_withdrawn", {"request": "q1-1", "reason": "agent"}),
    )
    assert [event["state"] for event in book.told("approval")] == ["pending", "withdrawn"]
    assert book.machine.screen()["pending"] == []


def test_nobody_decides_what_was_never_shown(book):
    book.attached()
    told = book.give(Decide(3, "q9-9", "allow"))
    assert of(Reply, told)[0].err["code"] == "unknown-request"
    assert not of(Call, told)


def test_a_late_decision_is_told_so(book):
    book.attached(entry(1, "permission_request", REQUEST))
    book.relay["decisions"] = book.refuses("already-resolved")
    assert of(Reply, book.give(Decide(3, "q1-1", "allow")))[0].err["code"] == "already-resolved"


def test_presence_is_never_stale(book):
    book.attached()
    assert book.machine.presence == ONLINE
    book.passes(31.0)
    assert book.machine.presence["state"] == "connecting"
    assert book.told("stream")[-1]["state"] == "closed"
    book.passes(1.1)
    book.opens()
    book.reads(hello())
    assert book.machine.presence == ONLINE


def test_an_ended_session_stays_ended(book):
    book.attached()
    ended = {"state": "ended", "reason": "owner", "since": 2.0}
    book.reads(sse("presence", ended), sse("bye", {"reason": "ended"}))
    assert not of(OpenStream, book.passes(200.0))
    assert book.machine.presence == ended


def test_renewal_makes_before_it_breaks(book):
    book.attached()
    told = []
    while not of(OpenStream, told):
        told = book.beats(15.0)
    book.opens()
    book.reads(hello())
    assert [event["state"] for event in book.told("stream")] == ["open"]


def tokens_asked(book):
    return len([call for call in book.calls if call.path.endswith("token")])


def test_what_does_not_renew_is_refused_by_the_relay_and_shown_so(book):
    book.attached(renew=False)
    book.beats(700.0)
    assert tokens_asked(book) == 2
    book.reads(sse("bye", {"reason": "token-expired"}))
    assert book.told("stream")[-1] == {"state": "closed", "reason": "token-expired"}
    book.passes(1.1)
    refused = book.refuses("token-expired")(None)
    answer = StreamOpened(
        book.last(OpenStream).stream, 401, {"content-type": "application/problem+json"}, json.dumps(refused[1]).encode()
    )
    book.give(answer)
    assert not of(OpenStream, book.passes(100.0))
    book.relay["messages"] = book.refuses("token-expired")
    assert of(Reply, book.give(Send(5, "knock")))[0].err["code"] == "token-expired"
    told = book.give(Attach(6, "s1"))
    told += book.give(StreamOpened(book.last(OpenStream).stream, answer.status, answer.headers, answer.body))
    assert of(Reply, told)[-1].err["code"] == "token-expired"


def test_an_enrolment_that_is_gone_is_told_to_whoever_waits(book):
    book.relay["token"] = book.refuses("token-revoked")
    assert of(Reply, book.give(Start(1, "rcr_x")))[0].err["code"] == "token-revoked"


def test_an_enrolment_that_is_gone_is_not_asked_again_while_its_token_lives(book):
    book.attached()
    book.relay["token"] = book.refuses("token-expired")
    asked = tokens_asked(book)
    book.beats(590.0)
    assert tokens_asked(book) == asked + 1


def test_the_last_token_serves_a_live_stream_until_the_relay_closes_it(book):
    book.attached()
    book.relay["token"] = book.refuses("token-expired")
    asked = tokens_asked(book)
    book.beats(700.0)
    assert tokens_asked(book) == asked + 1
    book.reads(sse("bye", {"reason": "token-expired"}))
    book.passes(1.1)
    assert tokens_asked(book) == asked + 2
    assert book.told("stream")[-1] == {"state": "closed", "reason": "token-expired"}


INPUTS = {
    Tick: Tick(),
    Answered: Answered(99, 200, {}, b""),
    CallFailed: CallFailed(99, ""),
    StreamSent: StreamSent(99),
    StreamOpened: StreamOpened(99, 200, {}),
    StreamBytes: StreamBytes(99, b""),
    StreamEnded: StreamEnded(99),
    Start: Start(9, "c"),
    List: List(9),
    Attach: Attach(9, "s1"),
    Detach: Detach(9),
    Send: Send(9, "t"),
    Decide: Decide(9, "q", "o"),
    Rename: Rename(9, "t"),
    Stop: Stop(9),
}


def in_phase(phase):
    book = DeviceBook()
    if phase is Phase.READY:
        book.give(Start(1, "rcr_x"))
    elif phase is not Phase.IDLE:
        book.attached()
    if phase is Phase.OVER:
        book.give(Stop(2))
    assert book.machine.phase is phase
    return book


@pytest.mark.parametrize(("phase", "kind"), list(itertools.product(Phase, INPUTS)))
def test_every_input_in_every_phase_is_in_the_table_or_ignored_by_name_or_an_error(phase, kind):
    book = in_phase(phase)
    pair = (phase, kind)
    assert not (pair in HANDLERS and pair in IGNORED)
    if pair in HANDLERS or pair in IGNORED:
        book.give(INPUTS[kind])
    else:
        with pytest.raises(ProtocolError):
            book.give(INPUTS[kind])


def test_the_table_names_methods_that_exist():
    assert all(callable(getattr(DeviceMachine, name)) for name in HANDLERS.values())
    assert {kind for _, kind in HANDLERS} | {Tick} == set(INPUTS)
    assert client_io.Tick in INPUTS


def test_who_is_told_that_it_asks_too_often_comes_back_no_earlier_and_loses_nothing():
    book = DeviceBook()
    book.attached()
    book.relay.pop("messages", None)
    book.give(Send(7, "hi"))
    call = book.calls[-1]
    assert call.path.endswith("/messages")
    body = {"type": "urn:relayproof:rate-limited", "title": "no"}
    refused = Answered(call.call, 429, {**PROBLEM, "retry-after": "5"}, json.dumps(body).encode())
    told = [*book.give(refused), *book.beats(4.9, every_s=4.9)]
    assert not of(Reply, told)
    assert not [one for one in of(Call, told) if one.path == call.path]
    again = [one for one in of(Call, book.beats(5.0, every_s=2.0)) if one.path == call.path]
    assert [one.body for one in again] == [call.body]
