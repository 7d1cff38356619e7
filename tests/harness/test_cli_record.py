import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from harness.cli import main
from harness.scenario.lint import lint

EXAMPLES = Path(__file__).parents[2] / "docs/guide/outages"
WORKFLOW = Path(__file__).parents[2] / ".github/workflows/replay-outages.yml"
CSV = "down,up\n2026-03-02T08:14:05Z,2026-03-02T08:14:17Z\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Log of March.csv").write_text(CSV)
    return tmp_path


def record(*arguments):
    return CliRunner().invoke(main, ["record", *map(str, arguments)])


@pytest.mark.parametrize("example", sorted(EXAMPLES.iterdir()), ids=lambda path: path.name)
@pytest.mark.parametrize("link", ["host-relay", "phone-relay"])
def test_every_example_becomes_a_scenario_that_lint_accepts(folder, example, link):
    out = folder / "recorded.yaml"
    result = record(example, "--out", out, "--link", link)
    assert (result.exit_code, result.output.splitlines()[-1][-8:]) == (0, " outages")
    assert lint([out]) == []


def test_without_a_file_it_is_printed_and_called_like_the_log(folder):
    result = record("Log of March.csv")
    assert result.exit_code == 0
    assert "scenario: log-of-march\n" in result.stdout
    assert "# Recorded from Log_of_March.csv by" in result.stdout
    assert result.stderr == ""


def test_in_a_folder_it_is_called_like_the_log(folder):
    assert record("Log of March.csv", "--out", ".").output == "log-of-march.yaml: 1 of 1 outages\n"
    assert lint([folder / "log-of-march.yaml"]) == []
    assert "is there already" in record("Log of March.csv", "--out", ".").output


def test_what_is_not_as_the_log_has_it_is_said_on_standard_error(folder):
    (folder / "short.csv").write_text("down,up\n10,12\n")
    result = record("short.csv")
    assert result.stderr == "note: outage 1: 2s in the log, 5s here\n"
    assert "# Outage 1: 2s in the log, 5s here." in result.stdout


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("none.csv",), "none.csv: cannot be read"),
        ((".",), ".: cannot be read"),
        (("bad.csv",), "bad.csv:2: up again before it went down; exchange the two times"),
        (("Log of March.csv", "--out", "x.txt"), "a scenario's file is called like"),
        (("Log of March.csv", "--out", "My Log.yaml"), "try my-log.yaml"),
        (("Log of March.csv", "--out", "there.yaml"), "is there already"),
        (("Log of March.csv", "--out", "no/such/folder.yaml"), "there is no folder no/such"),
        (("Log of March.csv", "--out", "folder"), "there is no folder folder"),
        (("Log of March.csv", "--out", "/proc/log.yaml"), "cannot be written"),
        (("Log of March.csv", "--out", "x.yaml", "--skip", "1"), "none is left after `--skip 1`"),
        (("Log of March.csv", "--out", "x.yaml", "--skip", "-1"), "--skip"),
        (("Log of March.csv", "--out", "x.yaml", "--link", "a-b"), "--link"),
        (("Log of March.csv", "--out", "x.yaml", "--longest-up", "15"), "--longest-up: '15' is not a span"),
    ],
)
def test_what_is_wrong_is_one_paragraph_and_leaves_nothing_behind(folder, arguments, why):
    (folder / "bad.csv").write_text("down,up\n20,10\n")
    (folder / "there.yaml").write_text("mine")
    before = sorted(path.name for path in folder.iterdir())
    result = record(*arguments)
    assert result.exit_code == 2
    assert why in result.stderr
    assert "Traceback" not in result.output
    assert sorted(path.name for path in folder.iterdir()) == before
    assert (folder / "there.yaml").read_text() == "mine"


PROCESS_ONLY = "sut: mine\nroles:\n  host: {process: ./my-host}\n"


def step(name):
    """What a step of the workflow runs."""
    (job,) = yaml.safe_load(WORKFLOW.read_text())["jobs"].values()
    (found,) = [one["run"] for one in job["steps"] if one.get("name") == name]
    return found


@pytest.mark.slow
def test_the_workflow_replays_in_simulated_time_beside_a_system_that_is_a_process_only(folder):
    (folder / "logs").mkdir()
    (folder / "Log of March.csv").rename(folder / "logs/march.csv")
    (folder / "sut.yaml").write_text(PROCESS_ONLY)
    changed = {"LOGS": "logs", "WIRE_SUT": "--sut sut.yaml"}
    told = yaml.safe_load(WORKFLOW.read_text())["env"]
    assert changed.keys() <= told.keys()
    ours = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for name in ("Record", "Replay in simulated time"):
        done = subprocess.run(
            ["bash", "-ec", step(name)],
            env=os.environ | ours | told | changed,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert step("Replay on real processes").endswith(" $WIRE_SUT")
