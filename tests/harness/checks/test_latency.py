from dataclasses import replace

import pytest

from harness.base.verdict import Verdict
from harness.checks.latency import delay, parse_budget
from harness.history.plan import Contract
from tests.harness.checks.made import case, event, expects, says, shows, started

GIVEN = {"phone": {"network": {"rtt": 0.08}}}


def judged(delays, budget="p(99) <= rtt + 600ms", **fields):
    said = [says(float(n), f"line {n}") for n in range(100)]
    seen = [shows(n + late, f"line {n}", n + 1) for n, late in enumerate(delays)]
    return delay(case([*said, *seen], given=GIVEN), expects("phone", "delay", budget, **fields))


@pytest.mark.parametrize(
    ("delays", "budget", "code"),
    [
        ([0.5] * 100, "p(99) <= rtt + 600ms", ""),
        ([0.5] * 99 + [9.0], "p(99) <= rtt + 600ms", ""),
        ([0.5] * 98 + [9.0, 9.0], "p(99) <= rtt + 600ms", "over-budget"),
        ([0.5] * 99 + [9.0], "max <= 2s", "over-budget"),
        ([0.5] * 90, "p(99) <= 1s", "over-budget"),
        ([0.5] * 100, "whenever", "no-budget"),
    ],
    ids=str,
)
def test_delay(delays, budget, code):
    finding = judged(delays, budget)
    assert finding.code == code
    assert (finding.verdict is Verdict.PASS) == (code == "")


@pytest.mark.parametrize(
    ("late_s", "code"),
    [(0.59, ""), (0.7, "within-harness-error"), (0.79, "within-harness-error"), (0.81, "over-budget")],
)
def test_what_the_null_path_may_have_caused_is_held_against_nobody(late_s, code):
    said, seen = (
        [says(float(n), f"line {n}") for n in range(100)],
        [shows(n + late_s, f"line {n}", n + 1) for n in range(100)],
    )
    nulls = [
        event(0.0, actor, "os", "path.calibrated", p99_s=p99_s)
        for actor, p99_s in (("host", 0.3), ("phone", 0.1), ("tablet", 9.0))
    ]
    finding = delay(case([*nulls, *said, *seen], given=GIVEN), expects("phone", "delay", "p(99) <= 600ms"))
    assert finding.code == code


def beside_a_null_path_that_stalled(slow_n, slow_s):
    """Of a hundred lines so many are shown so late, beside a null path of 10 ms that stalled for 200 once while it was calibrated."""
    said = [says(float(n), f"line {n}") for n in range(100)]
    seen = [shows(n + (slow_s if n < slow_n else 0.05), f"line {n}", n + 1) for n in range(100)]
    nulls = [
        event(0.0, actor, "os", "path.calibrated", p50_s=0.01, p95_s=0.2, p99_s=0.2) for actor in ("host", "phone")
    ]
    return delay(case([*nulls, *said, *seen]), expects("phone", "delay", "p(99) <= 100ms")).code


@pytest.mark.parametrize(
    ("slow_n", "slow_s", "code"),
    [
        (100, 0.25, "over-budget"),  # the null path's stall explains half of them at most
        (52, 0.25, "over-budget"),
        (51, 0.25, "within-harness-error"),
        (2, 0.25, "within-harness-error"),
        (2, 0.35, "over-budget"),  # more than even the stall
        (100, 0.105, "within-harness-error"),  # the null path's p50 explains it
    ],
)
def test_a_stall_of_the_null_path_excuses_no_system_that_is_always_slow(slow_n, slow_s, code):
    assert beside_a_null_path_that_stalled(slow_n, slow_s) == code


def test_three_percentiles_and_their_count_are_told_whichever_the_budget_is_about():
    finding = judged([0.01 * (n + 1) for n in range(97)], "p(90) <= 1s")
    assert (finding.code, finding.observed) == (
        "",
        {
            "delay_s": 0.9,
            "said_s": 0.9,
            "run_s": 0.9,
            "p50_s": 0.5,
            "p95_s": 0.95,
            "p99_s": "never",
            "late_p99_s": None,
            "lines": 100,
        },
    )


@pytest.mark.parametrize(
    ("calibrated", "code"), [(False, "not-calibrated"), (True, "over-budget")], ids=["by nobody", "calibrated"]
)
def test_they_are_told_too_where_the_budget_is_exceeded(calibrated, code, monkeypatch):
    monkeypatch.setattr("harness.checks.latency._is_calibrated", lambda _case, _actor: calibrated)
    finding = judged([0.1234567] * 100, "max <= 0.1s")
    assert (finding.code, finding.expected) == (code, 0.1)
    assert finding.observed == {"lines": 100, "late_p99_s": None} | dict.fromkeys(
        ("delay_s", "said_s", "run_s", "p50_s", "p95_s", "p99_s"), 0.123457
    )


