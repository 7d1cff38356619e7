"""Sums by whole seconds, at the time of their first segment."""

import pytest

from harness.worlds.sim.kernel import Kernel
from harness.worlds.sim.traffic import Traffic


@pytest.fixture
def told():
    return []


@pytest.fixture
def traffic(told):
    kernel = Kernel(1)
    return Traffic(kernel, lambda actor, what, data, t: told.append((t, actor, what, data))), kernel


def test_segments_of_one_second_are_one_event(traffic, told):
    one, kernel = traffic
    for at, size, passed in ((5.2, 100, True), (5.9, 1460, False), (6.0, 0, True)):
        kernel.call_at(at, lambda s=size, p=passed: one.given("a-b", 0, 1, s, s, passed=p))
    kernel.run(until=7.5)
    sums = [(t, data["bytes"], data["passed"], data["largest"]) for t, _, _, data in told]
    assert sums == [(5.2, 1640, 140, 100), (6.0, 40, 40, 0)]
    assert told[0][3]["direction"] == "up"


def test_directions_and_links_are_kept_apart(traffic, told):
    one, _ = traffic
    for link, direction in (("a-b", 0), ("a-b", 1), ("c-b", 0)):
        one.given(link, direction, 1, 10, 10, passed=True)
    one.flush()
    assert [(actor, data["direction"]) for _, actor, _, data in told] == [("a-b", "up"), ("a-b", "down"), ("c-b", "up")]


def test_held_up_segments_keep_least_and_most(traffic, told):
    one, _ = traffic
    for added_s in (0.3, 0.1, 0.2):
        one.held("link.delayed", "a-b", 1, added_s)
    one.held("link.capped", "a-b", 1, None)
    one.flush()
    by_name = {what: data for _, _, what, data in told}
    delayed = by_name["link.delayed"]
    assert (delayed["segments"], delayed["added_s_min"], delayed["added_s_max"]) == (3, 0.1, 0.3)
    assert "added_s_min" not in by_name["link.capped"]


def test_silence_is_not_told(traffic, told):
    one, kernel = traffic
    kernel.run(until=100.0)
    one.flush()
    assert told == []
