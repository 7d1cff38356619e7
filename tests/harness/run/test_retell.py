import json

from harness.base.errors import WorldError
from harness.base.verdict import Verdict
from harness.history.journal import history_sha256
from harness.run.judge import judge
from harness.run.retell import entry_of, entry_of_death, pack, planned_row, row_of, unpack, worst_first
from harness.run.runner import Record
from harness.run.shelf import Shelf
from tests.harness.checks.made import expects, says, shows, started
from tests.harness.checks.made import history as made
from tests.harness.run.stage import acted, plan


def record(*, shown=True):
    history = acted(plan(), shown=shown)
    return Record(plan(), history, judge(history), 0.02)


def test_a_pass_needs_no_explanation():
    row = row_of(record(), "n")
    assert row.verdict is Verdict.PASS
    assert (row.why, row.explanation) == ("", "")
    assert row.history_sha256 == history_sha256(record().history)


def test_a_failure_is_explained_and_points_at_its_line():
    row = row_of(record(shown=False), "n")
    assert row.verdict is Verdict.FAIL
    assert row.line == 8
    assert "RC-OUT-001.catches-up" in row.why
    assert "again:  relayproof run" in row.explanation


def test_what_a_delay_was_is_told_of_a_pass_too():
    story = [says(1.0, "one"), shows(1.2, "one"), says(2.0, "two")]
    history = made([started(), *story], expectations=(expects("phone", "delay", "p(50) <= 1s"),))
    (told,) = row_of(Record(history.plan, history, judge(history), 0.02), "n").delays
    facts = {
        "delay_s": 0.2,
        "said_s": 0.2,
        "run_s": 0.2,
        "p50_s": 0.2,
        "p95_s": "never",
        "p99_s": "never",
        "late_p99_s": None,
        "lines": 2,
    }
    assert told == {"requirement": "RC-OUT-001.catches-up", "line": 9, "budget_s": 1.0, **facts}


def test_the_first_failure_comes_first():
    judged = record(shown=False).judgement
    assert worst_first(judged)[0] == judged.first_failure


def test_an_entry_crosses_between_processes():
    entry = entry_of(record(shown=False), node="n", siblings=3, shelf=None)
    assert unpack(json.loads(json.dumps(pack(entry)))) == entry


def test_a_shelf_keeps_the_run(tmp_path):
    entry_of(record(), node="n", siblings=1, shelf=Shelf.opened(tmp_path))
    assert len(list((tmp_path / "histories").iterdir())) == 1


def test_an_error_of_ours_is_a_sentence_and_a_bug_brings_its_traceback():
    known = entry_of_death(plan(), WorldError("no such link"), node="n", siblings=1).row
    bug = entry_of_death(plan(), KeyError("x"), node="n", siblings=1).row
    assert known.verdict is bug.verdict is Verdict.HARNESS_ERROR
    assert "KeyError" not in known.explanation
    assert bug.why == "KeyError: 'x'"


def test_what_pytest_calls_a_run_says_file_and_family():
    row = planned_row("scenarios/outage/a.yaml::a[x]")
    assert (row.id, row.file, row.family) == ("a[x]", "scenarios/outage/a.yaml", "outage")
