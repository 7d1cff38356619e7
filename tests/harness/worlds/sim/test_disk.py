"""What a power cut takes, and what a sync costs."""

import errno

import pytest
import trio

from harness.base.errors import WorldError
from harness.worlds.sim.disk import SimDisk, SimHome, SimStore


def _on(world, program):
    world.client.boot(program)
    world.sim.run(until=world.sim.now + 10.0)
    return world.client.result.unwrap()


def test_unsynced_data_survives_the_process_and_not_the_power():
    disk = SimDisk()
    disk.write("a", b"old")
    disk.sync("a")
    disk.write("a", b"new")
    disk.write("b", b"never synced")
    assert disk.read("a") == b"new"
    disk.power_cut()
    assert disk.read("a") == b"old"
    assert disk.names() == ["a"]


def test_power_cut_of_a_machine_reaches_its_disk(world):
    world.sim.disk("client").write("a", b"x")
    world.perform("kill", machine="client", how="process")
    assert world.sim.disk("client").read("a") == b"x"
    world.perform("kill", machine="client", how="power")
    assert world.sim.disk("client").read("a") is None


def test_store_keeps_what_it_committed_and_loses_what_it_did_not(world):
    disk = SimDisk()

    async def commit_and_die():
        store = SimStore(disk)
        await store.commit([b"one", b"two"])
        world.note("committed")
        await store.commit([b"three"])

    world.client.boot(commit_and_die)
    world.sim.run(stop=lambda: bool(world.said))
    world.sim.run(until=world.sim.now + 0.001)
    world.client.kill("power")
    disk.power_cut()

    assert world.said == [(0.002, "committed")]
    assert _on(world, SimStore(disk).load) == [b"one", b"two"]


def test_torn_end_is_ignored(world):
    disk = SimDisk()
    disk.write("store.log", (3).to_bytes(4) + b"one" + (9).to_bytes(4) + b"tw")
    assert _on(world, SimStore(disk).load) == [b"one"]


def test_failed_sync_is_fatal_to_the_store(world):
    disk = SimDisk()

    async def program():
        store = SimStore(disk)
        await store.commit([b"one"])
        disk.fault = "sync_error"
        with pytest.raises(OSError, match="Input/output") as error:
            await store.commit([b"two"])
        disk.fault = None
        with pytest.raises(OSError, match="earlier sync"):
            await store.commit([b"three"])
        return error.value.errno, await store.load()

    assert _on(world, program) == (errno.EIO, [b"one"])


def test_full_disk(world):
    disk = SimDisk()
    disk.fault = "full"

    async def program():
        with pytest.raises(OSError, match="No space") as error:
            await SimStore(disk).commit([b"one"])
        return error.value.errno

    assert _on(world, program) == errno.ENOSPC
    with pytest.raises(OSError, match="No space"):
        SimHome(disk).write("a", b"x")


def test_home_is_durable_at_once():
    disk = SimDisk()
    home = SimHome(disk)
    assert home.read("key") is None
    home.write("key", b"secret")
    disk.power_cut()
    assert home.read("key") == b"secret"


def test_commits_of_two_tasks_do_not_overlap(world):
    disk = SimDisk()

    async def program():
        store = SimStore(disk)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(store.commit, [b"one"])
            nursery.start_soon(store.commit, [b"two"])
        await store.aclose()
        return sorted(await store.load()), disk.syncs, round(world.sim.now, 3)

    assert _on(world, program) == ([b"one", b"two"], 2, 0.004)


def test_a_full_disk_refuses_what_is_written_and_tells_the_world(world):
    disk = world.sim.disk("client")
    disk.write("a", b"kept")
    world.perform("fill_disk", machine="client")
    with pytest.raises(OSError, match="No space left"):
        disk.append("a", b"twelve bytes")
    assert disk.read("a") == b"kept"
    with pytest.raises(WorldError, match="the disk of client is full already"):
        world.perform("fill_disk", machine="client")
    world.perform("free_disk", machine="client")
    disk.write("a", b"new")
    assert world.of("disk.tried", "client") == [{"bytes": 1, "passed": 1}, {"bytes": 12, "passed": 0}]
