import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.base.verdict import Verdict
from harness.cli_run import exit_code, pytest_arguments
from tests.harness.run.stage import write_story

HERE = Path(__file__).parents[2]
NOTHING = {
    "world": "sim",
    "sut": None,
    "profile": None,
    "seed": 1,
    "faults_off": False,
    "report": None,
    "keyword": None,
    "marker": None,
    "workers": None,
    "stop": False,
    "one_each": False,
}
START = """\
import sys
from harness.cli import main
from harness.run import runner
runner.WORLDS["sim"] = ("tests.harness.run.stage", "FakeWorld")
sys.argv[0] = "relayproof"
main()
"""
CONFTEST = """\
from harness.run import runner
runner.WORLDS["sim"] = ("tests.harness.run.stage", "SlowWorld")
"""
"""Workers are processes of their own: they learn of the slow world here."""


def relayproof(folder, *arguments):
    environ = os.environ | {"PYTHONPATH": str(HERE)}
    command = [sys.executable, "-c", START, *arguments]
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)


def test_our_options_are_spelled_as_pytests():
    given = NOTHING | {"keyword": "outage", "workers": "2", "faults_off": True, "report": "out"}
    arguments = pytest_arguments(("scenarios",), **given)
    assert arguments[0] == "scenarios"
    assert arguments[arguments.index("-k") :][:2] == ["-k", "outage"]
    assert arguments[arguments.index("-n") :][:2] == ["-n", "2"]
    assert "--faults-off" in arguments
    assert "--sut" not in arguments


@pytest.mark.parametrize(
    ("code", "verdict", "ours"),
    [
        (pytest.ExitCode.OK, Verdict.PASS, 0),
        (pytest.ExitCode.TESTS_FAILED, Verdict.FAIL, 1),
        (pytest.ExitCode.TESTS_FAILED, Verdict.INCONCLUSIVE, 3),
        (pytest.ExitCode.TESTS_FAILED, Verdict.HARNESS_ERROR, 2),
        (pytest.ExitCode.OK, None, 2),
        (pytest.ExitCode.NO_TESTS_COLLECTED, None, 2),
        (pytest.ExitCode.USAGE_ERROR, None, 2),
        (pytest.ExitCode.INTERRUPTED, Verdict.PASS, 2),
    ],
)
def test_exit_codes(code, verdict, ours):
    assert exit_code(code, verdict) == ours


@pytest.mark.slow
def test_a_green_run_ends_with_0(tmp_path):
    write_story(tmp_path / "talk", words="yes, maybe")
    done = relayproof(tmp_path, "run", "talk", "--report", "out")
    assert done.returncode == 0
    assert "PASS  2 runs" in done.stdout
    assert json.loads((tmp_path / "out" / "report.json").read_text())["verdict"] == "PASS"


@pytest.mark.slow
def test_a_red_run_ends_with_1_and_explains_the_first_failure(tmp_path):
    write_story(tmp_path / "talk")
    done = relayproof(tmp_path, "run", "talk")
    assert done.returncode == 1
    assert done.stdout.count("again:  relayproof run") == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("scenario: x\nscenario: x\n", "talk/x.yaml:2:1"),
        ("scenario: x\n\tstory: y\n", "talk/x.yaml:2"),
        ("scenario: \x00\n", "talk/x.yaml:1"),
    ],
)
def test_a_broken_file_ends_with_2_and_its_place(tmp_path, text, said):
    (tmp_path / "talk").mkdir()
    (tmp_path / "talk" / "x.yaml").write_text(text)
    done = relayproof(tmp_path, "run", "talk", "--report", "out")
    assert done.returncode == 2
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not (tmp_path / "out" / "report.json").exists()


@pytest.mark.slow
def test_a_folder_without_scenarios_ends_with_2(tmp_path):
    (tmp_path / "empty").mkdir()
    done = relayproof(tmp_path, "run", "empty")
    assert done.returncode == 2
    assert "No scenario was found" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
