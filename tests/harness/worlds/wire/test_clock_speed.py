import shutil
import sys

import pytest

from harness.base.errors import WorldError
from harness.worlds.wire import clock_speed
from harness.worlds.wire.clock_speed import PROGRAMS, Span, Told, line
from harness.worlds.wire.warp import WorldClock

needs_cc = pytest.mark.skipif(shutil.which("cc") is None, reason="a C compiler makes the shim")


def measured(monkeypatch, command=PROGRAMS["CPython"]):
    monkeypatch.setattr(clock_speed, "PROGRAMS", {"CPython": command})
    monkeypatch.setattr(clock_speed, "OUTAGE_S", 6.0)
    return list(clock_speed.clock_speed())


@needs_cc
def test_the_clocks_of_a_program_stay_true(monkeypatch):
    asleep, waiting = measured(monkeypatch)
    assert (asleep.lasts_s, waiting.lasts_s) == (8 * 3600.0, 6.0)
    assert all(share < 0.01 for share in [*asleep.off.values(), *waiting.off.values()])
    assert waiting.wall_s < 6.0


@needs_cc
def test_clocks_that_nobody_tells_of_a_sleep_are_found_out(monkeypatch):
    monkeypatch.setattr(WorldClock, "tell", lambda _self: None)
    asleep, _waiting = measured(monkeypatch)
    assert asleep.off["monotonic_s"] < 0.01
    assert asleep.off["boottime_s"] > 0.99
    assert asleep.off["wall_s"] > 0.99


@needs_cc
@pytest.mark.parametrize("script", ["pass", "print('hello')", "print(1)", "import time; time.sleep(600)"])
def test_a_program_that_does_not_answer_is_named(script, monkeypatch):
    monkeypatch.setattr(clock_speed, "DEADLINE_S", 1.0)
    with pytest.raises(WorldError, match="CPython ended"):
        measured(monkeypatch, (sys.executable, "-c", script))


def test_a_clock_that_a_program_has_not_is_a_dash():
    off = dict(zip(Told._fields, (0.0, None, 0.25), strict=True))
    told = line(Span("Node", "asleep", 60.0, 1.5, off))
    assert told.split() == ["Node", "asleep", "60", "s", "1.50", "s", "0.000%", "-", "25.000%"]
