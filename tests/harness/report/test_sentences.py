import pytest

from harness.history.events import Event
from harness.report.sentences import TEXT_MAX, bare, sentence
from tests.harness.report.sample import EVENTS


def test_small_talk_has_no_sentence_but_can_be_named():
    heartbeat = EVENTS[4]
    assert sentence(heartbeat) == ""
    assert bare(heartbeat) == "heartbeat on connection 3"


@pytest.mark.parametrize(
    ("kind", "what", "data", "words"),
    [
        ("os", "machine.resumed", {"slept_s": 28_800.0}, "wakes after 8h"),
        ("saw", "presence", {"state": "offline", "reason": "silent"}, "shows offline (silent)"),
        ("saw", "shown", {"kind": "permission_request"}, "sees permission_request"),
        ("fail", "send", {"code": "token-expired"}, "send refused: token-expired"),
        ("ok", "hello", {}, ""),
        ("fault", "began", {"name": "cut", "effect": False}, "cut begins (effect switched off)"),
        ("story", "failed", {"why": "nobody came"}, "the story ends here: nobody came"),
        (
            "story",
            "given_back",
            {"stood_s": 9.5},
            "the story goes on after the time that was meant: the machine stood 9.5 s",
        ),
    ],
)
def test_sentences(kind, what, data, words):
    assert sentence(Event(0, 0.0, "host", kind, what, data)) == words


ENTRY = {"conn": 5, "stream": "events", "event": "entry", "seq": 7, "epoch": 1, "kind": "prompt", "author": "phone"}


@pytest.mark.parametrize(
    ("what", "data", "words"),
    [
        ("frame", {**ENTRY, "text": "run it", "msg_id": "m1"}, "reads entry no. 7 prompt “run it” message m1"),
        ("frame", {"event": "hello", "conn": 5, "stream": "events"}, "reads hello"),
        ("frame", {**ENTRY, "kind": "decision", "request": "q1", "option": "allow"}, "reads entry no. 7 decision question q1 allow"),
        (
            "request",
            {"method": "POST", "path": "/v1/sessions/s_Br_Boy2GmRl3ar95xtVw0mBy/messages", "text": "hi", "msg_id": "m1"},
            "asks POST /v1/sessions/s_Br_B…/messages “hi” message m1",
        ),
        ("response", {"status": 401, "problem": "token-expired"}, "is answered 401 (token-expired)"),
        ("response", {"status": 200, "seq": 4, "stage": "relay_stored"}, "is answered 200 no. 4 relay_stored"),
        ("stream.ended", {"conn": 3, "stream": "inbox"}, "stream of inbox ends"),
        ("carried", {"conn": 3, "bytes": 9, "direction": "up", "canaries": ["env"]}, "connection 3 carried 9 bytes up, with secrets of env"),
        ("unheard-of", {"conn": 3, "more": []}, "wire unheard-of conn=3"),
    ],
)  # fmt: skip
def test_small_talk_says_what_a_person_needs(what, data, words):
    event = Event(0, 0.0, "phone", "wire", what, data)
    assert (sentence(event), bare(event)) == ("", words)


def test_a_long_text_is_shortened():
    words = sentence(Event(0, 0.0, "host", "os", "agent.said", {"text": "x" * 500}))
    assert len(words) == len("says “”") + TEXT_MAX
    assert words.endswith("x…”")
