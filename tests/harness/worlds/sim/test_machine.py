"""Machines: programs, sleep, freeze, kill, livelock."""

import gc

import pytest
import trio

from harness.base.errors import WorldError


async def _beat(world, every_s=1.0):
    while True:
        world.note("beat")
        await trio.sleep(every_s)


def test_program_runs_in_virtual_time_and_reports_its_end(world):
    ends = []

    async def program():
        await trio.sleep(3600)
        return "done"

    world.client.boot(program, on_exit=ends.append)
    world.sim.run(until=3599.0)
    assert world.client.alive
    world.sim.run(until=3601.0)
    assert not world.client.alive
    assert ends[0].unwrap() == "done"
    assert world.client.awake_s == pytest.approx(3600.0)


def test_program_that_raises_ends_with_its_error(world):
    async def program():
        raise ValueError("broken")

    world.client.boot(program)
    world.sim.run(until=1.0)
    with pytest.raises(ValueError, match="broken"):
        world.client.result.unwrap()


def test_clocks_start_past_zero_and_differ_between_machines(world):
    readings = {machine.clocks.monotonic() for machine in (world.server, world.client)}
    assert len(readings) == 2
    assert min(readings) >= 1000


def test_trio_sees_monotonic_of_its_machine(world):
    async def program():
        world.note(trio.current_time() - world.client.clocks.monotonic())

    world.client.boot(program)
    world.sim.run(until=1.0)
    assert world.said == [(0.0, 0.0)]


def test_sleeping_machine_makes_no_progress_and_timers_wait_for_awake_time(world):
    async def program():
        await trio.sleep(10)
        world.note("rang")

    world.client.boot(program)
    world.sim.run(until=4.0)
    world.client.suspend()
    world.sim.run(until=604.0)
    assert world.said == []
    assert world.client.resume() == 600.0
    world.sim.run(until=700.0)
    assert world.said == [(610.0, "rang")]
    assert world.client.awake_s == pytest.approx(10.0)


def test_frozen_machine_makes_no_progress_but_its_clock_runs(world):
    async def program():
        await trio.sleep(10)
        world.note("rang")

    world.client.boot(program)
    world.sim.run(until=4.0)
    world.client.freeze()
    world.sim.run(until=604.0)
    assert world.said == []
    assert world.client.thaw() == 600.0
    world.sim.run(until=700.0)
    assert world.said == [(604.0, "rang")]


def test_dark_wake_lets_the_program_run_for_a_moment(world):
    world.client.boot(lambda: _beat(world))
    world.sim.run(until=0.5)
    world.client.suspend()
    world.sim.run(until=100.0)
    world.client.dark_wake(2.2)
    world.sim.run(until=200.0)
    assert [said[0] for said in world.said] == [0.0, 100.5, 101.5]
    assert world.client.suspended


@pytest.mark.parametrize("how", ["process", "power"])
def test_killed_program_runs_no_finally_block_while_anybody_watches(world, how):
    async def program():
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_beat, world)
                await trio.sleep_forever()
        finally:
            world.note("finally")
            await trio.sleep(1)

    world.client.boot(program)
    world.sim.run(until=2.5)
    world.client.kill(how)
    world.sim.run(until=10.0)
    assert [said[1] for said in world.said] == ["beat"] * 3
    assert not world.client.alive
    world.sim.close()
    gc.collect()


def test_killed_generators_are_buried_without_a_warning(world):
    async def numbers():
        try:
            while True:
                yield 1
                await trio.sleep(1)
        finally:
            await trio.sleep(5)

    async def program():
        async for _ in numbers():
            world.note("number")

    world.client.boot(program)
    world.sim.run(until=2.5)
    world.client.kill("power")
    world.sim.close()
    gc.collect()
    assert len(world.said) == 3


def test_power_cut_restarts_clocks_and_entropy_process_kill_only_entropy(world):
    draws, readings = [], []

    async def program():
        draws.append(world.client.entropy.random())
        readings.append(world.client.clocks.monotonic())
        await trio.sleep_forever()

    for how in ("process", "power", "process"):
        world.client.boot(program)
        world.sim.run(until=world.sim.now + 100_000.0)
        world.client.kill(how)
    assert len(set(draws)) == 3
    assert readings[1] - readings[0] == pytest.approx(100_000.0)
    assert readings[2] < readings[1]


def test_inject_reaches_the_program(world):
    async def program():
        send, receive = trio.open_memory_channel(10)
        world.say = send
        async for word in receive:
            world.note(word)

    world.client.boot(program)
    world.sim.run(until=5.0)
    world.client.inject(lambda: world.say.send_nowait("hello"))
    world.sim.run(until=6.0)
    assert world.said == [(5.0, "hello")]


def test_inject_without_a_program_is_an_error(world):
    with pytest.raises(WorldError, match="client runs no program"):
        world.client.inject(lambda: None)


def test_second_program_is_refused(world):
    world.client.boot(trio.sleep_forever)
    with pytest.raises(WorldError, match="already"):
        world.client.boot(trio.sleep_forever)


@pytest.mark.slow
def test_program_that_spins_is_named(world):
    async def program():
        while True:
            await trio.lowlevel.checkpoint()

    world.client.boot(program)
    with pytest.raises(WorldError, match="livelock: client"):
        world.sim.run(until=1.0)
