"""What a link decides about a segment, and how long one takes."""

import random

import pytest

from harness.worlds.sim.clocks import NS
from harness.worlds.sim.kernel import Kernel
from harness.worlds.sim.link import DOWN, MSS, UP, Link, LinkPolicy, Passage
from harness.worlds.sim.traffic import Traffic


def link(**policy):
    told = []
    traffic = Traffic(Kernel(1), lambda actor, what, data, t: told.append((what, data)))
    made = Link("a-b", LinkPolicy(**{"latency_s": 0.02} | policy), random.Random(1), traffic)
    made.told = told
    return made


@pytest.mark.parametrize(
    ("policy", "size", "fate"),
    [
        ({}, 100, "passes"),
        ({"blocked": [True, False]}, 100, "lost"),
        ({"blocked": [False, True]}, 100, "passes"),
        ({"held": [True, False]}, 100, "held"),
        ({"held": [False, True]}, 100, "passes"),
        ({"held": [True, True], "blocked": [True, True]}, 100, "lost"),
        ({"loss": 1.0}, 100, "lost"),
        ({"segment_bytes": 1200}, 1200, "passes"),
        ({"segment_bytes": 1200}, 1201, "lost"),
        ({"segment_bytes": MSS}, 100_000, "passes"),
    ],
)
def test_the_rule_in_force_decides(policy, size, fate):
    assert link(**policy).fate(UP, size, Passage(1, 0), 0) == fate


@pytest.mark.parametrize(
    ("refuse", "blocked", "fate"),
    [(None, False, "passes"), ("rst", False, "reset"), ("silence", False, "lost"), ("rst", True, "lost")],
)
def test_a_new_connection(refuse, blocked, fate):
    assert link(refuse=refuse, blocked=[blocked, False]).syn_fate(UP, 0) == fate


@pytest.mark.parametrize(("notice", "fate"), [("none", "lost"), ("rst", "reset")])
def test_a_flow_that_was_silent_for_too_long_stays_forgotten(notice, fate):
    made, passage = link(idle_s=60.0, idle_notice=notice), Passage(1, 0)
    assert made.fate(UP, 1, passage, 60 * NS) == "passes"
    assert made.fate(DOWN, 1, passage, 120 * NS + 1) == fate
    assert made.fate(UP, 1, passage, 121 * NS) == fate
    assert passage.forgotten == "idle"


def test_an_answer_that_is_to_vanish_vanishes_once_told_and_its_request_does_not():
    vanished = []
    passage = Passage(1, 0, mute=DOWN, on_muted=lambda: vanished.append(1))
    made = link()
    assert [made.fate(way, 1, passage, 0) for way in (UP, DOWN, DOWN)] == ["passes", "lost", "lost"]
    assert vanished == [1]


def test_everything_given_to_the_link_is_counted_whatever_its_fate():
    made = link(blocked=[True, False])
    made.fate(UP, 3000, Passage(1, 0), 0)
    made.fate(DOWN, 10, Passage(1, 0), 0)
    made.traffic.flush()
    headers = 40  # IPv4 and TCP
    sums = {data["direction"]: (data["bytes"], data["passed"], data["largest"]) for _, data in made.told}
    assert sums == {"up": (3000 + 3 * headers, 0, 0), "down": (10 + headers, 10 + headers, 10)}


def test_what_is_kept_goes_on_in_its_order_once_and_is_told_when_it_comes():
    made, gone = link(held=[True, True]), []
    for number, way in enumerate((UP, DOWN, UP)):
        assert made.fate(way, 10, Passage(1, 0), number * NS) == "held"
        made.keep(way, number * NS, lambda came, number=number: gone.append((number, came)))
    made.let_go(5 * NS)
    made.let_go(6 * NS)
    assert [number for number, _ in gone] == [0, 1, 2]
    made.traffic.flush()
    assert [what for what, _ in made.told if what == "link.kept"] == []  # nothing of it has come yet
    for _, came in gone:
        came()
    assert made.fate(UP, 10, Passage(1, 0), 6 * NS) == "passes"
    made.traffic.flush()
    kept = {data["direction"]: data for what, data in made.told if what == "link.kept"}
    assert (kept["up"]["segments"], kept["up"]["added_s_min"], kept["up"]["added_s_max"]) == (2, 3.0, 5.0)
    given = {data["direction"]: data for what, data in made.told if what == "socket.attempted"}
    assert (given["down"]["bytes"], given["down"]["passed"]) == (50, 0)


def test_time_on_the_way():
    made = link(bytes_per_s=1000.0)
    assert made.arrival_ns(UP, 500, 0) == round(0.52 * NS)
    assert made.arrival_ns(UP, 500, 0) == round(1.02 * NS)  # the line was taken
    assert made.arrival_ns(DOWN, 500, 0) == round(0.52 * NS)  # the other direction was not
    assert made.arrival_ns(UP, 500, 5 * NS) == round(5.52 * NS)


def test_jitter_adds_at_most_what_it_says():
    arrivals = [link(jitter_s=0.01).arrival_ns(UP, 1, 0) for _ in range(3)]
    made = link(jitter_s=0.01)
    arrivals += [made.arrival_ns(UP, 1, 0) for _ in range(100)]
    assert 0.02 * NS <= min(arrivals) < max(arrivals) <= 0.03 * NS


def test_a_fault_that_heals_finds_what_was_normal():
    made = link()
    made.become(LinkPolicy(latency_s=0.1, loss=0.05))
    assert (made.normal.latency_s, made.policy.latency_s, made.policy.loss) == (0.1, 0.1, 0.05)
    made.policy.blocked[UP] = True
    made.become(LinkPolicy(latency_s=0.2))
    assert made.policy.blocked == [True, False]
