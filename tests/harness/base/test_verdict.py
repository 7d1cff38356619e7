import itertools

import pytest

from harness.base.verdict import Verdict, worst


@pytest.mark.parametrize(("one", "other"), list(itertools.product(Verdict, repeat=2)))
def test_joining_never_makes_anything_better(one, other):
    joined = worst([one, other])
    assert joined is worst([other, one])
    assert joined in {one, other}
    assert joined >= one
    assert joined >= other


def test_of_nothing_there_is_no_verdict():
    assert worst([]) is Verdict.NOT_RUN


@pytest.mark.parametrize(
    ("verdict", "code"),
    [("PASS", 0), ("FAIL", 1), ("HARNESS_ERROR", 2), ("NOT_RUN", 2), ("INCONCLUSIVE", 3)],
)
def test_exit_codes(verdict, code):
    assert Verdict[verdict].exit_code == code
