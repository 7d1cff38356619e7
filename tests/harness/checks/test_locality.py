import pytest

from harness.base.verdict import Verdict
from harness.checks.locality import carries, stays_local
from tests.harness.checks.made import case, entry, event, expects, says

GIVEN = {"host": {"secrets_in": ["env"]}}
SPOKEN = [says(1, "one"), entry(2, 1, "one")]


def total(*classes, size=30_000):
    return event(9, "host", "wire", "carried", conn=1, direction="out", bytes=size, canaries=list(classes), open=False)


@pytest.mark.parametrize(
    ("events", "given", "code"),
    [
        ([*SPOKEN, total()], GIVEN, ""),
        ([total("public")], GIVEN, ""),
        ([*SPOKEN, total("env")], GIVEN, "carries-secret"),
        ([*SPOKEN, total(size=100)], GIVEN, "too-few"),
        ([*SPOKEN, total()], {}, "nothing-planted"),
        ([says(1, "one"), total()], GIVEN, "no-control"),
    ],
)
def test_carries(events, given, code):
    entry_ = expects("wire", "carries", "no secret", at_least={"count": 20_000, "unit": "bytes"})
    finding = carries(case(events, given=given), entry_)
    assert finding.code == code
    assert (finding.verdict is Verdict.PASS) == (code == "")


def test_the_law_holds_wherever_secrets_are_planted():
    assert stays_local(case([*SPOKEN, total("env")], given=GIVEN))[0].code == "carries-secret"
    assert stays_local(case([*SPOKEN, total()], given=GIVEN))[0].verdict is Verdict.PASS
    assert stays_local(case([*SPOKEN, total()]))[0].verdict is Verdict.NOT_APPLICABLE
