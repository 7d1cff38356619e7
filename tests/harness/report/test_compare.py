import json

import pytest

from harness.base.errors import UsageError
from harness.base.verdict import Verdict
from harness.report.compare import compare, comparison_object, comparison_text, read_report, worlds_of
from harness.report.model import RequirementRow, Summary
from harness.report.report_json import report_text
from harness.scenario.expand import LeftOut
from tests.harness.report.sample import row

PASS, FAIL, NONE, ERROR, NOT_RUN = (
    Verdict.PASS, Verdict.FAIL, Verdict.NOT_APPLICABLE, Verdict.HARNESS_ERROR, Verdict.NOT_RUN,
)  # fmt: skip
ENDS, LIVES = "RC-OUT-002.ends", "RC-OUT-001.stays-alive"


def ran(verdict=PASS, name="a[1]", requirements=None, **changes):
    judged = {ENDS: verdict} if requirements is None else requirements
    rows = tuple(RequirementRow(one, "MUST", of) for one, of in judged.items())
    return row(verdict, id=name, requirements=rows, **changes)


def saved(folder, *rows, name="report.json"):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(report_text(Summary(rows, (LeftOut("x", "no root"),))))
    return folder


@pytest.fixture
def found(tmp_path):
    """Compare runs of two reports that went through their files."""

    def compared(ours, theirs):
        return compare(read_report(saved(tmp_path / "1", *ours)), read_report(saved(tmp_path / "2", *theirs)))

    return compared


def counts(tally):
    return tally.equal, tally.different, tally.only_in_first, tally.only_in_second


def test_equal_is_what_both_judged_alike(found):
    same = found([ran(), ran(FAIL, "b")], [ran(world="wire"), ran(FAIL, "b", world="wire")])
    assert same.is_equal
    assert counts(same.scenarios) == counts(same.requirements) == (2, 0, 0, 0)


def test_a_verdict_that_differs_is_told_with_both_for_the_run_and_for_the_requirement(found):
    other = found([ran()], [ran(FAIL)])
    assert not other.is_equal
    assert [(one.requirement, one.verdicts) for one in other.different] == [
        ("", ("PASS", "FAIL")),
        (ENDS, ("PASS", "FAIL")),
    ]
    text = comparison_text(other, ("sim  x", "wire  y"))
    assert f"PASS           FAIL           a[1]  {ENDS}" in text
    assert "scenarios     0 equal, 1 different, 0 only in 1, 0 only in 2" in text


def test_a_requirement_may_differ_where_the_runs_do_not(found):
    ours, theirs = {ENDS: FAIL, LIVES: PASS}, {ENDS: PASS, LIVES: FAIL}
    other = found([ran(FAIL, requirements=ours)], [ran(FAIL, requirements=theirs)])
    assert (counts(other.scenarios), counts(other.requirements)) == ((1, 0, 0, 0), (0, 2, 0, 0))
    assert not other.is_equal


def test_what_only_one_of_them_judged_is_counted_and_differs_from_nothing(found):
    ours = [ran(requirements={ENDS: PASS, LIVES: PASS}), ran(FAIL, "sim only")]
    theirs = [ran(requirements={ENDS: PASS, LIVES: NONE}), ran(FAIL, "wire only"), ran(FAIL, "wire only too")]
    same = found(ours, theirs)
    assert same.is_equal
    assert (counts(same.scenarios), counts(same.requirements)) == ((1, 0, 1, 2), (1, 0, 1, 0))
    assert (LIVES, ("PASS", "NOT_APPLICABLE")) in [(one.requirement, one.verdicts) for one in same.alone]


@pytest.mark.parametrize("verdict", [ERROR, NOT_RUN])
def test_two_runs_without_a_verdict_about_the_system_are_not_equal(found, verdict):
    other = found([ran(), ran(verdict, "b")], [ran(), ran(verdict, "b")])
    assert not other.is_equal
    assert [one.verdicts for one in other.different if not one.requirement] == [(verdict.name, verdict.name)]


def test_nothing_shared_is_no_pass(found):
    with pytest.raises(UsageError, match="of 1 and 1 runs none is in both"):
        found([ran(name="a")], [ran(name="b")])
    with pytest.raises(UsageError, match="of 0 and 0 runs"):
        found([], [])
    bare = found([ran(requirements={ENDS: PASS})], [ran(requirements={LIVES: PASS})])
    assert not bare.is_equal
    assert "nothing was compared" in comparison_text(bare, ("1", "2"))


@pytest.mark.parametrize(("name", "value"), [("seed", 8), ("profile", "strict")])
def test_runs_on_other_terms_are_refused(found, name, value):
    with pytest.raises(UsageError, match=f"1 of 2 shared runs had another {name}, the first of them b: .* and {value}"):
        found([ran(), ran(name="b")], [ran(), ran(name="b", **{name: value})])


def test_what_was_not_run_has_no_terms_and_still_differs(found):
    assert not found([ran()], [ran(NOT_RUN, requirements={}, seed=0, profile="", world="")]).is_equal


def test_a_run_that_stands_there_twice_is_refused(found):
    with pytest.raises(UsageError, match=r"the second report has a\[1\] twice"):
        found([ran()], [ran(), ran()])


def test_the_object_has_it_all(found):
    same = found([ran(), ran(name="b")], [ran()])
    as_json = json.loads(json.dumps(comparison_object(same, ("sim", "wire"))))
    assert as_json["equal"] is True
    assert as_json["worlds"] == ["sim", "wire"]
    assert as_json["scenarios"] == {"equal": 1, "different": 0, "only_in_first": 1, "only_in_second": 0}
    assert as_json["alone"] == [{"scenario": "b", "requirement": "", "verdicts": ["PASS", None]}]


def test_a_report_says_where_it_ran(tmp_path):
    assert worlds_of(read_report(saved(tmp_path / "a", ran(), ran(name="b", world="wire")))) == "sim+wire"
    assert worlds_of(read_report(saved(tmp_path / "b"))) == "nowhere"


def test_a_file_or_its_folder(tmp_path):
    folder = saved(tmp_path / "a", ran())
    assert read_report(folder) == read_report(folder / "report.json")


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "\udcff", '{"report": 1}', '{"report": 1, "scenarios": [{"id": "a"}]}', "[" * 100_000],
    ids=["empty", "cut off", "a list", "not UTF-8", "no scenarios", "half a scenario", "deep"],
)
def test_what_is_no_report_is_refused_with_the_remedy(tmp_path, text):
    (tmp_path / "report.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(UsageError, match=r"no report of this version .*write it anew"):
        read_report(tmp_path)


def test_other_versions_strange_verdicts_and_missing_files_are_refused(tmp_path):
    text = report_text(Summary((ran(),)))
    (tmp_path / "old.json").write_text(text.replace('"report": 1', '"report": 9'))
    (tmp_path / "odd.json").write_text(text.replace('"PASS"', '"GREEN"'))
    with pytest.raises(UsageError, match="a report of version 9, this is 1"):
        read_report(tmp_path / "old.json")
    with pytest.raises(UsageError, match="no verdict is called 'GREEN'"):
        read_report(tmp_path / "odd.json")
    with pytest.raises(UsageError, match=r"name a report\.json, or the folder"):
        read_report(tmp_path / "none")
