import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.protocol.limits import REQUESTS_AT_ONCE, REQUESTS_PER_S
from reference.protocol.rate import Rates


def test_a_quiet_credential_has_its_burst_and_no_more():
    rates = Rates()
    assert [rates.take("a", 5.0) for _ in range(REQUESTS_AT_ONCE)] == [0.0] * REQUESTS_AT_ONCE
    assert rates.take("a", 5.0) == pytest.approx(1.0 / REQUESTS_PER_S)
    assert rates.take("b", 5.0) == 0.0


@given(st.lists(st.floats(0.0, 0.1), min_size=1, max_size=400))
def test_no_span_holds_more_than_the_burst_and_the_rate(pauses):
    rates, now_s, let_through = Rates(), 0.0, []
    for pause_s in pauses:
        now_s += pause_s
        if rates.take("a", now_s) == 0.0:
            let_through.append(now_s)
    for first in range(0, len(let_through), 50):
        span_s = let_through[-1] - let_through[first]
        assert len(let_through) - first <= REQUESTS_AT_ONCE + span_s * REQUESTS_PER_S + 1e-6


def test_who_waits_as_told_is_let_through():
    rates = Rates()
    for _ in range(REQUESTS_AT_ONCE):
        rates.take("a", 0.0)
    wait_s = rates.take("a", 0.0)
    assert rates.take("a", wait_s + 1e-9) == 0.0
