"""Libraries read the clock of their machine; loud if one of them changes."""

import http.cookiejar
import time

import pytest
import trio

from harness.base.errors import WorldError
from harness.worlds.sim import libclock
from harness.worlds.sim.clocks import EPOCH_S


def test_named_modules_still_have_a_time_of_their_own():
    for module in libclock.verify():
        assert module.time is time, module.__name__


def test_module_that_changed_is_named(monkeypatch):
    monkeypatch.setattr(libclock, "MODULES", ("harness.base.rank",))
    with pytest.raises(WorldError, match=r"harness\.base\.rank"):
        libclock.verify()


def test_elapsed_time_of_a_response_is_simulated(world):
    answers = []

    async def get():
        answers.append(await world.get())

    world.server.boot(world.serve_https)
    world.client.boot(get)
    world.sim.run(until=10.0)
    assert answers[0].elapsed.total_seconds() == pytest.approx(0.125, abs=0.001)


def test_readings_are_those_of_the_running_machine(world):
    async def program():
        await trio.sleep(100)
        clock = http.cookiejar.time
        world.note(clock.time() - EPOCH_S, clock.monotonic() - world.client.clocks.monotonic())
        world.note(clock.time_ns() // 10**9 - EPOCH_S, clock.perf_counter_ns() - world.client.clocks.monotonic_ns())

    world.client.boot(program)
    world.sim.run(until=200.0)
    assert [said[1:] for said in world.said] == [(100.0, 0.0), (100, 0)]
    assert abs(http.cookiejar.time.time() - time.time()) < 5
    world.sim.close()
    assert http.cookiejar.time is time
