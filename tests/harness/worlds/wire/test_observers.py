import subprocess
import sys
from types import SimpleNamespace

import pytest
import trio

from harness.worlds.wire import observers
from harness.worlds.wire.observers import Observer, look
from harness.worlds.wire.process_table import found
from harness.worlds.wire.secrets import Secrets

SECRETS = Secrets(("rcr_0123456789abcdef",), frozenset({b"rca_live"}), "/no/such/page")
NOBODY = 1 << 22  # above any process's number, proc(5) pid_max
SLEEPS = "import time; print(1, flush=True); time.sleep(600)"


@pytest.fixture
def child():
    environ = {"WARP_PAGE": "/no/such/page", "TOKEN": "rca_live"}
    process = subprocess.Popen([sys.executable, "-S", "-c", SLEEPS], env=environ, stdout=subprocess.PIPE)
    process.stdout.readline()
    yield process
    process.kill()
    process.communicate()


def observer(state, now=lambda: 7.0):
    return Observer(b"/no/such/page", state, now)


def told(one, what):
    return [data for _, name, data in one.tell(SECRETS) if name == what]


def test_what_a_program_shows(tmp_path, child):
    log = tmp_path / "log"
    log.write_bytes(b"who: rcr_0123456789abcdef")
    one = observer(tmp_path / "state")
    one.begin(SimpleNamespace(pid=child.pid, log=log))
    look([one])
    look([one])
    shown = {(data["where"], data["whose"]): data for data in told(one, "process.shown")}
    assert shown["argv", "program"]["canaries"] == []
    assert shown["environment", "program"]["canaries"] == ["access-token", "public"]
    assert shown["environment", "program"]["texts"] == 1
    assert shown["log", "program"] == {
        "where": "log",
        "whose": "program",
        "texts": 1,
        "bytes": 25,
        "canaries": ["enrolment"],
        "truncated": False,
    }
    assert not any(data["truncated"] for data in shown.values())


def test_what_it_started_is_told_apart(tmp_path, child):
    one = observer(tmp_path)
    one.begin(SimpleNamespace(pid=NOBODY, log=tmp_path / "log"))
    look([one])
    assert {data["whose"] for data in told(one, "process.shown") if data["where"] != "log"} == {"child"}
    assert child.poll() is None


STARTS = """
import subprocess, sys
sleeps = [sys.executable, "-S", "-c", "import time; print(1, flush=True); time.sleep(600)", "rcr_0123456789abcdef"]
for session in (False, True):
    subprocess.Popen(sleeps, env={}, start_new_session=session, stdout=subprocess.PIPE).stdout.readline()
print(1, flush=True)
input()
"""


@pytest.mark.parametrize("environ", [{}, {"WARP_PAGE": "/no/such/page"}], ids=["by its group", "by its mark"])
def test_a_child_that_hides_its_environment_is_looked_at(tmp_path, environ):
    command = [sys.executable, "-S", "-c", STARTS]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, env=environ, start_new_session=True, **pipes) as program:
        program.stdout.readline()
        one = observer(tmp_path)
        one.begin(SimpleNamespace(pid=program.pid, log=tmp_path / "log"))
        try:
            assert len(one.heirs(SimpleNamespace(pid=program.pid))) == 2
            look([one])
        finally:
            for heir in one.heirs(SimpleNamespace(pid=program.pid)):
                heir.end()
            program.kill()
    shown = {(data["where"], data["whose"]): data["canaries"] for data in told(one, "process.shown")}
    assert shown["argv", "child"] == ["enrolment"]
    one.end()
    assert not one.heirs(SimpleNamespace(pid=NOBODY))


def test_what_is_beyond_the_limits_is_said(tmp_path, child, monkeypatch):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "long").write_bytes(b"12345")
    (tmp_path / "log").write_bytes(b"12345")
    monkeypatch.setattr(observers, "BYTES_MAX", 4)
    one = observer(tmp_path / "state")
    one.begin(SimpleNamespace(pid=child.pid, log=tmp_path / "log"))
    look([one])
    assert {data["path"]: data["truncated"] for data in told(one, "file.kept")} == {".": False, "long": True}
    shown = {data["where"]: data["truncated"] for data in told(one, "process.shown")}
    assert shown == {"argv": False, "environment": False, "log": True}
    monkeypatch.setattr(observers, "FILES_MAX", 1)
    monkeypatch.setattr(observers, "TEXTS_MAX", 1)
    one = observer(tmp_path / "state")
    one.begin(SimpleNamespace(pid=child.pid, log=tmp_path / "log"))
    look([one])
    assert {data["path"]: data["truncated"] for data in told(one, "file.kept")} == {".": True}


def test_modes_of_what_it_keeps(tmp_path, child):
    state = tmp_path / "state"
    (state / "in").mkdir(parents=True)
    state.chmod(0o700)
    (state / "in").chmod(0o711)
    (state / "in" / "store").write_bytes(b"rca_live")
    (state / "in" / "store").chmod(0o640)
    (state / "link").symlink_to("/etc/passwd")
    one = observer(state)
    look([one])
    (state / "in" / "store").chmod(0o600)
    look([one])
    kept = [(data["path"], data["folder"], data["mode"], data["canaries"]) for data in told(one, "file.kept")]
    store = [("in/store", False, mode, ["access-token"]) for mode in ("0640", "0600")]
    assert kept == [(".", True, "0700", []), ("in", True, "0711", []), *store]


def test_whoever_outlives_it_is_told_and_ended(tmp_path, child, monkeypatch):
    monkeypatch.setattr(observers, "LINGER_S", 0.05)
    one = observer(tmp_path)
    heirs = one.heirs(SimpleNamespace(pid=NOBODY))
    assert [heir.pid for heir in heirs] == [child.pid]
    trio.run(one.outlived, heirs)
    (data,) = told(one, "process.survived")
    assert data["alive"] == 1
    assert child.wait(10) == -9


def test_whoever_ends_in_time_is_not(tmp_path, child):
    one = observer(tmp_path)
    heirs = [found(child.pid)]
    child.kill()
    trio.run(one.outlived, heirs)
    assert told(one, "process.survived") == [{"alive": 0, "commands": []}]
