import pytest

from harness.checks.refusals import obeys, refused
from tests.harness.checks.made import case, event, expects, response

LIMITED = response(10, 429, "rate-limited", method="POST", path="/m", retry_after_s=2)


def asks(t, path="/m", actor="phone"):
    return event(t, actor, "wire", "request", conn=6, method="POST", path=path, form=[])


@pytest.mark.parametrize(
    ("events", "least", "code"),
    [
        ([LIMITED], 1, ""),
        ([LIMITED], 2, "not-refused"),
        ([response(10, 202)], 1, "not-refused"),
        ([response(10, 429, "rate-limited", actor="tablet"), response(11, 202)], 1, "not-refused"),
        ([], 1, "never-answered"),
    ],
)
def test_refused(events, least, code):
    wanted = expects("phone", "refused", {"as": "rate-limited", "at_least": least})
    assert refused(case(events), wanted).code == code


@pytest.mark.parametrize(
    ("events", "code"),
    [
        ([asks(9.9), LIMITED, asks(12.0)], ""),
        ([asks(9.9), LIMITED], ""),
        ([LIMITED, asks(11.9)], "came-early"),
        ([LIMITED, asks(10.5, path="/other")], ""),
        ([LIMITED, asks(10.5, actor="tablet")], ""),
        ([response(10, 429, "rate-limited"), asks(10.1)], "never-told"),
    ],
)
def test_obeys(events, code):
    assert obeys(case(events), expects("phone", "obeys", "retry-after")).code == code
