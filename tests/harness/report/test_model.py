from harness.base.verdict import Verdict
from harness.report.model import INTERRUPTED, RequirementRow, Summary, join_requirements
from harness.scenario.expand import LeftOut
from tests.harness.report.sample import row


def test_of_two_rows_about_one_requirement_the_worse_counts():
    rows = [RequirementRow("b", "MUST", Verdict.FAIL), RequirementRow("a", "MUST", Verdict.PASS)]
    rows.append(RequirementRow("b", "MUST", Verdict.PASS))
    assert [(one.id, one.verdict) for one in join_requirements(rows)] == [("a", Verdict.PASS), ("b", Verdict.FAIL)]


def test_nothing_measured_is_never_a_pass():
    assert Summary(()).verdict is Verdict.NOT_RUN


def test_a_session_that_was_interrupted_is_never_green():
    summary = Summary((row(), row()), (LeftOut("a[3]", INTERRUPTED),))
    assert summary.verdict is Verdict.NOT_RUN
    assert (summary.totals["PASS"], summary.totals["NOT_RUN"], summary.cut_short) == (2, 0, 1)
    assert Summary((row(),), (LeftOut("a[3]", "not run: stopping after 1 failures"),)).verdict is Verdict.PASS


def test_totals_name_every_verdict():
    totals = Summary((row(), row(Verdict.FAIL))).totals
    assert totals["PASS"] == 1
    assert totals["FAIL"] == 1
    assert set(totals) == {verdict.name for verdict in Verdict}


def test_not_applicable_is_not_unhappy():
    rows = (row(Verdict.NOT_APPLICABLE), row(Verdict.INCONCLUSIVE))
    assert Summary(rows).unhappy == rows[1:]
