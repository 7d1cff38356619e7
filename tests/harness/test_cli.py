import re
import subprocess
import sys

import pytest
from click.testing import CliRunner

from harness.cli import main
from harness.scenario.schema import schema_text
from tests.harness.run.stage import use_fake_world, write_story


def invoke(*arguments):
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    use_fake_world(monkeypatch)
    monkeypatch.chdir(tmp_path)
    write_story(tmp_path / "talk")
    return tmp_path


@pytest.mark.parametrize("command", sorted(main.commands))
def test_every_command_explains_itself(command):
    result = invoke(command, "--help")
    assert result.exit_code == 0
    assert re.search(r"Usage: .* \[OPTIONS\]", result.output)


def test_lint_is_content_with_a_good_file(folder):
    assert invoke("lint", "talk").output == "Every scenario is well-formed.\n"


def test_lint_names_every_problem_and_its_place(folder):
    (folder / "talk" / "bad.yaml").write_text("scenario: bad\nscenario: bad\n")
    result = invoke("lint", "talk")
    assert result.exit_code == 2
    assert "talk/bad.yaml:2:1" in result.output


def test_lint_of_a_folder_without_scenarios_is_a_usage_error(folder):
    (folder / "empty").mkdir()
    assert invoke("lint", "empty").exit_code == 2


def test_the_schema_is_the_languages_own():
    assert invoke("schema").output == schema_text()


def test_a_fault_of_our_own_is_no_verdict_about_anybody(monkeypatch):
    monkeypatch.setattr("harness.scenario.schema.schema_text", lambda: 1 / 0)
    result = invoke("schema")
    assert result.exit_code == 2
    assert "ZeroDivisionError" in result.output
    assert "a fault of relayproof itself" in result.output


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "no-such-folder"),
        ("run", "talk", "--world"),
        ("run", "talk", "--seed", "many"),
        ("run", "talk", "-n", "-3"),
        ("run", "talk", "-n", "many"),
        ("run", "talk", "-n", "999999"),
        ("mutants", "-n", "999999"),
        ("run",),
        ("replay", "no-such-plan.json"),
        ("judge", "no-such-history.jsonl"),
        ("diff", "no-such-report.json"),
        ("diff", "no-such-report.json", "talk"),
        ("determinism", "talk", "--runs", "1"),
        ("determinism", "talk", "--world", "moon"),
        ("no-such-command",),
    ],
)
def test_what_a_user_gets_wrong_is_one_paragraph_and_exit_code_2(folder, arguments):
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output
    assert result.output.strip()


@pytest.mark.slow
def test_the_installed_command_says_its_version():
    done = subprocess.run(
        [sys.executable, "-m", "harness.cli", "--version"], capture_output=True, text=True, check=True
    )
    assert re.search(r"\d+\.\d+", done.stdout)


def test_who_reads_no_more_gets_no_traceback():
    script = "from harness.cli import main; main(['schema'])"
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    child.stdout.close()
    with child.stderr:
        assert child.stderr.read() == b""
    assert child.wait() == 2


@pytest.mark.parametrize("arguments", [("relay",), ("host", "--nope"), ("device", "--state", "s")])
def test_a_program_of_the_reference_keeps_its_own_code_for_wrong_use(folder, arguments):
    assert invoke(*arguments).exit_code == 64
