import contextlib
import os
import signal
import subprocess
import sys
import time

import pytest

from harness.base.errors import WorldError
from harness.run.workers import pool_of

PARENT = """\
import sys

sys.path.insert(0, {here!r})

if __name__ == "__main__":
    import click
    from harness.cli import _Commands
    from harness.run.workers import pool_of
    from somebody import works

    @click.command()
    def long():
        with pool_of(2) as pool:
            list(pool.map(works, range(10)))

    _Commands(commands={{"long": long}})(["long"])
"""

WORK = """\
import os, time

def works(number):
    print(os.getpid(), flush=True)
    time.sleep(600)  # the work that must be cut short; nobody waits for its end
"""


@pytest.fixture
def parent(tmp_path):
    """A process whose two workers have said who they are and work for ten minutes; all of them in a group of their own."""
    (tmp_path / "somebody.py").write_text(WORK)
    script = tmp_path / "parent.py"
    script.write_text(PARENT.format(here=os.fspath(tmp_path)))
    process = subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    process.workers = [int(process.stdout.readline()) for _ in range(2)]
    yield process
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def are_gone(pids):
    """Whether all of these processes end within ten seconds."""
    for _ in range(1_000):
        if not any(map(lives, pids)):
            return True
        time.sleep(0.01)  # polls; no outcome rests on the interval
    return False


def lives(pid):
    """Whether a process runs; one that ended may wait for its parent to look, and then it has a state of its own."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return state.strip() not in ("", "Z", "Zs", "Z+")


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_workers_leave_with_a_parent_that_is_killed(parent, how):
    parent.send_signal(how)
    assert parent.wait(10) == -how
    assert are_gone(parent.workers)


@pytest.mark.slow
@pytest.mark.parametrize("whom", ["the parent", "the terminal"])
def test_an_interrupt_ends_all_of_them_with_one_line(parent, whom):
    (os.kill if whom == "the parent" else os.killpg)(parent.pid, signal.SIGINT)
    _, said = parent.communicate(timeout=10)
    assert said == "Interrupted: what was under way has no verdict.\n"
    assert parent.returncode == 2
    assert are_gone(parent.workers)


@pytest.mark.slow
def test_a_worker_that_dies_is_an_error_with_a_remedy():
    with pytest.raises(WorldError, match="-n 1"), pool_of(1) as pool:
        pool.submit(os._exit, 1).result()


@pytest.mark.slow
def test_a_pool_that_is_left_in_peace_has_done_its_work():
    with pool_of(1) as pool:
        work = pool.submit(os.getpid)
    assert work.result() != os.getpid()
    assert are_gone([work.result()])
