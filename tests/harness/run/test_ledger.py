from dataclasses import replace

from harness.base.verdict import Verdict
from harness.run.judge import judge
from harness.run.ledger import Entry, Ledger
from tests.harness.report.sample import row
from tests.harness.run.stage import acted, plan


def entry(node, verdict=Verdict.PASS, siblings=2):
    return Entry(row(verdict, node=node, requirements=()), judge(acted(plan())), siblings)


def ledger(*entries):
    book = Ledger()
    for node in ("a::1", "a::2"):
        book.plan(row(node=node))
    for one in entries:
        book.record(one)
    return book


def doubtful(judgements):
    return [replace(one, verdict=Verdict.INCONCLUSIVE, first_failure=one.findings[0]) for one in judgements]


def test_what_was_planned_and_not_recorded_was_not_run():
    summary = ledger(entry("a::1")).summary(1.0)
    assert [(one.node, one.verdict) for one in summary.rows] == [("a::1", Verdict.PASS), ("a::2", Verdict.NOT_RUN)]
    assert "no record" in summary.rows[1].why


def test_of_two_records_of_one_run_the_worse_counts():
    book = ledger(entry("a::1", Verdict.FAIL), entry("a::1"))
    assert book.summary(1.0).rows[0].verdict is Verdict.FAIL


def test_what_nobody_planned_is_shown_too():
    assert ledger(entry("a::1"), entry("a::2"), entry("b::1")).summary(1.0).rows[-1].node == "b::1"


def test_a_whole_file_is_judged_once_more():
    worse = ledger(entry("a::1"), entry("a::2")).pair(doubtful)
    assert [(one.node, one.verdict) for one in worse] == [
        ("a::1", Verdict.INCONCLUSIVE),
        ("a::2", Verdict.INCONCLUSIVE),
    ]


def test_a_file_that_ran_in_part_is_not():
    book = ledger(entry("a::1"))
    assert book.pair(doubtful) == []
    assert book.summary(1.0).rows[0].verdict is Verdict.PASS


def test_pairing_never_makes_a_verdict_better():
    book = ledger(entry("a::1", Verdict.FAIL), entry("a::2", Verdict.FAIL))
    assert book.pair(doubtful) == []


def test_what_was_stopped_early_is_left_out_by_name():
    book = ledger(entry("a::1"))
    book.leave_out_rest("not run: stopping after 1 failures")
    summary = book.summary(1.0)
    assert len(summary.rows) == 1
    assert summary.left_out[0].reason == "not run: stopping after 1 failures"
