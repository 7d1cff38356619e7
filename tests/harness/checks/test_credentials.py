import pytest

from harness.base.verdict import Verdict
from harness.checks.credentials import answer, stream
from harness.history.plan import Actor, Step
from tests.harness.checks.made import case, event, expects, hears, hello, moment, response, sends

EXPIRED = {"code": "token-expired"}
REFUSED = [*sends(10, "go", "fail", **EXPIRED), response(10.05, 401, "token-expired")]
ACCEPTED = [*sends(10, "go", seq=1), response(10.05, 202)]
ON_TRIAL = (Actor("host", "host", "reference"), Actor("phone", "device", "sut"))


def answered(events, value, **fields):
    cast = {"cast": fields.pop("cast")} if "cast" in fields else {}
    return answer(case(events, **cast), expects("phone", "answer", value, **fields))


@pytest.mark.parametrize(
    ("events", "value", "code"),
    [
        (ACCEPTED, "accepted", ""),
        (REFUSED, "token-expired", ""),
        (REFUSED, "accepted", "refused"),
        (ACCEPTED, "token-expired", "accepted"),
        (REFUSED, "token-revoked", "wrong-code"),
        (sends(10, "go", "info", code="deadline"), "accepted", "no-answer"),
        ([], "accepted", "never-tried"),
    ],
)
def test_answer(events, value, code):
    finding = answered(events, value)
    assert finding.code == code
    assert (finding.verdict is Verdict.PASS) == (code == "")


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"code": "deadline"}, "no-answer"),
        ({"code": "deadline", "stood_s": 14.9}, "no-answer"),
        ({"code": "deadline", "stood_s": 15.0}, "not-assessable"),
        ({"code": "deadline", "stood_s": "much"}, "no-answer"),
        ({"code": "storage-failed", "stood_s": 15.0}, "no-answer"),
    ],
    ids=["quiet", "for less", "a quarter of it", "nonsense", "answered"],
)
def test_no_answer_shows_nothing_where_the_machine_stood(told, code):
    waited = [event(10, "phone", "invoke", "send", op=1, text="go"), event(70, "phone", "info", "send", op=1, **told)]
    assert answered(waited, "accepted").code == code


def test_a_refusal_leaves_nothing_behind():
    assert answered(REFUSED, "token-expired", no_effects=True).verdict is Verdict.PASS
    assert answered([*REFUSED, hears(11, "go")], "token-expired", no_effects=True).code == "refused-with-effect"


def test_a_device_on_trial_is_not_believed_without_the_wire():
    assert answered(REFUSED, "token-expired", cast=ON_TRIAL).verdict is Verdict.PASS
    assert answered(REFUSED[:2], "token-expired", cast=ON_TRIAL).code == "answer-not-on-wire"


def test_set_up_is_no_door():
    listing = [event(1, "phone", kind, "list", op=1, step="setup.phone.start") for kind in ("invoke", "ok")]
    assert answered(listing, "accepted").code == "never-tried"


def test_a_story_that_stopped_before_the_last_door_leaves_the_answer_open():
    stopped = event(20, "harness", "story", "failed", step="story.2", why="it is gone", code="control")
    done = event(11, "phone", "story", "done", step="story.1")
    doors = tuple(Step(f"story.{n}", 3, "verb", "phone", "sends", {"value": "go"}) for n in (1, 2))
    wanted = expects("phone", "answer", "token-expired")
    assert answer(case([*ACCEPTED, done, stopped], story=doors), wanted).code == "never-tried"
    assert answer(case([*ACCEPTED, done, stopped], story=doors[:1]), wanted).code == "accepted"


DONE = event(50, "phone", "story", "done", step="story.1")
EXPIRY = moment(60, "token.expiry")


def closed(t):
    return event(t, "phone", "wire", "stream.ended", conn=5, stream="events")


def heartbeat(t):
    return event(t, "phone", "wire", "heartbeat", conn=5, stream="events")


@pytest.mark.parametrize(
    ("events", "value", "code"),
    [
        ([hello(1)], "open", ""),
        ([hello(1), closed(55)], "open", ""),
        ([hello(1), closed(40)], "open", "stream-closed"),
        ([hello(1), closed(60.2)], "closed", ""),
        ([hello(1)], "closed", "stream-open"),
        ([hello(1), heartbeat(75)], "closed", "stream-outlived"),
        ([hello(1), closed(75)], "closed", "closed-late"),
        ([hello(1), closed(40)], "closed", "closed-early"),
        ([], "closed", "never-opened"),
    ],
)
def test_stream(events, value, code):
    within = {"within_s": 10.0, "of": "token.expiry"} if value == "closed" else {}
    finding = stream(case([*events, DONE, EXPIRY], ended_at=90), expects("phone", "stream", value, **within))
    assert finding.code == code
    assert (finding.verdict is Verdict.PASS) == (code == "")
