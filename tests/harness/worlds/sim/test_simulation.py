"""The world as a whole: same seed, same bytes; and nothing of it stays behind."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx2
import pytest
import trio

ROOT = Path(__file__).parents[4]


def play(world, *, minutes=3):
    """A client that polls and streams through a cut, a sleep and a lossy link; return the digest."""

    async def poll(client):
        while True:
            try:
                await client.get("https://relay.test/hello")
            except httpx2.HTTPError as error:
                world.note(type(error).__name__)
            await trio.sleep(5 * world.client.entropy.random())

    async def stream(client):
        while True:
            try:
                async with client.stream("GET", "https://relay.test/stream") as response:
                    async for line in response.aiter_lines():
                        world.note(line)
            except httpx2.HTTPError as error:
                world.note(type(error).__name__)
            await trio.sleep(1)

    async def program():
        context = world.sim.client_context("client")
        async with (
            httpx2.AsyncClient(verify=context, trust_env=False, timeout=5) as client,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(poll, client)
            nursery.start_soon(stream, client)

    world.server.boot(world.serve_https)
    world.client.boot(program)
    world.perform("lose", link="client-server", probability=0.05)
    world.perform("delay", link="client-server", latency_s=0.03, jitter_s=0.02)
    world.sim.run(until=30.0)
    world.perform("block", link="client-server")
    world.sim.run(until=60.0)
    world.perform("unblock", link="client-server")
    world.sim.run(until=90.0)
    world.perform("suspend", machine="client")
    world.sim.run(until=120.0)
    world.perform("resume", machine="client")
    world.sim.run(until=60.0 * minutes)
    world.sim.close()
    return world.sim.trace_sha256, tuple(world.said)


@pytest.mark.slow
def test_same_seed_same_bytes_and_another_seed_others(make_world):
    traces = [play(make_world(seed=7)) for _ in range(5)]
    assert len(set(traces)) == 1
    assert play(make_world(seed=8)) != traces[0]


@pytest.mark.slow
def test_fresh_processes_with_other_hash_seeds_agree(make_world):
    code = (
        "import sys; sys.path[:0] = ['.']\n"
        "from tests.harness.worlds.sim.conftest import World\n"
        "from tests.harness.worlds.sim.test_simulation import play\n"
        "print(play(World(7))[0])"
    )
    here = play(make_world(seed=7))[0]
    for hash_seed in ("1", "2", "3"):
        environ = {**os.environ, "PYTHONHASHSEED": hash_seed}
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=environ, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == here


def test_kept_trace_has_a_line_for_every_segment(make_world):
    world = make_world(keep_trace=True)
    world.server.boot(world.serve_https)
    world.client.boot(world.get)
    world.sim.run(until=5.0)
    assert len(world.sim.kernel.trace.lines) == world.sim.segments > 5


def _open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


def test_nothing_stays_behind(make_world):
    before = (time.time, os.urandom, threading.active_count(), _open_files())
    for _ in range(3):
        world = make_world()
        world.server.boot(world.serve_https)
        world.client.boot(world.get)
        world.sim.run(until=0.1)
        world.sim.close()
    assert (time.time, os.urandom, threading.active_count(), _open_files()) == before


def test_closing_is_idempotent_and_silences_the_world(world):
    async def program():
        try:
            await trio.sleep_forever()
        finally:
            world.sim.observe("client", "file.written", {})

    world.client.boot(program)
    world.sim.run(until=1.0)
    world.sim.close()
    world.sim.close()
    assert world.of("file.written") == []


def test_observations_carry_true_time_and_sums_their_first_segment(world):
    world.server.boot(world.serve_https)
    world.client.boot(world.get)
    world.sim.run(until=10.0)
    times = {what: t for t, _, what, _ in reversed(world.seen)}
    assert times["dns.asked"] == 0.005
    assert times["socket.attempted"] == 0.005
    up = [data for data in world.of("socket.attempted") if data["direction"] == "up"]
    assert up[0]["bytes"] == up[0]["passed"] > 500
