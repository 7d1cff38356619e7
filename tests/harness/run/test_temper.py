import pytest

from harness.base.verdict import Verdict
from tests.harness.checks.made import event, expects, shows
from tests.harness.run.judged import RUN, SEES, STOP, judged, use_proven, without


@pytest.fixture(autouse=True)
def _fault(monkeypatch):
    use_proven(monkeypatch)


def test_a_violation_stays_one_without_evidence_but_not_with_faults_off():
    twice = [*without("bitten"), shows(14, "one")]
    assert judged(twice).verdict is Verdict.FAIL
    assert judged(twice, faults_off=True).verdict is Verdict.INCONCLUSIVE


def test_what_was_seen_before_a_stop_still_fails():
    assert judged([*RUN, shows(13.5, "one"), STOP]).requirements["RC-OUT-001.catches-up"] is Verdict.FAIL


def test_what_is_missing_where_the_story_needed_more_time_is_not_known_but_what_was_seen_is():
    back = event(16, "harness", "story", "given_back", stood_s=9.0)
    assert judged(without("shown")).verdict is Verdict.FAIL
    assert judged([*without("shown"), back]).verdict is Verdict.INCONCLUSIVE
    assert judged([*RUN, shows(14, "one"), back]).verdict is Verdict.FAIL


BLIND = without("heard", "request")
STAYS = expects("host", "exits", "cleanly", times=0)
ENDS = expects("host", "exits", "cleanly")


@pytest.mark.parametrize(
    ("events", "entry", "verdict"),
    [
        ([*BLIND, event(14, "host", "os", "process.exited", code=1)], STAYS, Verdict.FAIL),
        (BLIND, ENDS, Verdict.INCONCLUSIVE),
        (RUN, ENDS, Verdict.FAIL),
        ([*BLIND, shows(14, "one")], SEES, Verdict.FAIL),
    ],
    ids=["seen by the system", "rests on what went by the tap", "nothing went by", "somebody else's traffic"],
)
def test_what_a_blind_tap_leaves_of_a_violation(events, entry, verdict):
    assert judged(events, expectations=(entry,)).verdict is verdict


OFF = event(11, "phone", "saw", "clock.differs", clock="monotonic_s", went_s=1.0, must_s=[60.0, 60.1])


@pytest.mark.parametrize("more", [[], [shows(14, "one")]], ids=["what passed", "what failed"])
def test_where_a_clock_went_its_own_way_nothing_is_known(more):
    found = judged([*RUN, OFF, *more])
    assert found.verdict is Verdict.INCONCLUSIVE
    assert {one.verdict for one in found.findings}.isdisjoint({Verdict.PASS, Verdict.FAIL})
    assert found.first_failure.message.startswith(
        "phone's monotonic_s went 1.0 s where it had to go [60.0, 60.1] s, 1 times so"
    )


@pytest.mark.parametrize(
    ("data", "verdict"),
    [
        ({"asked": 9, "compared": 8, "hurried": True}, Verdict.PASS),
        ({"asked": 9, "compared": 0, "hurried": True}, Verdict.INCONCLUSIVE),
        ({"asked": 9, "compared": 0, "hurried": False}, Verdict.PASS),
        ({"asked": 1, "compared": 0, "hurried": True}, Verdict.PASS),
        ({"asked": 1, "compared": 0, "hurried": True, "refuses": True}, Verdict.INCONCLUSIVE),
        ({"asked": 1, "compared": 0, "hurried": False, "refuses": True}, Verdict.PASS),
    ],
)
def test_who_was_hurried_must_have_been_compared(data, verdict):
    assert judged([*RUN, event(15, "phone", "saw", "clock.compared", **data)]).verdict is verdict


def test_a_clock_that_nobody_read_excuses_nothing():
    unread = event(15, "phone", "saw", "clock.compared", asked=9, compared=0, hurried=True)
    assert judged([*RUN, shows(14, "one"), unread]).verdict is Verdict.FAIL


def test_what_could_not_be_assessed_is_inconclusive():
    stop = event(0, "harness", "story", "failed", step="setup", why="a Go program", code="not-assessable")
    found = judged([stop])
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "a Go program" in [one.message for one in found.findings if one.code == "not-assessable"]


def test_whoever_breaks_the_contract_fails():
    broke = event(15, "phone", "os", "process.broke_contract", why="a line that is not JSON: b'Welcome!'")
    found = judged([*RUN, broke])
    assert found.verdict is Verdict.FAIL
    assert ("broke-contract", "phone: a line that is not JSON: b'Welcome!'") in [
        (one.code, one.message) for one in found.findings
    ]
