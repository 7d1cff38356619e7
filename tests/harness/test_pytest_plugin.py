import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import harness.run.options
import harness.run.retell
from harness.run import runner
from tests.harness.run.stage import write_story

LOADED_ONCE = (harness.run.options, harness.run.retell)
"""Loaded before pytester remembers which modules there are: it unloads later ones, and C extensions do not survive that."""

HERE = Path(__file__).parents[2]
CONFTEST = "from harness.run import runner\n\nrunner.WORLDS['sim'] = ('tests.harness.run.stage', 'FakeWorld')\n"
BROKEN = "scenario: broken\nabout: Nothing holds here.\ncast: {host: sut}\nstory: []\n"


@pytest.fixture
def house(pytester, monkeypatch):
    """A folder of somebody else's with a scenario file, judged with a world that acts nothing out."""
    monkeypatch.setenv("PYTHONPATH", str(HERE))  # for workers of xdist
    pytester.makeconftest(CONFTEST)
    monkeypatch.setitem(runner.WORLDS, "sim", runner.WORLDS["sim"])  # undone although the conftest sets it
    write_story(pytester.path / "talk", words="yes, no")
    return pytester


def run(house, *arguments):
    return house.runpytest_inprocess("--assert=plain", "-p", "no:hypothesispytest", *arguments)


@pytest.mark.slow
def test_each_plan_is_a_test_with_a_readable_name(house):
    result = run(house, "talk", "--collect-only", "-q")
    result.stdout.fnmatch_lines(["talk/a-word.yaml::a-word[[]word=yes]", "talk/a-word.yaml::a-word[[]word=no]"])
    assert result.ret == 0


@pytest.mark.slow
def test_a_failure_is_explained_without_a_traceback_and_summed_up(house):
    result = run(house, "talk")
    result.assert_outcomes(passed=1, failed=1)
    text = result.stdout.str()
    assert "RC-OUT-001.catches-up" in text
    assert "again:  relayproof run 'talk/a-word.yaml::a-word[word=no]' --seed 1" in text
    assert "Traceback" not in text
    assert result.ret == pytest.ExitCode.TESTS_FAILED


@pytest.mark.slow
@pytest.mark.parametrize(
    ("selection", "passed", "failed"),
    [
        (["-k", "yes"], 1, 0),
        (["-k", "RC-OUT-001"], 1, 1),
        (["-m", "talk"], 1, 1),
        (["talk/a-word.yaml::a-word[word=no]"], 0, 1),
    ],
)
def test_selecting_works_as_for_any_test(house, selection, passed, failed):
    run(house, *([] if selection[0].endswith("]") else ["talk"]), *selection).assert_outcomes(
        passed=passed, failed=failed
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("paths", "passed", "failed"),
    [
        (["talk"], 1, 0),
        (["talk", "talk/a-word.yaml::a-word[word=no]"], 1, 1),
        (["talk/a-word.yaml::a-word[word=no]"], 0, 1),
    ],
)
def test_one_of_each_file_are_its_first_permutation_and_whatever_is_named(house, paths, passed, failed):
    run(house, *paths, "--one-each").assert_outcomes(passed=passed, failed=failed)


@pytest.mark.slow
def test_last_failed_runs_what_failed(house):
    run(house, "talk")
    run(house, "talk", "--lf").assert_outcomes(failed=1)


@pytest.mark.slow
def test_workers_report_to_one_book(house):
    result = run(house, "talk", "-n", "2", "--report", "out")
    result.assert_outcomes(passed=1, failed=1)
    report = json.loads((house.path / "out" / "report.json").read_text())
    assert (report["totals"]["PASS"], report["totals"]["FAIL"]) == (1, 1)
    assert {row["id"] for row in report["scenarios"]} == {"a-word[word=yes]", "a-word[word=no]"}
    assert len(list((house.path / "out" / "histories").iterdir())) == 2


@pytest.mark.slow
def test_junit_has_a_property_for_each_requirement(house):
    run(house, "talk", "--report", "out")
    properties = ET.parse(house.path / "out" / "junit.xml").findall(".//property")
    named = [one.get("value") for one in properties if one.get("name") == "requirement"]
    assert named.count("RC-OUT-001.catches-up") == 2
    assert {one.get("value") for one in properties if one.get("name") == "verdict"} == {"PASS", "FAIL"}


@pytest.mark.slow
def test_a_broken_file_is_a_collection_error_with_every_problem(house):
    (house.path / "talk" / "broken.yaml").write_text(BROKEN)
    result = run(house, "talk")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert "talk/broken.yaml:" in result.stdout.str()
    assert "Traceback" not in result.stdout.str()


@pytest.mark.slow
def test_other_yaml_is_left_alone(house):
    (house.path / "talk" / "list.yaml").write_text("requirements:\n  - id: x\n    scenario: y\n")
    run(house, "talk").assert_outcomes(passed=1, failed=1)


@pytest.mark.slow
def test_a_file_named_on_the_command_line_is_never_ignored(house):
    (house.path / "talk" / "empty.yaml").write_text("")
    assert run(house, "talk/empty.yaml").ret == pytest.ExitCode.INTERRUPTED


@pytest.mark.slow
def test_a_bug_of_the_harness_shows_its_traceback_and_is_no_verdict_about_the_system(house):
    write_story(house.path / "talk", name="crash", words="crash, yes")
    run(house, "talk/crash.yaml", "--report", "out").stdout.fnmatch_lines(["*RuntimeError: the world broke*"])
    report = json.loads((house.path / "out" / "report.json").read_text())
    assert report["totals"]["HARNESS_ERROR"] == 1
    assert [len(list((house.path / "out" / kind).iterdir())) for kind in ("plans", "histories")] == [2, 1]
    assert "--seed 1" in (house.path / "out" / "summary.md").read_text()


@pytest.mark.slow
def test_a_skipped_run_was_not_run(house):
    house.makeconftest(
        f"{CONFTEST}\nimport pytest\n\n\ndef pytest_runtest_setup(item):\n    pytest.skip('not today')\n"
    )
    result = run(house, "talk", "-k", "yes", "--report", "out")
    assert result.ret == pytest.ExitCode.TESTS_FAILED


@pytest.mark.slow
def test_stopping_early_leaves_the_rest_out_by_name(house):
    write_story(house.path / "talk", words="no, yes")
    run(house, "talk", "-x", "--report", "out")
    report = json.loads((house.path / "out" / "report.json").read_text())
    assert report["totals"]["NOT_RUN"] == 0
    assert "stopping after 1 failures" in report["left_out"][0]["reason"]


@pytest.mark.slow
def test_stopping_before_any_scenario_was_run_is_said(house):
    house.makepyfile(test_first="def test_it():\n    assert False\n")
    result = run(house, "test_first.py", "talk", "-x", "--report", "out")
    result.stdout.fnmatch_lines(["scenarios: not run: stopping after 1 failures"])
    assert not (house.path / "out" / "report.json").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    "wrong", [["--world", "moon"], ["--seed", "-3"], ["--report", "/proc/nowhere"], ["--sut", "none.yaml"]]
)
def test_a_wrong_option_is_a_usage_error(house, wrong):
    result = run(house, "talk", *wrong)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "Traceback" not in result.stderr.str()


@pytest.mark.slow
def test_collecting_only_writes_nothing(house):
    run(house, "talk", "--collect-only", "--report", "out")
    assert not (house.path / "out" / "report.json").exists()
