"""Lint tells the problems of all files at once."""

from pathlib import Path

from harness.scenario.lint import lint
from tests.harness.scenario.test_expand import GOOD

FOUR = ("outage/ten-minute-outage", "sleep/laptop-sleeps", "credentials/token-expires", "proxy/only-a-proxy")
SCENARIOS = Path(__file__).parents[3] / "scenarios"


def test_the_four_scenarios_have_no_problem():
    assert lint([SCENARIOS / f"{name}.yaml" for name in FOUR]) == []


def test_problems_of_several_files_come_together(tmp_path):
    (tmp_path / "tiny.yaml").write_text(GOOD.replace("says", "sayz"))
    (tmp_path / "small.yaml").write_text(GOOD)
    found = [(Path(problem.place.file).name, problem.place.line) for problem in lint([tmp_path])]
    assert found == [("small.yaml", 1), ("tiny.yaml", 5)]


def test_one_name_in_two_folders_is_a_problem(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "tiny.yaml").write_text(GOOD)
    assert ["a second scenario" in problem.message for problem in lint([tmp_path])] == [True]


def test_an_empty_folder_is_a_problem(tmp_path):
    assert [problem.message for problem in lint([tmp_path])] == ["a folder without scenarios"]
