import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import trio

from harness.worlds.wire.process_table import (
    Process,
    everybody,
    found,
    holds_timer,
    kin,
    offspring,
    ran_ticks,
    waited_ns,
    with_environ,
)

MARK = b"WARP_PAGE=/no/such/page"


@pytest.fixture
def started():
    """Starts sleepers with the mark in their environment, each in a session of its own."""
    children = []

    def start(**environ):
        script = "import time; print(1, flush=True); time.sleep(600)"
        child = subprocess.Popen(
            [sys.executable, "-S", "-c", script], env=environ, stdout=subprocess.PIPE, start_new_session=True
        )
        child.stdout.readline()
        children.append(child)
        return child

    yield start
    for child in children:
        child.kill()
        child.communicate()


def test_who_belongs_to_a_program_is_of_its_group_or_has_its_mark(started):
    leader, escaped, other = started(), started(WARP_PAGE="/no/such/page"), started(WARP_PAGE="/another")
    assert {one.pid for one in kin(with_environ(), leader.pid, MARK)} == {leader.pid, escaped.pid}
    assert other.pid in {one.pid for one in everybody()}


def test_whom_they_started_is_theirs_too():
    table = [(Process(pid, 1, group, parent), environ) for pid, group, parent, environ in (
        (2, 0, 0, b""), (10, 10, 1, b""), (13, 13, 12, b""), (12, 12, 10, b""), (20, 20, 1, MARK), (21, 21, 20, b""), (30, 30, 1, b""),
    )]  # fmt: skip
    assert {one.pid for one in kin(table, 10, MARK)} == {10, 12, 13, 20, 21}
    assert {one.pid for one in kin(table, 0, MARK)} == {20, 21}


def test_whom_somebody_started_in_whatever_group_is_offspring():
    table = [Process(pid, 1, pid, parent) for pid, parent in ((13, 12), (12, 10), (10, 1), (30, 1))]
    assert {one.pid for one in offspring([table[2]], table)} == {10, 12, 13}
    assert offspring([], table) == []


COUNTS = Path("/proc/self/schedstat").exists()
"""Whether this kernel counts what threads waited."""


@pytest.mark.skipif(not COUNTS, reason="this kernel counts no waits")
def test_each_thread_has_waited_and_whoever_is_gone_has_not(started):
    child = started()
    assert list(waited_ns(child.pid)) == [child.pid]
    child.kill()
    child.wait()
    assert waited_ns(child.pid) == {}


def test_what_a_child_ran_is_its_parents_when_it_has_ended():
    spins = "import os\nwhile os.times().user < 0.05: pass"
    before = ran_ticks(os.getpid())
    subprocess.run([sys.executable, "-S", "-c", spins], check=True)
    assert ran_ticks(os.getpid()) >= before + 5
    assert ran_ticks(2**22 + 1) == 0


def test_what_anybody_may_read(started):
    one = found(started(WARP_PAGE="/no/such/page").pid)
    assert one.read("environ") == MARK + b"\0"
    assert b"time.sleep(600)" in one.read("cmdline")
    assert one.command == os.path.basename(sys.executable)  # noqa: PTH119 - of a text


def test_a_zombie_does_not_live(started):
    child = started()
    one = found(child.pid)
    assert one.lives
    one.end()
    trio.run(one.ended)
    assert not one.lives
    assert found(child.pid) is None
    assert child.wait() == -9
    one.end()
    trio.run(one.ended)


def test_a_number_that_is_used_again_is_another_process(started):
    pid = started().pid
    assert not Process(pid, 1, pid).lives


def test_a_timer_is_seen_while_it_is_open():
    timer = os.timerfd_create(time.CLOCK_MONOTONIC)
    try:
        assert holds_timer(os.getpid())
    finally:
        os.close(timer)
    assert not holds_timer(os.getpid())


def test_who_is_gone_holds_no_timer(started):
    child = started()
    child.kill()
    child.wait()
    assert not holds_timer(child.pid)
