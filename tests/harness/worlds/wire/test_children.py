import signal
import sys
import tempfile

import pytest
import trio

from harness.base.errors import WorldError
from harness.worlds.wire import children
from harness.worlds.wire.children import Children

SLEEPS = "import time; print('up', flush=True); time.sleep(600)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"


def with_child(script, act):
    async def main():
        with Children() as children:
            child = await children.start("child", [sys.executable, "-c", script], {}, talks=True)
            assert await child.process.stdout.receive_some() == b"up\n"
            return await act(children, child), children.folder

    return trio.run(main)


def test_a_child_that_is_asked_leaves():
    code, folder = with_child(SLEEPS, lambda children, child: children.end(child))
    assert code == -signal.SIGTERM
    assert not folder.exists()


def test_a_child_that_does_not_listen_is_ended(monkeypatch):
    monkeypatch.setattr("harness.worlds.wire.children.GRACE_S", 0.05)
    code, _ = with_child(DEAF, lambda children, child: children.end(child))
    assert code == -signal.SIGKILL


def test_a_stopped_child_is_ended_too():
    async def stop(children, child):
        child.signal(signal.SIGSTOP)
        return await children.end(child)

    assert with_child(SLEEPS, stop)[0] == -signal.SIGTERM


def test_nobody_is_left():
    async def leave(children, child):
        await children.reap_all()
        return child.process.returncode

    assert with_child(SLEEPS, leave)[0] == -signal.SIGKILL


def test_what_it_said_last_can_be_quoted():
    async def words(children, child):
        await children.end(child)
        return child.last_words()

    assert with_child("import sys; print('up', flush=True); sys.exit('no such file')", words)[0] in ("", "no such file")


def test_a_program_that_is_not_there_is_said():
    async def main():
        with Children() as children:
            await children.start("child", ["/no/such/program"], {}, talks=True)

    with pytest.raises(WorldError, match="child: cannot start '/no/such/program'"):
        trio.run(main)


def test_no_folder_is_made_that_nobody_would_remove(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(children, "GUARD", tmp_path / "missing.py")
    with pytest.raises(WorldError, match="ended at once"), Children():
        pass
    assert list(tmp_path.iterdir()) == []
