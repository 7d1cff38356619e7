"""The process table of this machine, read from ``/proc`` (proc(5)): who belongs together, what anybody may read of a process.

Deliberately absent: who the processes are (``observers``), and processes of other users, whose environment cannot be read.
"""

import os
import signal
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import trio

PROC = Path("/proc")

_PARENT, _GROUP, _SESSION, _STARTED_AT = 1, 2, 3, 19
"""Places of fields 4, 5, 6 and 22 of ``/proc/PID/stat`` behind the name, which may hold spaces itself."""
_RAN = slice(11, 15)
"""Those of fields 14 to 17: utime, stime, cutime and cstime."""


class Process(NamedTuple):
    """A process that lives: its number, which is used again, and the tick at which it started, which together are unique."""

    pid: int
    started_at: int
    group: int
    parent: int = 0
    session: int = 0

    def read(self, name: str) -> bytes:
        """A file of it, such as ``cmdline`` or ``environ``; empty if it is gone or not ours to read."""
        return _read(self.pid, name)

    @property
    def command(self) -> str:
        """The name of its program, without its folder."""
        return self.read("cmdline").partition(b"\0")[0].decode("utf-8", "replace").rpartition("/")[2]

    @property
    def lives(self) -> bool:
        """Whether it still does; a zombie does not."""
        now = found(self.pid)
        return now is not None and now.started_at == self.started_at

    async def ended(self) -> None:
        """Wait until it does no longer."""
        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return
        try:
            if self.lives:
                await trio.lowlevel.wait_readable(handle)
        finally:
            os.close(handle)

    def end(self) -> None:
        """Kill it, unless it is gone."""
        if self.lives:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)


def found(pid: int, *, dead: bool = False) -> Process | None:
    """The process of a number; None if nobody has it, or only a zombie where ``dead`` ones are not asked for."""
    stat = _read(pid, "stat").rpartition(b")")[2].split()
    if len(stat) <= _STARTED_AT or (stat[0] in (b"Z", b"X") and not dead):
        return None
    return Process(pid, *(int(stat[place]) for place in (_STARTED_AT, _GROUP, _PARENT, _SESSION)))


def everybody(*, dead: bool = False) -> Iterator[Process]:
    """All processes that live, and zombies where ``dead`` ones are asked for."""
    for folder in PROC.iterdir():
        process = found(int(folder.name), dead=dead) if folder.name.isdecimal() else None
        if process is not None:
            yield process


def holds_timer(pid: int) -> bool:
    """Whether a process has a timer of timerfd_create(2) open; False if it is gone or not ours to look at."""
    with suppress(OSError):
        return any(_leads_to(file) == "anon_inode:[timerfd]" for file in (PROC / str(pid) / "fd").iterdir())
    return False


def _leads_to(file: Path) -> str:
    """Where a descriptor leads; empty if it was closed meanwhile."""
    with suppress(OSError):
        return str(file.readlink())
    return ""


def with_environ() -> list[tuple[Process, bytes]]:
    """All processes that live, and their environments."""
    return [(one, one.read("environ")) for one in everybody()]


def kin(table: Sequence[tuple[Process, bytes]], group: int, mark: bytes) -> list[Process]:
    """A group's processes, those beyond it that have inherited a mark in their environment, and whom these started, with whatever environment.

    Args:
        table: of whom (``with_environ``).
        group: its number; below 1 there is none.
        mark: what to look for in environments.
    """
    return offspring(
        [one for one, environ in table if (one.group == group and group > 0) or mark in environ],
        [one for one, _ in table],
    )


def offspring(parents: Iterable[Process], table: Sequence[Process]) -> list[Process]:
    """Processes of a table and whom they started, and whom these did."""
    own = {one.pid: one for one in parents}
    while True:
        started = {one.pid: one for one in table if one.parent in own and one.pid not in own}
        if not started:
            return list(own.values())
        own |= started


def waited_ns(pid: int) -> dict[int, int]:
    """Of each thread of a process the nanoseconds that it waited for a processor (``schedstat``); 0 or nothing where nobody counts."""
    with suppress(OSError):
        threads = [int(folder.name) for folder in (PROC / str(pid) / "task").iterdir()]
        counts = {thread: _read(pid, f"task/{thread}/schedstat").split() for thread in threads}
        return {thread: int(count[1]) for thread, count in counts.items() if len(count) > 1}
    return {}


def ran_ticks(pid: int) -> int:
    """Ticks that a process ran, and those that it started and has waited for; 0 if it is gone."""
    stat = _read(pid, "stat").rpartition(b")")[2].split()
    return sum(map(int, stat[_RAN]))


def _read(pid: int, name: str) -> bytes:
    try:
        return (PROC / str(pid) / name).read_bytes()
    except OSError:
        return b""
