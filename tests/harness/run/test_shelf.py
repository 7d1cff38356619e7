import json

import pytest

from harness.base.errors import UsageError
from harness.base.verdict import Verdict
from harness.history import journal
from harness.report.model import Summary
from harness.run.shelf import Shelf, stem
from harness.scenario import plan_file
from tests.harness.report.sample import row
from tests.harness.run.stage import acted, plan


def test_a_run_leaves_its_history_and_its_plan(tmp_path):
    shelf = Shelf.opened(tmp_path)
    shelf.keep(acted(plan()))
    assert journal.read(shelf.history(plan())) == acted(plan())
    assert plan_file.load(shelf.plan(plan())) == plan()


def test_the_report_is_json(tmp_path):
    shelf = Shelf.opened(tmp_path)
    shelf.report(Summary((row(),)))
    assert json.loads(shelf.report_json.read_text())["totals"]["PASS"] == 1
    assert shelf.summary_md.read_text().startswith("## relayproof, sim: PASS")


def files_of(shelf):
    return {path.relative_to(shelf.root).as_posix() for path in shelf.root.rglob("*") if path.is_file()}


def row_of(plan, **changes):
    return row(**({"id": plan.id, "file": plan.file, "seed": plan.seed} | changes))


def test_a_new_report_takes_away_what_only_the_last_one_lists(tmp_path):
    shelf, old, both = Shelf.opened(tmp_path), plan(seed=1), plan(seed=2)
    for one in (old, both):
        shelf.keep(acted(one))
    shelf.report(Summary((row_of(old), row_of(both))))
    for mine in ("histories/mine.jsonl", "plans/mine.json", "notes.txt"):
        (tmp_path / mine).write_text("mine")
    shelf.report(Summary((row_of(both),)))
    ours = {f"histories/{stem(both)}.jsonl", f"plans/{stem(both)}.json", "report.json", "summary.md"}
    assert files_of(shelf) == {*ours, "histories/mine.jsonl", "plans/mine.json", "notes.txt"}


def test_an_older_history_is_not_taken_for_that_of_a_run_that_died(tmp_path):
    shelf = Shelf.opened(tmp_path)
    shelf.keep(acted(plan()))
    shelf.report(Summary((row_of(plan()),)))
    shelf.report(Summary((row_of(plan(), verdict=Verdict.HARNESS_ERROR, history_sha256=""),)))
    assert files_of(shelf) == {"report.json", "summary.md", f"plans/{stem(plan())}.json"}


def test_the_plan_of_a_run_that_died_is_kept_and_goes_with_its_report(tmp_path):
    shelf, died = Shelf.opened(tmp_path), row_of(plan(), verdict=Verdict.HARNESS_ERROR, history_sha256="")
    for _ in range(2):
        shelf.keep_plan(plan())
        shelf.report(Summary((died,)))
        assert plan_file.load(shelf.plan(plan())) == plan()
    shelf.report(Summary((row_of(plan(), verdict=Verdict.NOT_RUN, history_sha256=""),)))
    assert not shelf.plan(plan()).exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"scenarios": [{"id": 1}]}',
        "\udcff",
        '{"scenarios": [{"file": "", "id": "../../precious", "seed": 1}]}',
    ],
)
def test_a_report_that_is_not_ours_takes_nothing_away(tmp_path, text):
    shelf = Shelf.opened(tmp_path / "out" / "deep")
    shelf.keep(acted(plan()))
    shelf.report_json.write_bytes(text.encode(errors="surrogateescape"))
    before = files_of(shelf)
    shelf.report(Summary((row(),)))
    assert files_of(shelf) == before | {"summary.md"}


def test_a_file_where_the_folder_should_be_is_a_clear_error(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(UsageError, match="name a folder that you may write"):
        Shelf.opened(tmp_path / "out")


def test_a_folder_that_goes_away_in_mid_run_is_a_clear_error(tmp_path):
    shelf = Shelf(tmp_path / "gone")
    with pytest.raises(UsageError, match="cannot be written"):
        shelf.keep(acted(plan()))


def test_names_are_readable_unique_and_short():
    names = {stem(plan()), stem(plan(seed=2)), stem(plan(file="other.yaml")), stem(plan(id="a/b c" * 100))}
    assert len(names) == 4
    assert all(len(name) < 120 and "/" not in name and " " not in name for name in names)
    assert stem(plan()).startswith("a-word-word=yes-")