def waited(since, until, waited_s, others_s=None, stolen_s=0.0):
    others_s = waited_s if others_s is None else others_s
    return event(
        until, "world", "os", "cpu.waited", since=since, waited_s=waited_s, others_s=others_s, stolen_s=stolen_s
    )


@pytest.mark.parametrize(
    ("waits", "code"),
    [
        ([], "over-budget"),
        ([waited(1.0, 1.3, 0.25)], "within-harness-error"),  # that is where the line was
        ([waited(0.9, 1.1, 0.1), waited(1.1, 1.35, 0.12)], "within-harness-error"),
        ([waited(0.9, 1.1, 0.0, 0.15), waited(1.1, 1.35, 0.2, 0.05)], "within-harness-error"),  # told where it ended
        ([waited(1.0, 1.3, 0.05)], "over-budget"),  # too little to explain it
        ([waited(1.0, 1.3, 0.25, 0.05)], "over-budget"),  # of its own doing
        ([waited(1.0, 1.3, 0.25, -0.02)], "over-budget"),
        ([waited(1.0, 1.3, 0.0, 0.25)], "over-budget"),  # nobody waited
        ([waited(1.0, 1.3, 0.0, 0.0, 0.2)], "within-harness-error"),
        ([waited(0.0, 0.9, 0.8), waited(1.5, 1.9, 0.8)], "over-budget"),  # at other times
    ],
    ids=[
        "no wait",
        "meanwhile",
        "in two spans",
        "over two spans",
        "too little",
        "for itself",
        "for less than nothing",
        "others ran",
        "a hypervisor",
        "at other times",
    ],
)
def test_what_other_work_kept_programs_waiting_while_a_line_was_under_way_is_held_against_nobody(waits, code):
    nulls = [
        event(0.0, actor, "os", "path.calibrated", p50_s=0.01, p95_s=0.01, p99_s=0.01) for actor in ("host", "phone")
    ]
    lines = [says(1.0, "one"), shows(1.3, "one"), says(3.0, "two"), shows(3.05, "two")]
    finding = delay(case([*nulls, *waits, *lines]), expects("phone", "delay", "max <= 100ms"))
    assert finding.code == code


def test_a_stall_that_both_the_beat_and_the_count_saw_is_forgiven_once():
    nulls = [event(0.0, one, "os", "path.calibrated", p50_s=0.0, p95_s=0.0, p99_s=0.0) for one in ("host", "phone")]
    stall = [waited(1.0, 1.3, 0.15), event(1.3, "world", "os", "clock.late", late_s=0.15)]
    lines = [says(1.0, "one"), shows(1.3, "one")]
    assert delay(case([*nulls, *stall, *lines]), expects("phone", "delay", "max <= 100ms")).code == "over-budget"
    assert delay(case([*nulls, *stall, *lines]), expects("phone", "delay", "max <= 160ms")).code == (
        "within-harness-error"
    )


def test_what_is_left_of_a_delay_without_the_machine_is_told_of_the_very_lines_that_were_judged():
    nulls = [event(0.0, one, "os", "path.calibrated", p50_s=0.0, p95_s=0.0, p99_s=0.0) for one in ("host", "phone")]
    lines = [says(1.0, "one"), shows(1.35, "one"), says(3.0, "two"), shows(3.15, "two")]
    finding = delay(case([*nulls, waited(1.0, 1.35, 0.3), *lines]), expects("phone", "delay", "max <= 0.2s"))
    assert (finding.code, finding.observed["said_s"], finding.observed["run_s"]) == ("within-harness-error", 0.35, 0.15)
    assert "0.150 s without what this machine was late" in finding.message


def test_a_wait_never_excuses_lines_that_were_slow_without_it():
    nulls = [
        event(0.0, actor, "os", "path.calibrated", p50_s=0.01, p95_s=0.01, p99_s=0.01) for actor in ("host", "phone")
    ]
    lines = [one for n in range(10) for one in (says(float(n), f"line {n}"), shows(n + 0.25, f"line {n}", n + 1))]
    finding = delay(
        case([*nulls, *lines, *(waited(n, n + 0.3, 9.0) for n in range(4))]),
        expects("phone", "delay", "p(99) <= 100ms"),
    )
    assert (finding.code, finding.observed["said_s"]) == ("over-budget", pytest.approx(0.25))


def said_late(late_s, shown_s, *between):
    """A hundred lines, meant at each whole second, said so much later and shown so much later still."""
    said = [event(n + late_s, "host", "os", "agent.said", text=f"line {n}", at=float(n)) for n in range(100)]
    seen = [shows(n + late_s + shown_s, f"line {n}", n + 1) for n in range(100)]
    return delay(case([*said, *between, *seen]), expects("phone", "delay", "p(99) <= 600ms"))


