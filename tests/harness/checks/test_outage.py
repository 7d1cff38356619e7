import pytest

from harness.base.verdict import Verdict
from harness.checks.outage import exits, process
from tests.harness.checks.made import case, event, exited, expects, heard_relay, moment, started

HEARD = [started(), heard_relay(10.0), heard_relay(100.0)]
ABOUT = "about outage_limit"


def judge(events, value=ABOUT, ended_at=None, **fields):
    return exits(case(events, ended_at=ended_at), expects("host", "exits", value, since="last_heard", **fields))


@pytest.mark.parametrize(("exit_at", "code"), [(100 + 593.9, "exited-early"), (100 + 611.1, "exited-late")])
def test_an_exit_out_of_the_band_fails(exit_at, code):
    finding = judge([*HEARD, exited(exit_at, 75)])
    assert (finding.verdict, finding.code) == (Verdict.FAIL, code)


@pytest.mark.parametrize("exit_at", [694.1, 700.0, 710.9])
def test_an_exit_about_the_limit_passes(exit_at):
    finding = judge([*HEARD, exited(exit_at, 75)])
    assert finding.verdict is Verdict.PASS
    assert len(finding.events) == 2


def test_sleep_does_not_count():
    asleep = [event(200, "host", "os", "machine.suspended"), event(3800, "host", "os", "machine.resumed", slept_s=3600)]
    assert judge([*HEARD, *asleep, exited(700 + 3600, 75)]).verdict is Verdict.PASS
    assert judge([*HEARD, *asleep, exited(3810, 75)]).code == "exited-early"


def test_no_exit_after_the_limit_fails_and_below_it_proves_nothing():
    assert judge(HEARD, ended_at=800).code == "did-not-exit"
    finding = judge(HEARD, ended_at=500)
    assert (finding.verdict, finding.code) == (Verdict.INCONCLUSIVE, "limit-not-reached")


@pytest.mark.parametrize("code", [0, 1, None])
def test_the_exit_code_counts(code):
    assert judge([*HEARD, exited(700, code)]).code == "wrong-exit-code"


def test_a_declared_exit_code_is_accepted():
    hello = event(0, "host", "story", "hello", claims={"exit_codes": {ABOUT: 3}})
    assert judge([*HEARD, hello, exited(700, 3)]).verdict is Verdict.PASS


def test_without_the_wire_nobody_knows():
    assert judge([started(), exited(700, 75)]).code == "never-heard"
    assert judge([]).code == "never-started"


@pytest.mark.parametrize(
    ("events", "fields", "code"),
    [
        ([started(), exited(20, 0)], {"value": "cleanly"}, ""),
        ([started(), exited(20, 77)], {"value": "gated"}, ""),
        ([started(), exited(20, 9)], {"value": "any"}, ""),
        ([started(), exited(20, 1)], {"value": "cleanly"}, "wrong-exit-code"),
        (
            [started(), moment(10, "heal"), exited(20, 0)],
            {"value": "any", "within_s": 5.0, "of": "heal"},
            "exited-late",
        ),
        (
            [started(), moment(30, "heal"), exited(20, 0)],
            {"value": "any", "within_s": 5.0, "of": "heal"},
            "exited-early",
        ),
        ([started()], {"value": "any"}, "did-not-exit"),
        ([started(), exited(20, 0)], {"value": "any", "times": 0}, "exited"),
        ([started()], {"value": "any", "times": 0}, ""),
    ],
)
def test_other_ends(events, fields, code):
    assert judge(events, **fields).code == code


@pytest.mark.parametrize(
    ("events", "value", "code"),
    [
        ([started()], "same as before", ""),
        ([started()], "running", ""),
        ([started(), exited(5, 0)], "ended", ""),
        ([started(), exited(5, 0), started(6)], "running", ""),
        ([started(), exited(5, 0)], "same as before", "exited"),
        ([started(), exited(5, 0), started(6)], "same as before", "restarted"),
        ([started()], "ended", "still-running"),
        ([], "running", "never-started"),
    ],
)
def test_process(events, value, code):
    finding = process(case(events), expects("host", "process", value))
    assert finding.code == code
    assert (finding.verdict is Verdict.PASS) == (code == "")
