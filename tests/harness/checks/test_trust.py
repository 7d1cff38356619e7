import pytest

from harness.base.verdict import Verdict
from harness.checks.trust import verifies_peer
from tests.harness.checks.made import case, event


def shows(conn, how):
    return event(1, "relay", "os", "certificate.shown", conn=conn, how=how)


def inspects(conn, ca):
    return event(1, "host", "os", "middlebox.inspected", conn=conn, ca=ca)


def request(conn):
    return event(2, "host", "wire", "request", conn=conn, method="POST", path="/v1/token")


@pytest.mark.parametrize(
    ("events", "verdict"),
    [
        ([shows(1, "good"), request(1)], Verdict.NOT_APPLICABLE),
        ([shows(1, "expired"), shows(2, "good"), request(2)], Verdict.PASS),
        ([inspects(1, "untrusted"), inspects(2, "trusted"), request(2)], Verdict.PASS),
        ([shows(1, "expired"), request(1)], Verdict.FAIL),
        ([shows(1, "expired"), shows(2, "unknown"), request(2)], Verdict.PASS),
        ([inspects(1, "untrusted"), request(1)], Verdict.FAIL),
    ],
)
def test_a_bad_certificate_gets_no_request(events, verdict):
    (finding,) = verifies_peer(case(events))
    assert finding.verdict is verdict
    assert finding.code == ("trusted-a-stranger" if verdict is Verdict.FAIL else "")


def test_a_certificate_that_nobody_knows_convicts_nobody_and_proves_nothing():
    (finding,) = verifies_peer(case([shows(1, "unknown"), shows(2, "good"), request(1)]))
    assert (finding.verdict, finding.code) == (Verdict.INCONCLUSIVE, "unknown-certificate")
