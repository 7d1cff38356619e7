"""Whether a program can be hurried: started once beforehand, alone, and asked for its clocks while the world's time runs, leaps and sleeps.

Deliberately absent: what becomes of a plan if it cannot (``real_time``), and the run, in which the same is asked again (``clock_probe``).
"""

import os
import sys
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import trio

from harness.base.errors import WorldError
from harness.sut.command import Command
from harness.sut.contract import Call
from harness.sut.process import ProcessDoor
from harness.worlds.pki import Authority
from harness.worlds.wire.children import Child, Children
from harness.worlds.wire.clock_probe import VERB, Reading, moment_in, shown
from harness.worlds.wire.process_table import PROC, holds_timer
from harness.worlds.wire.warp import NOTICE_NS, NS, MachineClocks, WorldClock, shim, why_no_shim

HELLO_S = 10.0
"""True seconds that a program gets to say hello; a Python program takes one."""
ANSWER_S = 2.0
"""True seconds that it gets to tell its clocks; the reference takes 1 ms."""
RATE, HURRY_S = 60.0, 0.2
"""How fast, and for how many true seconds, the world goes while it is watched: twelve seconds, which no tolerance covers."""
SLEEP_S = 600.0
"""What the calendar gains while MONOTONIC stands."""

_TIMED = "it holds a timerfd, and the kernel, which nobody hurries, ends what is waited for by that"
"""Why a program is left alone whose clocks are the world's: a minute of such a wait would look like an hour."""

READINGS = 3
"""Before and after the haste, and after the sleep."""

GO = b"\xff Go buildinf:"
"""Stands in every binary that Go has linked (debug/buildinfo)."""


class Clocking(NamedTuple):
    """What is known of a program's clocks.

    Attributes:
        follows: whether they go by the world's; True also of a program that said nothing at all, for its run will tell that.
        why: a sentence, where they do not.
    """

    follows: bool
    why: str = ""


FOLLOWS = Clocking(follows=True)


def clocking_of(command: Command) -> Clocking:
    """Try the program of a command template; what was found is remembered."""
    if why := why_no_shim():
        return Clocking(follows=False, why=why)
    if command[0] == sys.executable:  # our own interpreter: the reference's, and that of the broken systems
        return FOLLOWS
    return _tried(command)


@cache
def _tried(command: Command) -> Clocking:
    preloaded = {"LD_PRELOAD": str(shim())}
    found = trio.run(_try, command, preloaded)
    if found is not None:
        return found
    alone = trio.run(_try, command, {})
    return Clocking(follows=False, why="it does not start with the preloaded clock library") if alone else FOLLOWS


async def _try(command: Command, preloaded: Mapping[str, str]) -> Clocking | None:
    """What a program's clocks do; None if it does not start."""
    clock = WorldClock()
    with Children() as children:
        clocks = clock.machine("program", children.folder / "program.page")
        environ = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(children.folder),
            "WARP_PAGE": str(clocks.path),
            **preloaded,
        }
        try:
            child = await children.start("program", _filled(command, children.folder), environ, talks=True)
        except WorldError:
            return None
        try:
            found = await _watch(child, clock, clocks)
            await (children.end(child) if found else children.reap(child))
        finally:
            await children.reap_all()
            clock.close()
    return found


def _filled(command: Command, folder: Path) -> list[str]:
    """The command, with files that are what they claim to be and addresses at which nobody answers."""
    authority = Authority(0, "public")
    (folder / "ca.pem").write_bytes(authority.certificate_pem)
    (folder / "relay.pem").write_bytes(authority.leaf_pem("localhost"))
    words = {
        "ca_file": folder / "ca.pem",
        "cert_file": folder / "relay.pem",
        "state_dir": folder / "state",
        "relay_url": "https://localhost:1",
        "proxy_url": "",
        "agent_cmd": "false",
    }
    return [word.format(**words) for word in command]


async def _watch(child: Child, clock: WorldClock, clocks: MachineClocks) -> Clocking | None:
    assert child.process.stdin is not None
    assert child.process.stdout is not None
    changed = trio.Event()

    def woken(_call: Call | None) -> None:
        nonlocal changed
        changed.set()
        changed = trio.Event()

    door = ProcessDoor(child.process.stdin, child.process.stdout, lambda _event: None, woken)

    async def ask(verb: str, within_s: float) -> Call:
        call = Call(verb, {})
        door.put(call)
        with trio.move_on_after(within_s):
            while not call.done:
                await changed.wait()
        return call

    async def read() -> Reading | None:
        earliest = shown(clock, clocks)
        said = moment_in(await ask(VERB, ANSWER_S))
        return None if said is None else Reading(said, earliest, shown(clock, clocks))

    async with trio.open_nursery() as nursery:

        async def carry() -> None:
            await door.run()
            door.hang_up()

        nursery.start_soon(carry)
        found = None
        hello = await ask("hello", HELLO_S)
        if not hello.done:
            found = FOLLOWS  # it may be slow; its run will tell
        elif hello.result is not None:
            readings = [await read()]
            await _hurry(clock)
            readings.append(await read())
            _sleep(clock, clocks)
            readings.append(await read())
            found = _concluded([one for one in readings if one is not None], child.pid, shim())
        nursery.cancel_scope.cancel()
    return found


async def _hurry(clock: WorldClock) -> None:
    clock.turn(RATE)
    await trio.sleep(HURRY_S + NOTICE_NS / NS)
    clock.turn(1.0)
    await trio.sleep(2 * NOTICE_NS / NS)


def _sleep(clock: WorldClock, clocks: MachineClocks) -> None:
    clocks.sleep_at_once(SLEEP_S)
    clock.tell()


def _concluded(readings: list[Reading], pid: int, library: Path) -> Clocking:
    """What the readings mean; without them the program's file may tell why it must be left alone, but nothing tells that it follows."""
    if len(readings) < READINGS:
        return Clocking(follows=False, why=_looked_at(pid, library))
    for before, after in pairwise(readings):
        found = after.differs(before)
        if found:
            why = f"its {found['clock']} went {found['went_s']} s where the world's went {found['must_s'][0]} s"
            return Clocking(follows=False, why=f"{why}; {_looked_at(pid, library)}")
    return Clocking(follows=False, why=_TIMED) if holds_timer(pid) else FOLLOWS


def _looked_at(pid: int, library: Path) -> str:
    """Why a program's clocks may not be the world's, as the operating system shows it."""
    try:
        maps, program = (PROC / str(pid) / "maps").read_bytes(), (PROC / str(pid) / "exe").read_bytes()
    except OSError:
        return "it has no clocks that could be read"
    if GO in program:
        return "it is a Go program, which reads the clock past the C library"
    if str(library).encode() not in maps:
        return "it does not load the preloaded clock library (a static program, or another C library)"
    return "it does not tell its clocks by the verb `clock`, so nothing shows that they are the world's"
