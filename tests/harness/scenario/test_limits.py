"""Spans, named limits and budgets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.history.plan import Contract
from harness.scenario.limits import LIMITS, Budget, Misfit, any_span, budget, span

CONTRACT = Contract()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10m", 600.0),
        ("1h30m", 5400.0),
        ("250ms", 0.25),
        ("outage_limit", 600.0),
        ("0.8 outage_limit", 480.0),
        ("outage_limit + 60s", 660.0),
        ("outage_limit - 1s", 599.0),
        ("2 heartbeat + 1s", 31.0),
        ("outage_limit + reconnect_budget + 5s", 650.0),
    ],
)
def test_spans_and_limits(text, seconds):
    assert span(text, CONTRACT) == seconds


@pytest.mark.parametrize(
    "text", ["", "0s", "-5s", "10:00", "5 s", "outage limit", "5s - 5s", "x + 5s", "9e9d", "1e400 outage_limit", 600, None, [], True]
)  # fmt: skip
def test_what_is_no_span(text):
    with pytest.raises(Misfit):
        span(text, CONTRACT)


def test_a_step_back_is_negative():
    assert any_span("-1h", CONTRACT) == -3600.0


def test_every_limit_of_the_contract_can_be_named():
    assert {"outage_limit", "reconnect_budget", "dead_peer_bound", "wake_budget", "revocation_bound"} <= set(LIMITS)
    assert all(span(name, CONTRACT) > 0 for name in LIMITS)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("p(99) <= rtt + 600ms", Budget(99.0, 1.0, 0.6)),
        ("p(95) <= 3 rtt + 50ms", Budget(95.0, 3.0, 0.05)),
        ("p(99.9) <= 1.5 rtt", Budget(99.9, 1.5, 0.0)),
        ("p(50) <= reconnect_budget", Budget(50.0, 0.0, 45.0)),
        ("max <= 2s", Budget(100.0, 0.0, 2.0)),
    ],
)
def test_budgets(text, parts):
    assert budget(text, CONTRACT) == parts


@pytest.mark.parametrize(
    "text", ["p(99) < 2s", "p(0) <= 2s", "p(100) <= 2s", "p(99) <=", "mean <= 2s", "p(99) <= rtt - 1s", "max <= 0s", 5]
)
def test_what_is_no_budget(text):
    with pytest.raises(Misfit):
        budget(text, CONTRACT)


@pytest.mark.slow
@given(st.text(max_size=40))
def test_any_text_is_a_span_or_a_misfit(text):
    try:
        assert span(text, CONTRACT) > 0
    except Misfit as misfit:
        assert misfit.message  # noqa: PT017 - both outcomes are right
