import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.worlds.wire import warp
from harness.worlds.wire.warp import NOTICE_NS, NS, Leg, WorldClock, shim

NIGHT_S = 8 * 3600.0
CLOCKS = "import time, json; r = lambda: [time.clock_gettime(time.CLOCK_MONOTONIC), time.clock_gettime(time.CLOCK_BOOTTIME), time.time()]\n"

needs_cc = pytest.mark.skipif(shutil.which("cc") is None, reason="a C compiler makes the shim")


class Now:
    """A true clock that a test moves."""

    def __init__(self, monkeypatch):
        self.ns = 1_000 * NS
        monkeypatch.setattr(warp.time, "monotonic_ns", lambda: self.ns)

    def passes(self, s):
        self.ns += round(s * NS)


@pytest.fixture
def now(monkeypatch):
    return Now(monkeypatch)


def test_the_worlds_time_is_a_broken_line(now):
    clock = WorldClock()
    now.passes(10.0)
    clock.turn(60.0)
    assert clock.now == 10.0
    now.passes(NOTICE_NS / NS)
    assert clock.now == pytest.approx(10.025)
    now.passes(1.0)
    assert clock.now == pytest.approx(70.025)
    clock.turn(1.0)
    now.passes(NOTICE_NS / NS + 2.0)
    assert clock.now == pytest.approx(70.025 + 1.5 + 2.0)
    assert clock.of(1_005 * NS) == pytest.approx(5.0)


def test_a_change_that_is_still_to_come_can_be_taken_back(now):
    clock = WorldClock()
    now.passes(1.0)
    clock.turn(60.0)
    clock.turn(1.0)
    now.passes(10.0)
    assert clock.now == pytest.approx(11.0)


def test_waiting_ends_where_the_rate_changes(now):
    clock = WorldClock()
    now.passes(1.0)
    clock.turn(60.0)
    assert clock.true_s_until(601.0) == pytest.approx(NOTICE_NS / NS)
    now.passes(NOTICE_NS / NS)
    assert clock.true_s_until(601.025) == pytest.approx(10.0)


def test_a_leg_is_exact_over_years():
    assert Leg(0, 1.0, 0).at(10 * 366 * 86_400 * NS) == 10 * 366 * 86_400 * NS


@pytest.fixture
def world(tmp_path):
    clock = WorldClock()
    clock.machine("host", tmp_path / "host.page")
    yield clock
    clock.close()


def run(script, world, *, interpreter=(sys.executable, "-c")):
    page = world.machines["host"].path
    environ = {**os.environ, "LD_PRELOAD": str(shim()), "WARP_PAGE": str(page)}
    return subprocess.Popen([*interpreter, script], env=environ, stdout=subprocess.PIPE, text=True)


WAITS = {
    "sleep": "time.sleep(60)",
    "event": "import threading; threading.Event().wait(60)",
    "condition": "import threading; c = threading.Condition(); c.acquire(); c.wait(60)",
    "select": "import select; select.select([], [], [], 60)",
    "poll": "import select; select.poll().poll(60_000)",
    "epoll": "import select; select.epoll().poll(60)",
    "socket": "import socket, contextlib; a, b = socket.socketpair(); a.settimeout(60)\nwith contextlib.suppress(TimeoutError): a.recv(1)",
    "trio": "import trio; trio.run(trio.sleep, 60)",
    "asyncio": "import asyncio; asyncio.run(asyncio.sleep(60))",
}


@needs_cc
@pytest.mark.slow
@pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS)
def test_a_wait_of_a_minute_takes_a_second(world, wait):
    world.turn(60.0)
    time.sleep(2 * NOTICE_NS / NS)
    began = time.monotonic()
    child = run(f"{CLOCKS}before = r()\n{wait}\nprint(json.dumps([y - x for x, y in zip(before, r())]))", world)
    waited = json.loads(child.communicate(timeout=30)[0])
    assert all(one >= 60.0 for one in waited), waited
    assert time.monotonic() - began < 30.0


@needs_cc
@pytest.mark.slow
def test_a_wait_meets_a_change_of_rate_exactly(world):
    child = run(f"{CLOCKS}before = r()\nprint('up', flush=True)\ntime.sleep(600)\nprint(r()[0] - before[0])", world)
    assert child.stdout.readline() == "up\n"
    world.turn(60.0)
    time.sleep(1.0)
    world.turn(1.0)
    time.sleep(0.2)
    world.turn(600.0)
    assert float(child.communicate(timeout=30)[0]) >= 600.0


@needs_cc
@pytest.mark.slow
def test_a_night_of_sleep_is_truthful(world):
    script = f"{CLOCKS}before = r()\nprint('up', flush=True)\ninput()\nprint(json.dumps([y - x for x, y in zip(before, r())]))"
    page = world.machines["host"].path
    environ = {**os.environ, "LD_PRELOAD": str(shim()), "WARP_PAGE": str(page)}
    child = subprocess.Popen(
        [sys.executable, "-c", script], env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout.readline() == "up\n"
    began = time.monotonic()
    child.send_signal(signal.SIGSTOP)
    clocks = world.machines["host"]
    clocks.sleep_at_once(NIGHT_S)
    world.tell()
    child.send_signal(signal.SIGCONT)
    awake, elapsed, wall = json.loads(child.communicate("\n", timeout=30)[0])
    true_s = time.monotonic() - began
    assert awake < true_s + 1.0
    assert abs(elapsed - awake - NIGHT_S) < 1e-3
    assert abs(wall - awake - NIGHT_S) < 1e-3


@needs_cc
@pytest.mark.slow
@pytest.mark.skipif(shutil.which("node") is None, reason="Node shows that it is not about Python")
def test_node_is_hurried_too(world):
    world.turn(60.0)
    time.sleep(2 * NOTICE_NS / NS)
    script = "const a = performance.now(); setTimeout(() => console.log((performance.now() - a) / 1000), 60000)"
    child = run(script, world, interpreter=("node", "-e"))
    assert float(child.communicate(timeout=30)[0]) >= 60.0


@needs_cc
def test_without_a_page_nothing_is_changed():
    environ = {**os.environ, "LD_PRELOAD": str(shim())}
    script = "import time; print(time.monotonic())"
    said = subprocess.run(
        [sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=True
    ).stdout
    assert abs(float(said) - time.monotonic()) < 5.0


def test_without_a_compiler_the_remedy_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(warp.shutil, "which", lambda _name: None)
    with pytest.raises(warp.WorldError, match="install gcc"):
        warp._compile(Path("x.c"), tmp_path / "x.so")


def test_a_compiler_that_hangs_is_left(monkeypatch, tmp_path):
    (tmp_path / "cc").write_text("#!/bin/sh\nexec sleep 600\n")
    (tmp_path / "cc").chmod(0o755)
    monkeypatch.setattr(warp, "COMPILE_S", 0.2)
    monkeypatch.setattr(warp.shutil, "which", lambda _name: str(tmp_path / "cc"))
    with pytest.raises(warp.WorldError, match="did not end within"):
        warp._compile(Path("x.c"), tmp_path / "x.so")
