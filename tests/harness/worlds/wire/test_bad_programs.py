"""What somebody's program may do wrong: each way gives a verdict with a sentence that says so, never a PASS, never a hang, and nobody is left."""

import json
import os
import sys
import textwrap
from pathlib import Path

import pytest

from harness.base.verdict import Verdict
from harness.scenario.expand import Setup, expand
from harness.sut import process
from harness.worlds.wire import children

pytest.importorskip("toxiproxy", reason="the extra `wire` is not installed; `make setup-wire` installs it")
pytest.importorskip("mitmproxy", reason="the extra `wire` is not installed; `make setup-wire` installs it")

from harness.run.judge import judge
from harness.run.runner import run_plan
from harness.run.trial import trial_of
from harness.worlds.wire.process_table import everybody

READER = Path(__file__).parents[4] / "docs" / "guide" / "third-party" / "reader"
pytestmark = pytest.mark.usefixtures("toxiproxy_server")

MARK = f"program-of-a-test-{os.getpid()}"
"""In the arguments of all that a test starts; other runs of the tests have others."""

STORY = """
scenario: plain
about: A device reads a line.
cast: {host: reference, relay: reference, phone: sut}
story:
  - host.says: one
expect:
  - {phone.sees: one, times: 1, proves: RC-ORD-001.no-loss}
"""

ANSWERS = f"""
import json, os, signal, subprocess, sys, threading, time

SLEEPS = [{sys.executable!r}, "-c", "import time; time.sleep(600)", {MARK!r}]
def say(message): print(json.dumps(message), flush=True)
hello = {{"name": "x", "version": "1", "roles": ["device"], "verbs": [], "claims": {{}}}}
def answer(request):
    clock = {{"monotonic_s": time.monotonic(), "wall_s": time.time()}}
    known = {{"hello": hello, "start": {{}}, "clock": clock}}
    verb = request["verb"]
    say({{"id": request["id"], **({{"ok": known[verb]}} if verb in known else {{"err": {{"code": "unsupported"}}}})}})
"""

LOOPS = "for request in map(json.loads, sys.stdin): answer(request)\n"


@pytest.fixture
def tried(tmp_path):
    def run(script, command=f"{{python}} ./program {MARK}"):
        (tmp_path / "plain.yaml").write_text(STORY)
        (tmp_path / "program").write_text(textwrap.dedent(script))
        (tmp_path / "program").chmod(0o755)
        sut = tmp_path / "sut.yaml"
        sut.write_text("roles:\n  device:\n    process: " + command.replace("{python}", sys.executable) + "\n")
        programs = trial_of(sut, "wire")
        (plan,) = expand(tmp_path / "plain.yaml", Setup(world="wire", suts=frozenset(programs))).plans
        record = run_plan(plan, programs)
        left = [one.read("cmdline") for one in everybody() if MARK.encode() in one.read("cmdline")]
        assert not left
        return judge(record.history)

    return run


def sentences(judgement):
    return [f"{one.requirement} {one.code}: {one.message}" for one in judgement.findings if one.verdict > Verdict.PASS]


WAYS = {
    "never answers": ("import time; time.sleep(600)", "phone could not hello: no answer"),
    "exits at once": ("import sys; sys.exit('no such option')", "the program ended with code 1: no such option"),
    "writes garbage": ("print('Welcome!', flush=True); input()", "a line that is not JSON: b'Welcome!'"),
    "writes no end of line": ("while True: print('x' * 9999, end='')", "a line of more than"),
    "is deaf to its answers": (
        ANSWERS + "answer = lambda r: say({'id': r['id'], 'ok': 7})\n" + LOOPS,
        "neither ok nor",
    ),
    "floods with events": (ANSWERS + "while True: say({'ev': 'x'})", "lines that nobody asked for"),
    "floods with answers": (ANSWERS + "while True: say({})", "lines that nobody asked for"),
    "floods its log": ("import sys\nwhile True: sys.stderr.write('x' * 9999)", "bytes to its standard error"),
    "is cut short in its story": (
        ANSWERS
        + "for request in map(json.loads, sys.stdin):\n    answer(request)\n    if request['verb'] == 'start': os.abort()",
        "phone could not list: network (the program ended with code -6)",
    ),
    "ignores SIGTERM": (ANSWERS + "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + LOOPS, "RC-OPS-004.obeys-signal"),
    "leaves a child and ends": (
        ANSWERS + "subprocess.Popen(SLEEPS, start_new_session=True); sys.exit(0)",
        "RC-OPS-004.leaves-nobody",
    ),
    "leaves a child that hides": (
        ANSWERS + "subprocess.Popen(SLEEPS, start_new_session=True, env={})\n" + LOOPS,
        "phone could not list: unsupported",
    ),
    "holds its output open by a child": (ANSWERS + "subprocess.Popen(SLEEPS); sys.exit(3)", "ended with code 3"),
    "closes its output": ("import os, time; os.close(1); time.sleep(600)", "it closed its standard output"),
}


@pytest.mark.slow
@pytest.mark.parametrize(("script", "sentence"), WAYS.values(), ids=WAYS)
def test_whatever_it_does_is_told(tried, monkeypatch, script, sentence):
    monkeypatch.setattr(children, "LOG_BYTES_MAX", 1 << 20)
    monkeypatch.setattr(process, "EVENTS_MAX", 10_000)
    judgement = tried(script)
    assert judgement.verdict is Verdict.FAIL, sentences(judgement)
    assert any(sentence in told for told in sentences(judgement)), sentences(judgement)


@pytest.mark.slow
@pytest.mark.parametrize("script", ["#!/nowhere/at/all\n", "\x7fELF no program"], ids=["no interpreter", "no program"])
def test_what_cannot_be_executed_is_told(tried, script):
    judgement = tried(script, f"./program {MARK}")
    assert judgement.verdict is Verdict.FAIL
    assert any("the program ended with code 12" in told for told in sentences(judgement)), sentences(judgement)


@pytest.mark.slow
def test_the_example_passes(tried):
    judgement = tried(READER.read_text(), f"{{python}} ./program {{ca_file}} {MARK}")
    assert judgement.verdict is Verdict.PASS, sentences(judgement)


def test_the_example_imports_nothing_of_ours():
    assert "relayproof" not in READER.read_text().split('"""')[2]
    assert json.dumps("harness") not in READER.read_text()
