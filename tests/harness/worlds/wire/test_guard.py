import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.worlds.wire import guard
from harness.worlds.wire.namespaces import unavailable


def sleeper(before=(), **environ):
    command = [*before, sys.executable, "-c", "import time; time.sleep(600)"]
    return subprocess.Popen(command, start_new_session=True, env=os.environ | environ)


@contextmanager
def reaped(*started):
    try:
        yield
    finally:
        for one in started:
            one.kill()
            one.wait()


def test_what_it_was_told_of_is_gone_at_the_end(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "state").write_text("x")
    gone, spared = sleeper(), sleeper()
    guard.main([f"folder {folder}\n", f"+ {gone.pid}\n", f"+ {spared.pid}\n", f"- {spared.pid}\n", "+ 999999999\n"])
    assert gone.wait(10) == -9
    assert spared.poll() is None
    spared.kill()
    spared.wait()
    assert not folder.exists()


def test_whoever_left_its_group_is_known_by_the_folder_in_its_environment(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    gone, spared = sleeper(HOME=f"{folder}/home"), sleeper(HOME=f"{tmp_path}/other")
    with reaped(gone, spared):
        guard.main([f"folder {folder}\n"])
        assert gone.wait(10) == -9
        assert spared.poll() is None


@pytest.mark.skipif(bool(unavailable()), reason=unavailable() or "they can be had")
def test_whoever_hides_its_environment_is_known_by_its_namespace():
    gone, spared = sleeper(["unshare", "--net"]), sleeper()
    with reaped(gone, spared):
        own, place = Path("/proc/self/ns/net"), Path(f"/proc/{gone.pid}/ns/net")
        while place.readlink() == own.readlink():
            time.sleep(0.01)
        guard.main([f"place {place}\n", f"place {own}\n", "place /proc/999999999/ns/net\n"])
        assert gone.wait(10) == -9
        assert spared.poll() is None


@pytest.mark.slow
def test_it_cleans_up_after_a_harness_that_was_killed(tmp_path):
    script = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
command = [sys.executable, "-I", "-S", {str(Path(guard.__file__))!r}]
watch = subprocess.Popen(command, stdin=subprocess.PIPE, text=True, start_new_session=True)
watch.stdin.write(f"+ {{child.pid}}\\n"); watch.stdin.flush()
print(child.pid, flush=True)
time.sleep(600)
"""
    harness = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    child = int(harness.stdout.readline())
    harness.kill()
    harness.communicate()
    end = subprocess.run(["tail", "--pid", str(child), "-f", "/dev/null"], timeout=30, check=False)
    assert end.returncode == 0
