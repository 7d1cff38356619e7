import json
import signal
import subprocess
import sys

import pytest

import reference.__main__


@pytest.fixture
def program(tmp_path):
    """A device program; nothing but its end of the standard streams."""
    command = [
        sys.executable,
        "-m",
        reference.__main__.__package__,
        "device",
        "--shim",
        "--state",
        str(tmp_path / "state"),
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        yield child
        child.kill()


def ask(program, verb, **args):
    program.stdin.write(json.dumps({"id": 7, "verb": verb, "args": args}) + "\n")
    program.stdin.flush()
    return json.loads(program.stdout.readline())


@pytest.mark.slow
def test_it_answers_and_leaves_when_asked(program):
    assert ask(program, "hello")["ok"]["roles"] == ["device"]
    assert ask(program, "qxzv")["err"]["code"] == "unsupported"
    assert ask(program, "list")["err"]["code"] == "bad-args"
    assert ask(program, "bye") == {"id": 7, "ok": {}}
    assert program.wait(10) == 0


@pytest.mark.slow
def test_noise_is_answered(program):
    program.stdin.write("noise\n")
    program.stdin.flush()
    assert json.loads(program.stdout.readline())["err"]["code"] == "bad-args"
    assert ask(program, "hello")["ok"]


@pytest.mark.slow
def test_it_leaves_when_nobody_is_there_any_more(program):
    ask(program, "hello")
    program.stdin.close()
    assert program.wait(10) == 0


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_it(program, number):
    ask(program, "hello")
    program.send_signal(number)
    assert program.wait(10) == 0
