from harness.base.verdict import Verdict
from harness.checks.wire import token_not_in_url, well_formed
from tests.harness.checks.made import case, entry, event


def asks(*form):
    return event(1, "host", "wire", "request", conn=1, method="POST", path="/v1/sessions", form=list(form))


def test_all_as_the_page_says():
    (finding,) = well_formed(case([asks(), entry(2, 1, "x")]))
    assert (finding.verdict, finding.measured) == (Verdict.PASS, 2)


def test_a_violation_is_its_own_code():
    (finding,) = well_formed(case([asks(), asks("missing-seq"), asks("missing-seq", "mistyped-at")]))
    assert (finding.code, finding.observed) == ("missing-seq", {"missing-seq": 2, "mistyped-at": 1})


def test_a_credential_in_a_url_is_a_leak_and_not_bad_form():
    made = case([asks("credential-in-url")])
    assert well_formed(made)[0].verdict is Verdict.PASS
    assert token_not_in_url(made)[0].code == "credential-in-url"


def test_a_blind_tap_proves_nothing():
    assert well_formed(case([]))[0].verdict is Verdict.INCONCLUSIVE
    assert token_not_in_url(case([]))[0].verdict is Verdict.INCONCLUSIVE
