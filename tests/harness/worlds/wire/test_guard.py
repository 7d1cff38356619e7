import subprocess
import sys
from pathlib import Path

import pytest

from harness.worlds.wire import guard


def sleeper():
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)


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
