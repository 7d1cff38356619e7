import pytest

from harness.scenario.expand import plans
from harness.worlds.wire.real_time import REAL_S_MAX, least_s_of, why_not_in_real_time

STORY = """
scenario: spans
about: Time goes by.
cast: {host: sut, relay: reference, phone: reference}
story:
  - host.says: one
  - phone.sees: one
%s
expect:
  - {phone.sees: one, times: 1, proves: RC-ORD-001.no-loss}
"""

GO = {"phone": "it is a Go program"}


def plan(*steps):
    (found,) = plans((STORY % "\n".join(f"  - {step}" for step in steps)).encode(), world="wire")
    return found


@pytest.mark.parametrize(
    ("steps", "least_s"),
    [
        (["wait: 30s"], 50.0),
        (["fault: {cut: host-relay, how: black hole, for: 40s}"], 60.0),
        (["fault: {cut: host-relay, how: black hole, for: 40s}\n    during:\n      - wait: 10s", "wait: 1m"], 120.0),
    ],
)
def test_what_a_plan_takes_at_least(steps, least_s):
    assert least_s_of(plan(*steps)) == least_s


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        (["wait: 2m"], ""),
        (["fault: {host.sleeps: 1m}"], ""),
        (["fault: {phone.sleeps: 1m}"], "phone cannot sleep, and its clock cannot be set: it is a Go program"),
        (["fault: {cut: host-relay, how: black hole, for: 12m}"], f"740 s at least, and in real time {REAL_S_MAX:.0f}"),
    ],
)
def test_what_cannot_be_played_in_real_time_is_said(steps, why):
    assert why in why_not_in_real_time(plan(*steps), GO)
    assert bool(why_not_in_real_time(plan(*steps), GO)) == bool(why)
    assert why_not_in_real_time(plan(*steps), {}) == ""
