import ast
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.base.errors import WorldError
from harness.history.events import Event
from harness.worlds.wire import syscalls
from harness.worlds.wire.process_table import everybody
from harness.worlds.wire.syscalls import Answer, Step, answers, order_of, steps, watched

STORE = Path("/run/relay.state")
WAL, SOCKET, OTHER = (
    "9</run/relay.state/relay.sqlite-wal>",
    "12<TCP:[127.0.0.1:8443->127.0.0.1:40001]>",
    "13<TCP:[127.0.0.1:8443->127.0.0.1:40002]>",
)
BEGAN_S = int(time.time())


def trace(*calls):
    """Lines a second apart; a call of the second thread begins with ``+``."""
    return [f"{8 if call[0] == '+' else 7} {BEGAN_S + n}.000000 {call.lstrip('+')}" for n, call in enumerate(calls)]


def found(*calls):
    own_ns = (BEGAN_S - time.time()) * 1e9 + time.monotonic_ns()
    return [step._replace(t=round(step.t)) for step in steps(trace(*calls), STORE, lambda ns: (ns - own_ns) / 1e9)]


def test_what_matters_of_a_trace():
    assert found(
        f'recvfrom({SOCKET}, ""..., 65536, 0, NULL, NULL) = 90',
        f'+pwrite64({WAL}, ""..., 24, 0 <unfinished ...>',
        f'sendto({OTHER}, ""..., 5, 0, NULL, 0 <unfinished ...>',
        "+<... pwrite64 resumed>)           = 24",
        "<... sendto resumed>)             = 5",
        f"+fdatasync({WAL} <unfinished ...>",
        f"recvfrom({OTHER}, 0x7f, 65536, 0, NULL, NULL) = -1 EAGAIN (Resource temporarily unavailable)",
        'write(4<pipe:[99]>, ""..., 1) = 1',
        "+<... fdatasync resumed>)          = 0",
        f"fsync({WAL}) = -1 EIO (Input/output error)",
        f'sendto({SOCKET}, ""..., 70, 0, NULL, 0) = 70',
        "no line of strace",
    ) == [Step(0, "took", 40001), Step(1, "wrote"), Step(2, "gave", 40002), Step(8, "synced"), Step(10, "gave", 40001)]  # fmt: skip


def test_a_file_that_is_opened_to_sync_each_write_needs_no_call():
    opened = 'openat(AT_FDCWD</run>, "relay.log", O_WRONLY|O_CREAT|O_DSYNC, 0600) = 9</run/relay.state/log>'
    steps_found = found(opened, 'write(9</run/relay.state/log>, ""..., 5) = 5')
    assert steps_found == [Step(1, "wrote"), Step(1, "synced")]


TOOK, WROTE, SYNCED, GAVE = Step(1, "took", 1), Step(2, "wrote"), Step(3, "synced"), Step(4, "gave", 1)
BEFORE = [Step(0, "wrote"), Step(0, "synced"), Step(0, "gave", 1)]


@pytest.mark.parametrize(
    ("calls", "seen", "wrote", "synced"),
    [
        ([*BEFORE, TOOK, WROTE, SYNCED, GAVE], True, 1, True),
        ([*BEFORE, TOOK, TOOK, WROTE, Step(2, "gave", 2), SYNCED, WROTE, GAVE], True, 2, True),
        ([*BEFORE, TOOK, WROTE, GAVE, SYNCED], True, 1, False),
        ([*BEFORE, TOOK, GAVE, WROTE, SYNCED], True, 0, False),
        ([*BEFORE, TOOK, SYNCED, WROTE, GAVE], True, 1, False),
        ([*BEFORE, TOOK, WROTE, SYNCED, GAVE, GAVE], True, 1, True),
        ([TOOK, WROTE, SYNCED, Step(9, "gave", 1)], False, 0, False),
        ([GAVE], False, 0, False),
        ([], False, 0, False),
    ],
)
def test_the_order_of_an_answer(calls, seen, wrote, synced):
    assert order_of(5.0, 1, calls) == {"seen": seen, "wrote": wrote, "synced": synced}


def test_only_new_promises_count():
    def response(n, **data):
        data = {"conn": n, "method": "POST", "path": "/v1/sessions/s/outbox", "status": 200} | data
        return Event(n, float(n), "host", "wire", "response", data)

    heard = [
        response(0, upto=1, seq=1), response(1, upto=1, seq=1), response(2, upto=3, seq=3), response(3, seq=4),
        response(4, seq=4, duplicate=True), response(5, status=503), response(6, method="GET", seq=9), response(7),
    ]  # fmt: skip
    assert list(answers(heard)) == [Answer(float(n), "host", n) for n in (0, 2, 3)]


def test_a_program_under_strace_keeps_its_environment_and_nobody_reads_it(tmp_path):
    if syscalls.lacking():
        pytest.skip(syscalls.lacking())
    given = {"PATH": os.environ["PATH"], "TOKEN": "secret", "LD_PRELOAD": "", "WARP_PAGE": "/page"}
    shows = "import os, sys; print(dict(os.environ), flush=True); input()"
    command, environ = watched([sys.executable, "-S", "-c", shows], given, tmp_path / "trace")
    assert command[-8:-4] == ["-E", "LD_PRELOAD=", "-E", "WARP_PAGE=/page"]
    assert environ == {"PATH": os.environ["PATH"], "TOKEN": "secret"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=environ, **pipes) as program:
        assert given.items() <= ast.literal_eval(program.stdout.readline()).items()
        stracers = [one for one in everybody() if str(tmp_path / "trace").encode() in one.read("cmdline")]
        assert stracers
        assert not any(b"secret" in one.read("cmdline") or b"WARP_PAGE" in one.read("environ") for one in stracers)
        program.stdin.close()


@pytest.fixture
def unasked():
    """Whatever was found out before is forgotten, and again afterwards."""
    syscalls.lacking.cache_clear()
    yield
    syscalls.lacking.cache_clear()


@pytest.mark.usefixtures("unasked")
def test_a_machine_that_forbids_it_is_said(monkeypatch):
    refused = SimpleNamespace(returncode=1, stderr="strace: ptrace: Operation not permitted\n")
    monkeypatch.setattr(syscalls.shutil, "which", lambda _name: "/usr/bin/strace")
    monkeypatch.setattr(syscalls.subprocess, "run", lambda *_args, **_named: refused)
    assert syscalls.lacking() == "strace(1) may not watch here: strace: ptrace: Operation not permitted"


@pytest.mark.usefixtures("unasked")
@pytest.mark.parametrize("script", ["#!/bin/sh\nexec sleep 600\n", "#!/nowhere/at/all\n"], ids=["hangs", "cannot run"])
def test_one_that_does_not_work_is_said(monkeypatch, tmp_path, script):
    program = tmp_path / "strace"
    program.write_text(script)
    program.chmod(0o755)
    monkeypatch.setattr(syscalls.shutil, "which", lambda _name: str(program))
    monkeypatch.setattr(syscalls, "TRIAL_S", 0.2)
    assert syscalls.lacking().startswith("strace(1) cannot be run here: ")


@pytest.mark.usefixtures("unasked")
def test_without_strace_the_remedy_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(syscalls.shutil, "which", lambda _name: None)
    with pytest.raises(WorldError, match="install strace"):
        watched(["relay"], {}, tmp_path / "trace")
