"""What no simulated machine may touch."""

import os
import socket
import subprocess
import threading
import time

import pytest
import trio

from harness.base.errors import WorldError


def _connect():
    with socket.socket() as one:
        one.connect(("127.0.0.1", 9))


def _bind():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))


DEEDS = {
    "socket.connect": _connect,
    "socket.bind": _bind,
    "socket.getaddrinfo": lambda: socket.getaddrinfo("localhost", 80),
    "subprocess.Popen": lambda: subprocess.run(["true"], check=True),
    "os.system": lambda: os.system("true"),
    "_thread.start": lambda: threading.Thread(target=print).start(),
    "time.sleep": lambda: time.sleep(0),
    "time.time": lambda: time.time() + 1,
    "time.monotonic": lambda: time.monotonic() + 1,
    "time.perf_counter_ns": lambda: time.perf_counter_ns() + 1,
}


@pytest.mark.parametrize("what", DEEDS)
def test_escape_ends_the_run_and_names_machine_and_place(world, what):
    async def program():
        await trio.sleep(1)
        DEEDS[what]()

    world.client.boot(program)
    with pytest.raises(WorldError, match=what) as error:
        world.sim.run(until=5.0)
    assert str(error.value).startswith("client escaped from the simulation")
    assert "test_escape.py" in str(error.value)


def test_swallowed_escape_still_ends_the_run(world):
    async def program():
        try:
            time.time()
        except Exception:  # noqa: BLE001  what careless programs do
            world.note("swallowed")

    world.client.boot(program)
    with pytest.raises(WorldError, match="real clock"):
        world.sim.run(until=5.0)
    assert len(world.said) == 1


def test_worker_thread_is_an_escape(world):
    async def program():
        await trio.to_thread.run_sync(len, "abc")

    world.client.boot(program)
    with pytest.raises(WorldError, match="thread"):
        world.sim.run(until=5.0)


def test_a_thread_that_was_left_idle_is_no_way_out(make_world):
    async def leaves_a_thread():
        await trio.to_thread.run_sync(len, "abc")

    trio.run(leaves_a_thread)
    world = make_world()
    world.client.boot(leaves_a_thread)
    with pytest.raises(WorldError, match="thread"):
        world.sim.run(until=5.0)


def test_harness_itself_may_do_all_of_it(world):
    world.client.boot(trio.sleep_forever)
    world.sim.run(until=1.0)
    time.time()
    _bind()
    world.sim.run(until=2.0)
