import time

from reference.native import clocks
from reference.native.clocks import instant


def test_all_three_are_read_from_the_system(monkeypatch):
    shown = {clocks.AWAKE: 1.0, clocks.ELAPSED: 2.0}
    monkeypatch.setattr(clocks.time, "clock_gettime", shown.__getitem__)
    monkeypatch.setattr(clocks.time, "time", lambda: 3.0)
    assert (instant().awake_s, instant().elapsed_s, instant().wall_s) == (1.0, 2.0, 3.0)


def test_what_stands_in_sleep_is_not_what_goes_on():
    assert clocks.AWAKE != clocks.ELAPSED
    assert clocks.AWAKE in (time.CLOCK_MONOTONIC, getattr(time, "CLOCK_UPTIME_RAW", None))
