import pytest

from harness.base.verdict import Verdict
from harness.checks.latency import delay, parse_budget
from harness.history.plan import Contract
from tests.harness.checks.made import case, event, expects, says, shows

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


def test_three_percentiles_and_their_count_are_told_whichever_the_budget_is_about():
    finding = judged([0.01 * (n + 1) for n in range(97)], "p(90) <= 1s")
    assert (finding.code, finding.observed) == (
        "",
        {"delay_s": 0.9, "p50_s": 0.5, "p95_s": 0.95, "p99_s": "never", "late_p99_s": 0.0, "lines": 100},
    )


@pytest.mark.parametrize(
    ("calibrated", "code"), [(False, "not-calibrated"), (True, "over-budget")], ids=["by nobody", "calibrated"]
)
def test_they_are_told_too_where_the_budget_is_exceeded(calibrated, code, monkeypatch):
    monkeypatch.setattr("harness.checks.latency._is_calibrated", lambda _case, _actor: calibrated)
    finding = judged([0.1234567] * 100, "max <= 0.1s")
    assert (finding.code, finding.expected) == (code, 0.1)
    assert finding.observed == {"lines": 100, "late_p99_s": 0.0} | dict.fromkeys(
        ("delay_s", "p50_s", "p95_s", "p99_s"), 0.123457
    )


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


@pytest.mark.parametrize("what", ["machine.resumed", "process.thawed", "process.started"])
def test_a_line_that_waited_for_its_machine_counts_from_when_it_was_said(what):
    others = [event(n + 0.1, "phone", "os", what) for n in range(100)]
    own = [event(n + 0.1, "host", "os", what) for n in range(100)]
    assert (said_late(0.4, 0.3, *others).code, said_late(0.4, 0.3, *own).code) == ("within-harness-error", "")


@pytest.mark.parametrize("at", [True, "soon", None, 99.0], ids=str)
def test_a_time_that_is_none_or_to_come_makes_no_line_late(at):
    line = event(1.0, "host", "os", "agent.said", text="one", at=at)
    finding = delay(case([line, shows(1.5, "one")]), expects("phone", "delay", "max <= 1s"))
    assert (finding.code, finding.observed["late_p99_s"], finding.observed["p50_s"]) == ("", 0.0, 0.5)


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