def test_where_all_is_left_out_the_reason_is_said_and_reported(tmp_path, workers):
    file = write_story(tmp_path, "a-word")
    file.write_text(file.read_text().replace("cast:", "worlds: [wire]\ncast:", 1))
    done = relayproof(tmp_path, "run", "a-word.yaml", "--report", "out", *workers)
    assert done.returncode == 2
    assert "left out: a-word" in done.stdout
    assert "No scenario was found" not in done.stderr
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert (report["verdict"], [one["id"] for one in report["left_out"]]) == (
        "NOT_RUN",
        ["a-word[word=yes]", "a-word[word=no]"],
    )


@pytest.mark.slow
def test_a_cache_that_cannot_be_written_changes_no_exit_code(tmp_path):
    write_story(tmp_path, "a-word", words="yes")
    (tmp_path / "pyproject.toml").write_text('[tool.pytest.ini_options]\nfilterwarnings = ["error"]\n')
    (tmp_path / ".pytest_cache").write_text("no folder")
    done = relayproof(tmp_path, "run", "a-word.yaml")
    assert (done.returncode, done.stderr) == (0, "")


def press_ctrl_c(process):
    """As a terminal does."""
    os.killpg(process.pid, signal.SIGINT)


def terminate(process):
    process.terminate()


def time_out(process):
    """As ``timeout`` does."""
    process.terminate()
    os.killpg(process.pid, signal.SIGTERM)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
@pytest.mark.parametrize("stop", [press_ctrl_c, terminate, time_out])
def test_an_interrupt_says_how_far_it_went_and_leaves_no_half_report(tmp_path, stop, workers):
    done = interrupted(tmp_path, "yes, wait, yes2, yes3, yes4, yes5", *workers, stop=stop)
    assert done.returncode == 2
    ran = int(re.search(r"^interrupted after (\d) of 6 runs$", done.stdout, re.MULTILINE)[1])
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["verdict"] == "NOT_RUN"
    assert f"NOT_RUN  {ran} runs" in done.stdout
    assert (report["totals"]["PASS"], report["totals"]["NOT_RUN"]) == (ran, 0)
    assert len(report["scenarios"]) == ran < 6
    assert [left["reason"] for left in report["left_out"]] == ["interrupted"] * (6 - ran)
    assert "left out" not in done.stdout
    assert "Traceback" not in done.stdout
    assert not list((tmp_path / "out").glob(".*"))


@pytest.mark.slow
def test_ctrl_c_in_the_first_run_lets_it_end(tmp_path):
    done = interrupted(tmp_path, "wait, yes")
    assert done.returncode == 2
    assert "interrupted after 1 of 2 runs" in done.stdout


@pytest.mark.slow
def test_ctrl_c_before_anything_ended_says_so(tmp_path):
    (tmp_path / "conftest.py").write_text("def pytest_runtest_setup():\n    raise KeyboardInterrupt\n")
    write_story(tmp_path / "talk")
    done = relayproof(tmp_path, "run", "talk")
    assert done.returncode == 2
    assert "interrupted before any run had ended" in done.stdout


def interrupted(folder, words, *arguments, stop=press_ctrl_c):
    """Run a story in a process group of its own, and stop it when its slow run has begun; nobody of the group may be left."""
    write_story(folder / "talk", words=words)
    (folder / "conftest.py").write_text(CONFTEST)
    environ = os.environ | {"PYTHONPATH": str(HERE), "PYTHONUNBUFFERED": "1"}
    command = [
        sys.executable,
        "-c",
        START.replace("FakeWorld", "SlowWorld"),
        "run",
        "talk",
        "--report",
        "out",
        *arguments,
    ]
    process = subprocess.Popen(
        command, cwd=folder, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, process_group=0
    )
    while not (folder / "out" / "waiting").exists() and process.poll() is None:
        time.sleep(0.02)  # polls for the file that says the run has begun; no outcome rests on the interval
    stop(process)
    output, _ = process.communicate(timeout=30)
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
    return subprocess.CompletedProcess(command, process.returncode, output)
