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
