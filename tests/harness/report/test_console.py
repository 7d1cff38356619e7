from types import SimpleNamespace

from harness.base.verdict import Verdict
from harness.report.console import coarse, summary_text
from harness.report.model import RequirementRow, Summary
from harness.scenario.expand import LeftOut
from tests.harness.report.sample import row

LEFT = (LeftOut("wire only", "no root"),)


def text(*rows, left_out=LEFT, **changes):
    options = {"explain_first": True, "width": 100} | changes
    return summary_text(Summary(rows, tuple(left_out), 1.0), **options)


def test_a_green_session_says_how_fast_time_ran():
    shown = text(row(), row(family="sleep"))
    assert "outage" in shown
    assert "sleep" in shown
    assert "PASS  2 runs  ·  28m of simulated time in 1.0 s (16,800x)" in shown
    assert "1 of 1 tested MUST requirements met" in shown


def test_the_first_failure_is_explained_and_the_others_are_named():
    shown = text(row(Verdict.INCONCLUSIVE, why="no evidence"), row(Verdict.FAIL), row(Verdict.FAIL, node="other"))
    assert "FAIL a[1] explained" in shown
    assert "no evidence" in shown
    assert "other" in shown
    assert shown.splitlines()[-1].startswith("FAIL  3 runs")


def test_where_pytest_has_explained_it_is_not_said_twice():
    assert "explained" not in text(row(Verdict.FAIL), explain_first=False)


def test_what_was_left_out_is_listed_with_its_reason():
    assert "left out: wire only: no root" in text(row())


def test_what_many_were_left_out_for_is_said_once():
    shown = text(row(), left_out=[LeftOut(f"run {n}", "no root") for n in range(40)])
    assert shown.count("left out") == 1
    assert "left out: run 0 and 39 more: no root" in shown


def test_an_interrupt_says_how_far_it_went_and_names_nobody():
    shown = text(row(), row(), left_out=[LeftOut(f"run {n}", "interrupted") for n in range(40)])
    assert "\ninterrupted after 2 of 42 runs\n" in shown
    assert shown.splitlines()[-1].startswith("NOT_RUN  2 runs")
    assert "left out" not in shown


def test_the_report_folder_is_named():
    assert "report: out/report.json" in text(row(), shelf=SimpleNamespace(root="out"))


def test_without_colour_there_are_no_escape_codes():
    assert "\x1b" not in text(row())
    assert "\x1b" in text(row(), colour=True)


def test_long_lists_are_cut_and_counted():
    assert "and 7 more" in text(*(row(Verdict.FAIL) for _ in range(20)))


def test_spans_for_people():
    assert [coarse(span_s) for span_s in (0.123, 83.4, 7265.0)] == ["100ms", "1m23s", "2h1m"]


def test_a_requirement_that_did_not_apply_is_not_counted_as_unmet():
    assert "1 of 1 tested" in text(
        row(), row(requirements=(RequirementRow("RC-X-001.y", "MUST", Verdict.NOT_APPLICABLE),))
    )
