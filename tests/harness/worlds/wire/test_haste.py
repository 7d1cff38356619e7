from dataclasses import replace
from pathlib import Path

import pytest

from harness.scenario.expand import plans
from harness.worlds.wire.haste import (
    BRISK,
    CALM_S,
    GENTLE,
    HASTE,
    LONG,
    LONG_S,
    PATIENCE_S,
    REAL,
    Haste,
    haste_of,
    is_close,
)

SCENARIOS = Path(__file__).parents[4] / "scenarios"


@pytest.mark.parametrize(
    ("quiet_s", "left_s", "awaited", "rate", "holds_s"),
    [
        (0.0, 600.0, True, BRISK, PATIENCE_S),  # something is awaited: patience first
        (PATIENCE_S, 600.0, True, HASTE, 600.0 - CALM_S),
        (0.0, 600.0, False, BRISK, 3.0),  # something has just happened
        (3.0, 600.0, False, HASTE, 600.0 - CALM_S),
        (3.0, 8 * 3600.0, False, LONG, 8 * 3600.0 - LONG_S),
        (3.0, 2 * CALM_S, False, BRISK, 2 * CALM_S),  # the end of a wait is met calmly
        (0.0, 1.0, False, BRISK, 1.0),
    ],
)
def test_the_world_hurries_where_nothing_is_looked_at(quiet_s, left_s, awaited, rate, holds_s):
    assert Haste().rate(quiet_s, left_s, awaited=awaited) == (rate, holds_s)


@pytest.mark.parametrize("left_s", [1.0, 600.0, 86_400.0])
def test_real_time_is_never_hurried(left_s):
    assert REAL.rate(100.0, left_s, awaited=False)[0] == 1.0


@pytest.mark.parametrize(
    ("file", "brisk"),
    [
        ("latency/echo.yaml", 1.0),
        ("latency/prompt-reaches-host.yaml", GENTLE),
        ("credentials/token-expires-in-mid-turn.yaml", 4.0),  # two seconds for a line
        ("delivery/faster-than-the-relay-takes.yaml", 1.0),  # its line is as short as this machine's own
        ("credentials/refresh-answer-lost.yaml", 4.0),  # two seconds for an answer
        ("outage/ten-minute-outage.yaml", BRISK),
    ],
)
def test_where_delays_are_measured_nothing_is_hurried(file, brisk):
    assert {haste_of(plan).brisk for plan in plans(SCENARIOS / file)} == {brisk}


def test_a_budget_that_cannot_be_read_needs_neither_time_nor_the_machine_for_itself():
    (plan, *_) = plans(SCENARIOS / "latency/echo.yaml")
    claims = tuple(replace(one, args={"value": "soon"}) if one.verb == "delay" else one for one in plan.expectations)
    unread = replace(plan, expectations=claims)
    assert not is_close(unread)
    assert haste_of(unread).most == BRISK


@pytest.mark.parametrize(
    ("file", "close"),
    [("latency/echo", True), ("proxy/only-a-proxy", False), ("outage/ten-minute-outage", False)],
)
def test_what_is_near_to_a_busy_machines_own_is_close(file, close):
    assert is_close(plans(SCENARIOS / f"{file}.yaml")[0]) is close
