"""``up``, ``fault`` and ``down`` as they are typed; the last tests do it for real, by the extra ``wire`` and toxiproxy-server."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness import cli_hands_on
from harness.base.errors import WorldError
from harness.base.verdict import Verdict
from harness.cli import main
from harness.run.control import Message

pytest.importorskip("toxiproxy", reason="the extra `wire` is not installed; `make setup-wire` installs it")
pytest.importorskip("mitmproxy", reason="the extra `wire` is not installed; `make setup-wire` installs it")

from harness.worlds.wire import toxiproxy

EVIDENCE: Message = {
    "bit": True,
    "attempted": 518,
    "passed": 0,
    "rank": "OS",
    "note": "518 bytes were given",
    "realised_by": ["toxiproxy"],
}


@pytest.fixture(autouse=True)
def base(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path / "relayproof" / "up"


def saying(monkeypatch, *messages):
    asked = []

    async def ask(name, request, hear):
        asked.append((name, request))
        return any(hear(message) for message in messages)

    monkeypatch.setattr(cli_hands_on, "ask", ask)
    return asked


def typed(*words):
    return CliRunner().invoke(main, words)


BEGAN = {"began": "cut", "lasts_s": 30.0, "hurried": False}


def test_a_fault_that_bit_is_told_with_its_evidence(monkeypatch):
    asked = saying(monkeypatch, BEGAN, {"at": 3.0}, {"evidence": EVIDENCE})
    done = typed("fault", "cut", "host-relay", "30s", "how=reset")
    assert asked == [("up", {"do": "fault", "words": ["cut", "host-relay", "30s", "how=reset"]})]
    assert done.exit_code == Verdict.PASS.exit_code
    assert done.output.splitlines()[0] == "cut begins; it lasts 30s"
    said = dict(line.split(maxsplit=1) for line in done.output.splitlines()[1:])
    assert said["bit"] == "yes"
    assert (said["attempted"], said["passed"], said["rank"], said["by"]) == ("518", "0", "os", "toxiproxy")


def test_a_fault_that_nobody_met_is_inconclusive(monkeypatch):
    saying(monkeypatch, BEGAN, {"evidence": EVIDENCE | {"bit": False, "attempted": 0}})
    done = typed("fault", "cut", "host-relay")
    assert done.exit_code == Verdict.INCONCLUSIVE.exit_code
    assert "not proven" in done.output


def test_a_negative_span_is_a_word_and_no_option(monkeypatch):
    asked = saying(monkeypatch, {"evidence": EVIDENCE})
    assert typed("fault", "--name", "two", "phone.clock_steps", "-1h").exit_code == 0
    assert asked == [("two", {"do": "fault", "words": ["phone.clock_steps", "-1h"]})]


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"lasts_s": 28_800.0, "hurried": True}, "it lasts 8h, and the world hurries meanwhile"),
        ({"lasts_s": 0.0, "hurried": False}, "it is a moment, and is watched for a while"),
    ],
)
def test_it_is_said_how_long_a_fault_takes(message, words):
    assert words in cli_hands_on.begun({"began": "x"} | message)


def test_a_refusal_is_told_as_it_came(monkeypatch):
    saying(monkeypatch, {"error": "host is in the hands of `sleeps`"})
    done = typed("fault", "cut", "host-relay")
    assert (done.exit_code, done.output) == (2, "host is in the hands of `sleeps`\n")


def test_an_end_in_the_midst_is_told(monkeypatch):
    saying(monkeypatch, BEGAN)
    done = typed("fault", "cut", "host-relay")
    assert done.exit_code == 2
    assert "the topology has ended meanwhile" in done.output


@pytest.mark.parametrize("words", [("fault", "cut", "host-relay"), ("down",)])
def test_where_nothing_is_up_one_learns_how_to_begin(words):
    done = typed(*words)
    assert done.exit_code == 2
    assert "start it with `relayproof up`" in done.output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--way-out", "plane"), "did you mean `plain`"),
        (("--name", "../x"), "a name is up to 32"),
        (("--sut", "nowhere.yaml"), "nowhere.yaml"),
    ],
)
def test_a_wrong_option_is_told_before_anything_runs(words, message):
    done = typed("up", *words)
    assert done.exit_code == 2
    assert message in done.output


# --- for real


def command(*words):
    return [sys.executable, "-m", "harness.cli", *words]


def run(*words):
    return subprocess.run(command(*words), capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def up(base):
    """What ``up --detach`` says; whatever a test does, nothing of it is left."""
    try:
        toxiproxy.server_program()
    except WorldError as error:
        pytest.skip(str(error))  # neither a server nor a Go to build one: `make setup-wire` says so, too
    try:
        begun = run("up", "--detach")
        assert begun.returncode == 0, begun.stderr
        yield begun.stdout
    finally:
        for seat in base.glob("up.*"):
            os.kill(int(seat.name.rpartition(".")[2]), signal.SIGKILL)


def folder_of(said):
    return Path(re.search(r"^CA +(.+)/ca\.pem$", said, re.MULTILINE)[1])


def processes_of(folder):
    """Processes in whose command the run's folder stands."""
    found = subprocess.run(["pgrep", "-f", str(folder)], capture_output=True, text=True, check=False)
    return found.stdout.split()


@pytest.mark.slow
def test_a_fault_bites_what_is_up_and_down_leaves_nothing(up, base):
    folder = folder_of(up)
    assert len(processes_of(folder)) >= 5
    assert "runs already" in run("up").stderr
    wrong = run("fault", "cut", "hots-relay", "8s")
    assert (wrong.returncode, "did you mean `host`?" in wrong.stderr) == (2, True)
    cut = run("fault", "cut", "host-relay", "8s")
    assert cut.returncode == 0, cut
    assert re.search(r"^bit +yes$", cut.stdout, re.MULTILINE)
    slept = run("fault", "host.sleeps", "10m")
    assert slept.returncode == 0, slept
    assert "host slept 600 s of 600 s" in slept.stdout
    assert run("down").returncode == 0
    assert (processes_of(folder), folder.exists(), list(base.iterdir())) == ([], False, [])


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_whatever_ends_it_nothing_is_left(up, base, number):
    folder = folder_of(up)
    (seat,) = base.iterdir()
    with subprocess.Popen(command("fault", "cut", "host-relay", "30s"), stdout=subprocess.PIPE) as fault:
        assert b"cut begins" in fault.stdout.readline()
        os.kill(int(seat.name.rpartition(".")[2]), number)
        assert fault.wait(60) == 2
    for _ in range(100):  # the guard of one that was killed needs a moment, and nobody waits for it
        if not (processes_of(folder) or folder.exists() or seat.exists()):
            break
        signal.sigtimedwait([], 0.1)
    assert (processes_of(folder), folder.exists(), seat.exists()) == ([], False, False)


@pytest.mark.slow
def test_one_that_is_ended_before_it_stands_leaves_nothing(base):
    with subprocess.Popen(command("up"), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        while not (base.exists() and any(not seat.name.startswith(".") for seat in base.iterdir())):
            signal.sigtimedwait([], 0.05)
        child.send_signal(signal.SIGTERM)
        assert child.wait(60) == 2
        assert b"Interrupted" in child.stderr.read()
    assert list(base.iterdir()) == []