@pytest.mark.parametrize(
    ("late_s", "shown_s", "code"),
    [
        (0.2, 0.3, ""),
        (0.4, 0.3, "within-harness-error"),  # in time but for the harness: no PASS, and nobody's fault
        (0.4, 0.7, "over-budget"),  # too late without it
    ],
)
def test_a_delay_counts_from_when_the_line_was_meant_to_be_said(late_s, shown_s, code):
    finding = said_late(late_s, shown_s)
    assert finding.code == code
    assert finding.observed["p99_s"] == pytest.approx(late_s + shown_s)
    assert finding.observed["late_p99_s"] == pytest.approx(late_s)


def stands(n, actor, begins, ends):
    """Around the saying of the n-th line an actor's machine stands for 0.39 s."""
    return [event(n + 0.005, actor, "os", begins), event(n + 0.395, actor, "os", ends)]


@pytest.mark.parametrize(
    ("begins", "ends"), [("machine.suspended", "machine.resumed"), ("process.frozen", "process.thawed")]
)
def test_time_in_which_the_story_had_the_machine_stand_is_nobodys(begins, ends):
    others = [one for n in range(100) for one in stands(n, "phone", begins, ends)]
    own = [one for n in range(100) for one in stands(n, "host", begins, ends)]
    before_and_after = [*stands(-1, "host", begins, ends), *stands(200, "host", begins, ends), started(-1.0)]
    assert said_late(0.4, 0.3, *others).code == "within-harness-error"
    assert said_late(0.4, 0.3, *before_and_after).code == "within-harness-error"
    found = said_late(0.4, 0.3, *own)
    assert (found.code, found.observed["late_p99_s"]) == ("", pytest.approx(0.01))


@pytest.mark.parametrize(("at", "late_s"), [(False, None), ("soon", None), (None, None), (99.0, 0.0)], ids=str)
def test_a_time_that_is_none_or_to_come_makes_no_line_late(at, late_s):
    line = event(1.0, "host", "os", "agent.said", text="one", at=at)
    finding = delay(case([line, shows(1.5, "one")]), expects("phone", "delay", "max <= 1s"))
    assert (finding.code, finding.observed["late_p99_s"], finding.observed["p50_s"]) == ("", late_s, 0.5)


def test_a_failure_shows_the_line_for_which_the_system_was_slow_not_that_which_the_harness_said_late():
    lines = [event(n + late, "host", "os", "agent.said", text=f"l{n}", at=float(n)) for n, late in enumerate((0, 1.9))]
    seen = [shows(0.7, "l0"), shows(3.0, "l1", 2)]
    found = delay(case([*lines, *seen]), expects("phone", "delay", "max <= 600ms"))
    assert (found.code, found.observed["delay_s"], found.observed["said_s"]) == ("over-budget", 2.0, 0.7)
    assert "2.000 s from when they were meant to be said and 0.700 s" in found.message
    (n,) = found.events
    assert {event.n: event.data.get("text") for event in case([*lines, *seen]).events}[n] == "l0"


def test_what_this_machine_was_late_around_a_line_may_have_held_it_up():
    told = [says(1.0, "one"), shows(1.9, "one"), event(2.0, "harness", "os", "clock.late", late_s=0.4)]
    asked = [
        delay(replace(case(told), forgives=forgives), expects("phone", "delay", "max <= 600ms")).code
        for forgives in (True, False)
    ]
    assert asked == ["within-harness-error", "over-budget"]


def test_a_line_that_was_said_late_and_never_shown_is_over_any_budget():
    lines = [event(2.0, "host", "os", "agent.said", text="one", at=1.0)]
    assert delay(case(lines), expects("phone", "delay", "max <= 1h")).code == "over-budget"


def test_too_small_a_sample_cannot_be_judged():
    assert judged([0.1] * 100, at_least={"count": 200, "unit": "lines"}).code == "too-few"


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("p(99) <= rtt + 600ms", (99.0, 0.68)),
        ("p(95) <= 3 rtt + 50ms", (95.0, 0.29)),
        ("max <= reconnect_budget", (100.0, 45.0)),
        ("p(50) <= 2 reconnect_budget + rtt", (50.0, 90.08)),
        ("p(50) <= soon", None),
        ("p(50) < 1s", None),
    ],
)
def test_budgets(text, budget):
    read = parse_budget(text, Contract(), 0.08)
    assert read == (pytest.approx(budget) if budget else None)


def test_a_line_that_never_comes_is_over_budget_where_nobody_knows_this_machines_share(monkeypatch):
    monkeypatch.setattr("harness.checks.latency._is_calibrated", lambda _case, _actor: False)
    never = delay(case([says(1.0, "one"), says(2.0, "two"), shows(1.1, "one")]), expects("phone", "delay", "max <= 1s"))
    late = delay(case([says(1.0, "one"), shows(9.0, "one")]), expects("phone", "delay", "max <= 1s"))
    assert (never.code, late.code) == ("over-budget", "not-calibrated")
