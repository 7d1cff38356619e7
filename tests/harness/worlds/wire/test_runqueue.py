import math
import os
import subprocess
import sys

import pytest
import trio

from harness.worlds.wire import runqueue
from harness.worlds.wire.process_table import run_counts
from harness.worlds.wire.runqueue import Count, RunQueue, lost_ns

MS = 10**6
SPAN_NS = 250 * MS
NOTHING = Count({}, {}, 0, (0, 0))
COUNTS = pytest.mark.skipif(not run_counts(os.getpid()), reason="this kernel does not count how long threads run")


@pytest.mark.parametrize(
    ("now", "lost_ms"),
    [
        (Count({7: 40 * MS}, {7: 90 * MS}, 240 * MS, (0, 0)), 90),
        (Count({7: 40 * MS}, {7: 90 * MS}, 70 * MS, (0, 0)), 30),
        (Count({7: 400 * MS, 8: 90 * MS}, {7: 90 * MS, 8: 400 * MS}, 490 * MS, (0, 0)), 0),
        (Count({7: 40 * MS}, {}, 400 * MS, (0, 0)), 0),
        (Count({}, {}, 0, (20 * MS, 50 * MS)), 50),
        (Count({7: 0}, {7: 900 * MS}, 500 * MS, (0, 0)), 250),
        (Count({}, {}, 0, ()), 0),
    ],
    ids=[
        "others had it",
        "for less than was waited",
        "the run's own threads had it",
        "nobody waited for it",
        "a hypervisor had one",
        "more than there was",
        "nobody counts",
    ],
)
def test_lost_is_what_others_had_while_somebody_waited(now, lost_ms):
    assert lost_ns(NOTHING, now, SPAN_NS) == lost_ms * MS


def test_a_count_that_goes_back_takes_nothing_from_others():
    before = Count({7: 9 * MS, 8: 0}, {7: 9000 * MS, 8: 0}, 100 * MS, (500 * MS,))
    now = Count({7: 1 * MS, 8: 5 * MS}, {7: 1 * MS, 8: 30 * MS}, 200 * MS, (0,))
    assert lost_ns(before, now, SPAN_NS) == 30 * MS


def test_what_was_lost_is_longer_in_a_world_that_is_hurried():
    queue = RunQueue(lambda ns: ns / 1e9 * 4)
    queue.take(10**9, 2 * 10**9, 30 * MS)
    queue.take(2 * 10**9, 3 * 10**9, 0)
    assert list(queue.told()) == [(4.0, 8.0, pytest.approx(0.12))]


def test_each_count_is_held_against_the_one_before(monkeypatch):
    """By a clock of this test: the third count is the last."""
    waits, third = iter([0, 30, 50, math.inf]), trio.Event()

    def counted():
        ms = next(waits)
        if ms == 50:
            third.set()
        return Count({}, {7: ms * MS}, ms * MS, ()) if ms < math.inf else NOTHING

    async def lost():
        queue = RunQueue(lambda ns: ns / 1e9)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(queue.count)
            await third.wait()
            nursery.cancel_scope.cancel()
        return [round(lost_s * 1000) for *_, lost_s in queue.told()]

    monkeypatch.setattr(runqueue, "counted", counted)
    monkeypatch.setattr(runqueue, "COUNT_S", 0.05)
    assert trio.run(lost) == [30, 20]


SPINS = "import time\nend = time.process_time() + 0.1\nwhile time.process_time() < end: pass"


@COUNTS
def test_of_two_that_share_a_processor_both_wait_and_neither_is_another():
    cpu = min(os.sched_getaffinity(0))
    before = runqueue.counted()
    spinners = [
        subprocess.Popen([sys.executable, "-S", "-c", f"import os; os.sched_setaffinity(0, [{cpu}])\n{SPINS}"])
        for _ in range(2)
    ]
    for one in spinners:
        os.waitid(os.P_PID, one.pid, os.WEXITED | os.WNOWAIT)
    counts = [runqueue.run_counts(one.pid)[one.pid] for one in spinners]
    for one in spinners:
        one.wait()
    assert all(ran >= 100 * MS for ran, _ in counts)
    assert sum(waited for _, waited in counts) >= 50 * MS
    assert set(before.waited) >= {os.getpid()}


@COUNTS
def test_whom_this_process_started_is_counted_with_it(tmp_path):
    child = subprocess.Popen([sys.executable, "-S", "-c", "print(1, flush=True); input()"], stdin=-1, stdout=-1)
    child.stdout.readline()
    try:
        now = runqueue.counted()
        assert {os.getpid(), child.pid} <= set(now.waited) == set(now.ran)
        assert now.busy > sum(now.ran.values()) / 2
    finally:
        child.communicate()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("cpu  1 2 3 900 900 4 5 30 0 0\ncpu0 1 0 0 0 0 0 0 10 0 0\ncpu1 0 0 0 0 0 0 0 20 0 0\nintr 5\n", (15, 10, 20)),
        ("cpu  1 2 3\n", (0,)),
        (None, (0,)),
    ],
    ids=["as it is", "of an old kernel", "not there"],
)
def test_what_the_machine_counts(text, found, tmp_path, monkeypatch):
    if text is not None:
        (tmp_path / "stat").write_text(text)
    monkeypatch.setattr(runqueue, "PROC", tmp_path)
    busy, stolen = runqueue._machine()
    assert [busy, *stolen] == [ticks * runqueue.TICK_NS for ticks in found]
