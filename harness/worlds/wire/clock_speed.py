"""How long a night of sleep and a wait of ten minutes take unmodified programs, and how true their clocks stay: CPython, and Node where it is.

Deliberately absent: a limit, for a figure that depends on who else uses the machine is no test; and programs of a role (``preflight``).
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from harness.base.errors import WorldError
from harness.worlds.wire.haste import HASTE
from harness.worlds.wire.warp import NOTICE_NS, NS, MachineClocks, WorldClock, shim

NIGHT_S, OUTAGE_S = 8 * 3600.0, 600.0
"""What the house's stories are about: a closed lid, and the article's ten minutes (OUT-3)."""

DEADLINE_S = 60.0
"""True seconds that a program gets for everything; it takes ten."""

_PYTHON = """
import json, sys, time
def say(): print(json.dumps([time.monotonic(), time.clock_gettime(time.CLOCK_BOOTTIME), time.time()]), flush=True)
say()
for line in sys.stdin: time.sleep(float(line)); say()  # the wait that is measured
"""
_NODE = """
const say = () => console.log(JSON.stringify([performance.now() / 1000, null, Date.now() / 1000]))
say()
require('readline').createInterface({input: process.stdin}).on('line', line => setTimeout(say, Number(line) * 1000))
"""
PROGRAMS = {"CPython": (sys.executable, "-c", _PYTHON), "Node": ("node", "-e", _NODE)}
"""Name -> a program that waits for the seconds of each line it is given and tells its clocks: MONOTONIC, BOOTTIME if it has it, REALTIME."""


class Told(NamedTuple):
    """A program's clocks, seconds; BOOTTIME is None where it cannot be had (libuv reads /proc/uptime)."""

    monotonic_s: float
    boottime_s: float | None
    wall_s: float


@dataclass(frozen=True, slots=True)
class Span:
    """One span of the world as a program saw it.

    Attributes:
        program: whose clocks.
        what: ``asleep`` or ``waiting``.
        lasts_s: how long, in the world.
        wall_s: true seconds it took.
        off: clock -> share of ``lasts_s`` by which it went wrong; None if the program has no such clock.
    """

    program: str
    what: str
    lasts_s: float
    wall_s: float
    off: dict[str, float | None]


def clock_speed() -> Iterator[Span]:
    """Measure every program that is here, one after the other.

    Raises:
        WorldError: the clock library cannot be made, or a program does not answer as it should.
    """
    for name, command in PROGRAMS.items():
        if shutil.which(command[0]):
            yield from _measured(name, command)


HEAD = f"{'program':8} {'':8} {'world':>9}  {'wall':>8}  " + "  ".join(f"{name[:-2]:>9}" for name in Told._fields)
"""Over the lines."""


def line(span: Span) -> str:
    """One span, for people."""
    shares = ("-" if (off := span.off[name]) is None else f"{off:.3%}" for name in Told._fields)
    return f"{span.program:8} {span.what:8} {span.lasts_s:>7.0f} s  {span.wall_s:>6.2f} s  " + "  ".join(
        f"{share:>9}" for share in shares
    )


def _measured(name: str, command: Sequence[str]) -> list[Span]:
    clock = WorldClock()
    with tempfile.TemporaryDirectory() as folder:
        clocks = clock.machine("program", Path(folder) / "page")
        with _program(name, command, clocks.path, clock) as program:
            before, began = program.ask(), time.monotonic()
            _sleep(program.child, clock, clocks)
            after, ended = program.ask(), time.monotonic()
            night = Span(
                name, "asleep", NIGHT_S, ended - began, _off(before, after, Told(0.0, NIGHT_S, NIGHT_S), NIGHT_S)
            )
            clock.turn(HASTE)
            time.sleep(2 * NOTICE_NS / NS)  # a change of rate is announced so long ahead; nothing rests on the rest
            before, began = program.ask(), time.monotonic()
            program.ask(OUTAGE_S)
            ended, after = time.monotonic(), program.ask()
            outage = Span(name, "waiting", OUTAGE_S, ended - began, _off(before, after, Told(0.0, 0.0, 0.0), OUTAGE_S))
        clock.close()
    return [night, outage]


def _sleep(child: "subprocess.Popen[str]", clock: WorldClock, clocks: MachineClocks) -> None:
    child.send_signal(signal.SIGSTOP)
    clocks.sleep_at_once(NIGHT_S)
    clock.tell()
    child.send_signal(signal.SIGCONT)


class _Reading(NamedTuple):
    """What a program told, and between which seconds of the world's own account it looked at its clocks."""

    told: Told
    since_s: float
    until_s: float


def _off(before: _Reading, after: _Reading, besides: Told, lasts_s: float) -> dict[str, float | None]:
    """By which share of a span each clock went otherwise than the world's account says, whenever it was read within its question and its answer.

    Args:
        before: at the beginning.
        after: at the end.
        besides: what each clock goes besides the time awake.
        lasts_s: the span.
    """
    least_s, most_s = after.since_s - before.until_s, after.until_s - before.since_s
    off: dict[str, float | None] = {}
    for name, a, b, more_s in zip(Told._fields, before.told, after.told, besides, strict=True):
        went_s = None if a is None or b is None or more_s is None else b - a - more_s
        off[name] = None if went_s is None else max(0.0, least_s - went_s, went_s - most_s) / lasts_s
    return off


@dataclass(frozen=True, slots=True)
class _Program:
    name: str
    child: "subprocess.Popen[str]"
    clock: WorldClock

    def hear(self) -> Told:
        assert self.child.stdout is not None
        said = self.child.stdout.readline()
        try:
            return Told(*json.loads(said))
        except (ValueError, TypeError) as error:
            raise WorldError(
                f"{self.name} ended or was ended without an answer, its last words {said[:80]!r}"
            ) from error

    def ask(self, after_s: float = 0.0) -> _Reading:
        """What its clocks say once it has waited."""
        assert self.child.stdin is not None
        since_s = self.clock.now
        self.child.stdin.write(f"{after_s}\n")
        told = self.hear()
        return _Reading(told, since_s, self.clock.now)


@contextmanager
def _program(name: str, command: Sequence[str], page: Path, clock: WorldClock) -> Iterator[_Program]:
    environ = {**os.environ, "LD_PRELOAD": str(shim()), "WARP_PAGE": str(page)}
    with subprocess.Popen(  # noqa: S603
        command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as child:
        deadline = threading.Timer(DEADLINE_S, child.kill)
        deadline.start()
        try:
            program = _Program(name, child, clock)
            program.hear()  # it has begun
            yield program
        finally:
            deadline.cancel()
            child.kill()
