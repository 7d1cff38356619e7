import pytest

from harness.sut.contract import INDEFINITE, Call


def answered(reply):
    call = Call("send", {"text": "one"})
    if reply is not None:
        call.answer(reply)
    return call


@pytest.mark.parametrize(
    ("reply", "outcome", "error"),
    [
        (None, "info", ""),
        ({"ok": {}}, "ok", ""),
        ({"err": {"code": "token-expired"}}, "fail", "token-expired"),
        ({"err": {}}, "fail", ""),
        *(({"err": {"code": code}}, "info", code) for code in sorted(INDEFINITE)),
    ],
)
def test_what_an_answer_means(reply, outcome, error):
    call = answered(reply)
    assert (call.outcome, call.error, call.done) == (outcome, error, reply is not None)


def test_only_the_first_answer_counts():
    call = answered({"ok": {"seq": 1}})
    call.answer({"err": {"code": "network"}})
    assert call.result == {"seq": 1}
    assert call.outcome == "ok"


def test_whoever_waits_is_told_once_however_early_he_asked():
    told = []
    call = Call("send", {})
    call.when_done(lambda: told.append("before"))
    call.answer({"ok": {}})
    call.answer({"ok": {}})
    call.when_done(lambda: told.append("after"))
    assert told == ["before", "after"]
