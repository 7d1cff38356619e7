import os
import subprocess
import sys
from pathlib import Path

import pytest
import trio

from harness.worlds.wire import runqueue
from harness.worlds.wire.runqueue import TICK_S, Count, RunQueue

S = 10**9


def told(before, now, rate=1):
    """Of two counts a true second apart, in a world of a rate."""
    queue = RunQueue(lambda ns: ns / S * rate)
    queue.take(S, 2 * S, before, now)
    (wait,) = queue.told()
    return tuple(round(value, 6) for value in wait)


def test_what_is_told_of_a_span_is_longer_in_a_world_that_is_hurried():
    now = Count({7: 0.03}, 0.5, 0.7, (0.01, 0.02))
    assert told(Count({}, 0.0, 0.0, (0.0, 0.0)), now) == (1.0, 2.0, 0.03, 0.2, 0.02)
    assert told(Count({}, 0.0, 0.0, (0.0, 0.0)), now, rate=4) == (4.0, 8.0, 0.12, 0.8, 0.08)


@pytest.mark.parametrize(
    ("before", "now", "waited_s", "others_s", "stolen_s"),
    [
        (Count({7: 1.0, 8: 2.0}, 5.0, 9.0), Count({7: 1.1, 8: 2.2, 9: 0.3}, 5.4, 9.9), 0.6, 0.5, 0.0),
        (Count({7: 9.0}, 1.0, 1.0), Count({7: 0.001}, 1.0, 1.0), 0.0, 0.0, 0.0),
        (Count({}, 1.0, 1.0), Count({}, 1.3, 1.28), 0.0, -0.02, 0.0),
        (Count(stolen=(5.0, 1.0)), Count(stolen=(0.0, 1.1)), 0.0, 0.0, 0.1),
        (Count(stolen=(5.0,)), Count(stolen=(0.0,)), 0.0, 0.0, 0.0),
        (Count(), Count(), 0.0, 0.0, 0.0),
    ],
    ids=["all together", "a number that was another's", "grain", "one went back", "all went back", "nobody counts"],
)
def test_what_is_told_is_what_came_between(before, now, waited_s, others_s, stolen_s):
    assert told(before, now)[2:] == (waited_s, others_s, stolen_s)


def test_each_count_is_held_against_the_one_before(monkeypatch):
    waits, third = iter([0.0, 0.03, 0.05, 0.05]), trio.Event()

    def counted():
        waited_s = next(waits)
        if waited_s == 0.05:
            third.set()
        return Count({7: waited_s})

    async def lost():
        queue = RunQueue(lambda ns: ns / S)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(queue.count)
            await third.wait()
            nursery.cancel_scope.cancel()
        return [round(one.waited_s, 6) for one in queue.told()][:2]

    monkeypatch.setattr(runqueue, "counted", counted)
    monkeypatch.setattr(runqueue, "COUNT_S", 0.05)
    assert trio.run(lost) == [0.03, 0.02]


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="this kernel counts no waits")
def test_whom_this_process_started_is_of_the_run_and_what_it_ran_stays_when_it_ends():
    spins = "import os\nwhile os.times().user < 0.05: pass\nprint(1, flush=True); input()"
    before = runqueue.counted()
    child = subprocess.Popen([sys.executable, "-S", "-c", spins], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child.stdout.readline()
    now = runqueue.counted()
    child.communicate()
    after = runqueue.counted()
    assert {os.getpid(), child.pid} <= set(now.waited)
    assert child.pid not in after.waited
    assert before.ran + 0.05 - TICK_S <= now.ran <= after.ran
    assert now.busy - before.busy >= 0.05 - 2 * TICK_S


@pytest.mark.parametrize(
    ("text", "busy", "stolen"),
    [
        ("cpu  1 2 3 9 9 4 5 30\ncpu0 1 2 3 900 900 4 5 10 0 0\ncpu1 5 0 0 0 0 0 0 20\ncpu2 50 0 0 0 0 0 0 60\nintr 5\n", 20, (10, 20)),
        ("cpu  1 2 3\ncpu0 1 2 3\n", 0, ()),
        (None, 0, ()),
    ],
    ids=["of those that the run may use", "of an old kernel", "not there"],
)  # fmt: skip
def test_what_the_machine_counts(text, busy, stolen, tmp_path, monkeypatch):
    if text is not None:
        (tmp_path / "stat").write_text(text)
    monkeypatch.setattr(runqueue, "PROC", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 1})
    found = runqueue._machine()
    assert found == (pytest.approx(busy * TICK_S), tuple(pytest.approx(one * TICK_S) for one in stolen))
