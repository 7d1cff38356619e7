"""The canary: fails loudly when trio changes what the simulator relies on."""

import gc
import random
from pathlib import Path

import pytest
import trio
from trio._core import _run

from harness.base.errors import WorldError
from harness.history.journal import history_sha256
from harness.run.runner import run_plan
from harness.scenario.expand import plans
from harness.worlds.sim import trio_compat
from harness.worlds.sim.kernel import Kernel


def test_installed_trio_is_supported():
    trio_compat.verify()


def test_untested_trio_is_refused():
    with pytest.raises(WorldError, match="never tested"):
        trio_compat.verify("9.9.0")


def test_missing_private_name_is_named(monkeypatch):
    monkeypatch.delattr(_run, "_r")
    with pytest.raises(WorldError, match="_r"):
        trio_compat.verify()


def test_schedule_follows_the_seed_and_nothing_stays_patched(make_world):
    before = _run._ALLOW_DETERMINISTIC_SCHEDULING, _run._r

    def order(seed):
        world, names = make_world(seed), []

        async def child(name):
            for _ in range(3):
                names.append(name)
                await trio.lowlevel.checkpoint()

        async def program():
            async with trio.open_nursery() as nursery:
                for name in "abcdefgh":
                    nursery.start_soon(child, name)

        world.client.boot(program)
        world.sim.run(until=1.0)
        world.sim.close()
        return "".join(names)

    assert order(1) == order(1)
    assert len({order(seed) for seed in range(8)}) > 1
    assert (_run._ALLOW_DETERMINISTIC_SCHEDULING, _run._r) == before


def test_two_runs_share_a_thread(make_world):
    world = make_world()
    for machine in (world.server, world.client):

        async def program(machine=machine):
            for _ in range(3):
                world.note(machine.name, trio.lowlevel.current_task().name)
                await trio.sleep(1)

        machine.boot(program)
    world.sim.run(until=10.0)
    assert [said[1] for said in world.said] == ["server", "client"] * 3
    assert not trio_compat.in_trio_run()


def test_simulation_inside_a_trio_run_is_refused(make_world):
    async def main():
        with pytest.raises(WorldError, match="inside a trio run"):
            make_world()

    trio.run(main)


def test_scheduling_random_is_a_stream_of_the_machine():
    state = random.getstate()
    with trio_compat.reproducible_scheduling():
        assert _run._ALLOW_DETERMINISTIC_SCHEDULING
    assert random.getstate() == state


@pytest.mark.slow
def test_a_round_that_nobody_else_could_use_changes_nothing(monkeypatch):
    (plan, *_) = plans(Path("scenarios/outage/ten-minute-outage.yaml"))
    with_rounds_left_out = run_plan(plan).history
    monkeypatch.setattr(trio_compat.GuestRun, "must_yield", lambda _: True)
    assert history_sha256(run_plan(plan).history) == history_sha256(with_rounds_left_out)


@pytest.mark.slow
def test_a_loop_of_nothing_but_checkpoints_is_still_found_out(make_world):
    async def program():
        while True:
            await trio.lowlevel.checkpoint()

    world = make_world()
    world.client.boot(program)
    with pytest.raises(WorldError, match="livelock"):
        world.sim.run(until=1.0)


def kernels():
    gc.collect()
    return sum(isinstance(kept, Kernel) for kept in gc.get_objects())


@pytest.mark.slow
def test_a_run_that_is_over_leaves_nothing_behind():
    (plan, *_) = plans(Path("scenarios/outage/ten-minute-outage.yaml"))
    run_plan(plan)
    before = kernels()
    run_plan(plan)
    assert kernels() <= before
