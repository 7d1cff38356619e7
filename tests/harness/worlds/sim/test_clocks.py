"""Three clocks of a machine."""

import pytest

from harness.worlds.sim.clocks import EPOCH_S, NS, MachineClocks


class Now:
    ns = 0

    def __call__(self):
        return self.ns


@pytest.fixture
def now():
    return Now()


def test_sleep_stops_monotonic_only(now):
    clocks = MachineClocks(now, 5 * NS)
    now.ns = 10 * NS
    clocks.suspend()
    now.ns = 610 * NS
    assert clocks.monotonic() == 15.0
    assert clocks.boottime() == 615.0
    assert clocks.realtime() == EPOCH_S + 610.0
    clocks.resume()
    now.ns = 620 * NS
    assert clocks.monotonic() == 25.0
    assert clocks.boottime() == 625.0


def test_step_moves_the_calendar_only(now):
    clocks = MachineClocks(now, NS)
    clocks.step(-3600.0)
    assert clocks.realtime() == EPOCH_S - 3600.0
    assert (clocks.monotonic(), clocks.boottime()) == (1.0, 1.0)


def test_drift_bends_the_calendar_and_what_it_gained_stays(now):
    clocks = MachineClocks(now, NS)
    clocks.drift(500.0)
    now.ns = 1000 * NS
    assert clocks.realtime() == pytest.approx(EPOCH_S + 1000.5, abs=1e-6)
    assert clocks.monotonic() == 1001.0
    assert clocks.drift(0.0) == (0.5, 1000.0)
    now.ns = 2000 * NS
    assert clocks.realtime() == pytest.approx(EPOCH_S + 2000.5, abs=1e-6)


def test_true_time_of_a_deadline_counts_past_sleep(now):
    clocks = MachineClocks(now, 5 * NS)
    clocks.suspend()
    now.ns = 100 * NS
    clocks.resume()
    assert clocks.true_ns(7 * NS) == 102 * NS


def test_reboot_restarts_all_but_the_calendar(now):
    clocks = MachineClocks(now, 50 * NS)
    clocks.step(5.0)
    now.ns = 100 * NS
    clocks.reboot(3 * NS)
    assert (clocks.monotonic(), clocks.boottime()) == (3.0, 3.0)
    assert clocks.realtime() == EPOCH_S + 105.0
