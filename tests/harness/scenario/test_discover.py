"""Scenario files are found in anybody's folder; a folder without any is an error."""

import pytest

from harness.base.errors import ScenarioError
from harness.scenario.discover import discover, family


def test_files_are_found_at_any_depth_once_and_in_order(tmp_path):
    for name in ("b/two.yaml", "a/deep/one.yaml", ".hidden/no.yaml", "a/readme.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    found = discover([tmp_path, tmp_path / "b" / "two.yaml"])
    assert [str(file.relative_to(tmp_path)) for file in found] == ["a/deep/one.yaml", "b/two.yaml"]
    assert [family(file) for file in found] == ["deep", "b"]


def test_a_folder_without_scenarios_and_a_missing_file_are_told_together(tmp_path):
    with pytest.raises(ScenarioError) as refused:
        discover([tmp_path, tmp_path / "none.yaml"])
    assert [problem.message for problem in refused.value.problems] == ["a folder without scenarios", "no such file"]
