import pytest

from harness.sut.contract import PROBE_VERB
from harness.worlds.pace import SETUP_DEADLINE_S
from tests.harness.worlds.cardboard import Cardboard, failed, walk


def test_the_relay_starts_first_and_who_it_knows_has_a_credential():
    stage = walk()
    assert failed(stage) == []
    assert [actor for actor, verb in stage.asked if verb == "start"] == ["relay", "host", "phone"]
    assert stage.asked.index(("phone", "attach")) > stage.asked.index(("host", "start"))
    assert stage.kept == {"host": "rcr_secret", "phone": "rcr_secret"}


def test_no_credential_reaches_the_history():
    assert "rcr_secret" not in repr(walk().events)


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ({PROBE_VERB: {"ok": {}}}, "untrusted-adapter"),
        ({PROBE_VERB: None}, "untrusted-adapter"),
        ({"start": {"err": {"code": "bad-args"}}}, "no-start"),
        ({"start": None}, "no-start"),
        ({"hello": {"err": {"code": "network"}}}, "setup"),
        ({"list": {"ok": {"sessions": []}}}, "not-listed"),
    ],
)
def test_a_role_that_cannot_be_set_up_ends_the_story(answers, code):
    (told,) = failed(walk(stage=Cardboard(**answers)))
    assert told["code"] == code
    assert told.get("waited_s") == (SETUP_DEADLINE_S if None in answers.values() else None)


def test_a_refused_start_that_was_meant_is_no_failure():
    stage = Cardboard(start={"err": {"code": "plan-required"}}, list={"ok": {"sessions": [{"session": ""}]}})
    given = {name: {"account": {"plan": "free"}} for name in ("host", "relay", "phone")}
    assert failed(walk(stage=stage, given=given)) == []
