import pytest

from harness.base.verdict import Verdict
from harness.checks.session import device_shows, host_shows, listed, message, names_author, same_session, title
from tests.harness.checks.made import case, entry, event, expects, hears, moment, response, sends, started


def presence(t, state):
    return event(t, "phone", "saw", "presence", state=state)


STATES = [
    presence(0, "online"),
    presence(50, "offline"),
    presence(90, "online"),
    event(40, "host-relay", "fault", "began", id="f"),
    moment(80, "heal"),
]


@pytest.mark.parametrize(
    ("value", "fields", "code"),
    [
        ("online", {}, ""),
        ("offline", {}, "wrong-presence"),
        ("offline", {"within_s": 36.0, "of": "began"}, ""),
        ("offline", {"within_s": 5.0, "of": "began"}, "wrong-presence"),
        ("online", {"within_s": 5.0, "of": "heal"}, "wrong-presence"),
        ("online", {"within_s": 15.0, "of": "heal"}, ""),
        ("ended", {"times": 0}, ""),
        ("offline", {"times": 0}, "unexpected"),
    ],
)
def test_device_shows(value, fields, code):
    finding = device_shows(case(STATES, ended_at=120), expects("phone", "shows", value, **fields))
    assert finding.code == code
    assert (finding.verdict is Verdict.PASS) == (code == "")


@pytest.mark.parametrize(
    ("fields", "said", "observed"),
    [
        ({"within_s": 5.0, "of": "heal"}, "phone showed offline within 5s of heal, not online", ["offline"]),
        (
            {"within_s": 36.0, "of": "heal"},
            "phone showed offline, gone within 36s of heal, not online",
            ["offline", "gone"],
        ),
        ({}, "phone shows online, not ended", ["online"]),
    ],
)
def test_a_state_that_is_missing_in_a_span_is_set_beside_those_of_the_span(fields, said, observed):
    events = [*STATES[:2], presence(100, "gone"), presence(118, "online"), moment(80, "heal")]
    finding = device_shows(case(events, ended_at=120), expects("phone", "shows", said.split()[-1], **fields))
    assert (finding.message, finding.observed) == (said, observed)


def test_a_state_that_came_too_late_is_not_taken_for_one_of_the_span():
    events = [moment(80, "heal"), presence(100, "online")]
    finding = device_shows(case(events, ended_at=120), expects("phone", "shows", "online", within_s=5.0, of="heal"))
    assert finding.message == "phone showed nothing within 5s of heal, not online"
    assert finding.events


def screen(actor="host", **data):
    return event(9, actor, "ok", "screen", op=9, step="end", **data)


@pytest.mark.parametrize(
    ("events", "value", "code"),
    [
        ([screen(qr=True)], "qr", ""),
        ([screen(qr=False)], "qr", "wrong-status"),
        ([screen(qr=False)], "no qr", ""),
        ([screen(url="https://r/s1")], "url", ""),
        ([screen(url="")], "url", "wrong-status"),
        ([], "url", "no-screen"),
        ([event(1, "host", "saw", "status", state="online")], "online", ""),
        ([event(1, "host", "saw", "status", state="offline")], "online", "wrong-status"),
    ],
)
def test_host_shows(events, value, code):
    assert host_shows(case(events), expects("host", "shows", value)).code == code


def staged(t, stage):
    return event(t, "phone", "saw", "message", msg_id="m1", stage=stage)


SENT = sends(1, "go", msg_id="m1", seq=1, stage="relay_stored")


@pytest.mark.parametrize(
    ("events", "wanted", "code"),
    [
        ([*SENT, staged(2, "host_received"), staged(3, "host_applied"), hears(2.5, "go")], "host_applied", ""),
        (SENT, "relay_stored", ""),
        (SENT, "host_received", "stage-not-reached"),
        ([*SENT, staged(3, "host_applied")], "host_applied", "stage-lied"),
        ([*SENT, staged(3, "failed")], "failed", ""),
        ([], "failed", "never-said"),
    ],
)
def test_message(events, wanted, code):
    assert message(case(events), expects("phone", "message", {"of": "go", "reaches": wanted})).code == code


ROWS = [{"session": "s1", "title": "t", "presence": {"state": "online"}}]


@pytest.mark.parametrize(
    ("rows", "value", "code"),
    [
        (ROWS, {"sessions": 1, "title": "t", "presence": "online"}, ""),
        (ROWS, {"sessions": 2}, "wrong-list"),
        (ROWS, {"title": "u"}, "wrong-list"),
        (ROWS, {"presence": "offline"}, "wrong-list"),
    ],
)
def test_list(rows, value, code):
    events = [event(1, "phone", "ok", "list", op=1, sessions=rows)]
    assert listed(case(events), expects("phone", "list", value)).code == code


def test_title():
    events = [screen("phone", title="new")]
    assert title(case(events), expects("phone", "title", "new")).verdict is Verdict.PASS
    assert title(case(events), expects("phone", "title", "old")).code == "wrong-title"
    assert title(case([]), expects("phone", "title", "old")).code == "no-screen"


def registers(t, session="s1", epoch=1):
    return response(t, 200, actor="host", method="POST", path="/v1/sessions", session=session, epoch=epoch)


@pytest.mark.parametrize(
    ("events", "code"),
    [
        ([started(), registers(1), registers(2)], ""),
        ([started(), registers(1), started(5), registers(6, "s2", 2)], ""),
        ([started(), registers(1), registers(2, "s2")], "session-changed"),
        ([started(), registers(1), registers(2, "s1", 2)], "epoch-changed"),
    ],
)
def test_same_session(events, code):
    assert same_session(case(events))[0].code == code


def test_the_author_of_a_prompt_is_who_sent_it():
    sent = sends(10, "go", seq=1)
    assert names_author(case([*sent, entry(11, 1, "go", kind="prompt", author="phone")]))[0].verdict is Verdict.PASS
    wrong = names_author(case([*sent, entry(11, 1, "go", kind="prompt", author="tablet")]))[0]
    assert (wrong.verdict, wrong.code) == (Verdict.FAIL, "wrong-author")
    assert names_author(case([]))[0].verdict is Verdict.NOT_APPLICABLE
