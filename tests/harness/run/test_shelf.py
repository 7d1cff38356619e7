import json

import pytest

from harness.base.errors import UsageError
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
