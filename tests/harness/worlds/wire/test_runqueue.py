import os
import subprocess
import sys

import pytest
import trio

from harness.worlds.wire import runqueue
from harness.worlds.wire.runqueue import RunQueue


def test_what_was_waited_is_longer_in_a_world_that_is_hurried():
    queue = RunQueue(lambda ns: ns / 1e9 * 4)
    queue.take(10**9, 2 * 10**9, 30_000_000)
    queue.take(2 * 10**9, 3 * 10**9, 0)  # nobody waited: nothing to tell
    assert list(queue.told()) == [(4.0, 8.0, pytest.approx(0.12))]


def test_only_what_was_waited_since_the_last_look_counts(monkeypatch):
    monkeypatch.setattr(runqueue, "SPAN_S", 0.01)
    reads = iter([{0: 10_000_000, 7: 500}, {0: 10_000_000, 7: 1_000_500, 8: 2_000_000}, {0: 10_000_000}])

    async def counted():
        queue = RunQueue(lambda ns: ns / 1e9, lambda: next(reads))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(queue.count)
            await trio.sleep(0.025)
            nursery.cancel_scope.cancel()
        return [round(waited_s, 6) for *_, waited_s in queue.told()]

    # A thread that began meanwhile counts from its beginning; of whoever has ended nothing more is known.
    assert trio.run(counted)[:1] == [0.003]


@pytest.mark.skipif(not runqueue.run_delays_ns(os.getpid()), reason="this kernel does not count what threads wait")
def test_two_that_need_one_processor_wait_for_each_other():
    spins = "import time\nend = time.monotonic() + 0.3\nwhile time.monotonic() < end: pass"
    cpu = min(os.sched_getaffinity(0))

    def both():
        spinners = [
            subprocess.Popen([sys.executable, "-S", "-c", f"import os; os.sched_setaffinity(0, [{cpu}])\n{spins}"])
            for _ in range(2)
        ]
        before = runqueue._read_ns()
        for one in spinners:
            os.waitid(os.P_PID, one.pid, os.WEXITED | os.WNOWAIT)  # zombies: they can still be read
        after = {thread: ns for one in spinners for thread, ns in runqueue.run_delays_ns(one.pid).items()}
        for one in spinners:
            one.wait()
        return sum(ns - before.get(thread, 0) for thread, ns in after.items())

    assert both() > 100_000_000


def test_what_a_hypervisor_took_is_in_it(tmp_path, monkeypatch):
    (tmp_path / "stat").write_text("cpu  1 2 3 4 5 6 7 25 0 0\n")
    monkeypatch.setattr(runqueue, "PROC", tmp_path)
    assert runqueue._stolen_ns() == 25 * runqueue.TICK_NS
    (tmp_path / "stat").write_text("cpu  1 2 3\n")
    assert runqueue._stolen_ns() == 0
