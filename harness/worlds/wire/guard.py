"""Sees to it that nothing outlives the harness: a process of its own that ends what it was told of once its standard input closes.

It closes also when the harness is killed. Lines: ``+ GROUP`` and ``- GROUP`` (process groups), ``folder PATH`` (removed at the end, with whoever
has it in the environment), ``place PATH`` (a network namespace, ended with whoever is in it), ``disk PATH`` (a mount, taken away). Standard library
only, for it starts with each run. Deliberately absent: anything that can wait for an answer.
"""

import os
import shutil
import signal
import sys
from collections.abc import Collection, Iterable
from contextlib import suppress

ROUNDS_MAX = 1000
"""Looks at the process table; whoever was killed is in it until its parent has noticed."""

MNT_DETACH, UMOUNT_NOFOLLOW = 2, 8
"""umount2(2); programs of a run may write where its mounts are."""

type Place = tuple[int, int]
"""Device and number of a namespace, as stat(2) has it."""


def main(lines: Iterable[str]) -> None:
    """Take note until the input ends, then clean up."""
    groups: set[int] = set()
    folders: list[str] = []
    places: list[int] = []
    disks: list[str] = []
    for line in lines:
        word, _, rest = line.rstrip("\n").partition(" ")
        if word == "+":
            groups.add(int(rest))
        elif word == "-":
            groups.discard(int(rest))
        elif word == "folder":
            folders.append(rest)
        elif word == "disk":
            disks.append(rest)
        elif word == "place":
            with suppress(OSError):  # the harness is gone already, and so is the namespace
                places.append(os.open(rest, os.O_RDONLY | os.O_CLOEXEC))
    for group in groups:
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
    _end_strays([folder.encode() for folder in folders], {_place_of(f"/proc/self/fd/{place}") for place in places})
    for place in places:
        os.close(place)  # until now nobody else could get its number
    _unmount(disks)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _unmount(disks: Iterable[str]) -> None:
    """Take file systems away, also one in which somebody who cannot be ended at once still is; one that never was mounted is none."""
    for disk in disks:
        import ctypes  # noqa: PLC0415 - with each run this starts, and only at its end is there a disk to take away

        ctypes.CDLL(None).umount2(os.fsencode(disk), MNT_DETACH | UMOUNT_NOFOLLOW)


def _end_strays(marks: Collection[bytes], places: Collection[Place | None]) -> None:
    """End whoever has left its group and still has a folder in its environment or is in a namespace of the run, and whom it starts meanwhile."""
    foreign = set(places) - {_place_of("/proc/self/ns/net"), None}
    spared = {str(os.getpid()), str(os.getppid())}
    for _ in range(ROUNDS_MAX):
        found = [
            pid
            for pid in os.listdir("/proc")  # noqa: PTH208 - as below
            if pid.isdecimal() and pid not in spared and _belongs(pid, marks, foreign)
        ]
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        if not found:
            return


def _belongs(pid: str, marks: Collection[bytes], places: Collection[Place | None]) -> bool:
    environ = _environ(pid)
    return any(mark in environ for mark in marks) or _place_of(f"/proc/{pid}/ns/net") in places


def _environ(pid: str) -> bytes:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:  # noqa: PTH123 - pathlib takes as long to load as the rest
            return file.read()
    except OSError:
        return b""


def _place_of(path: str) -> Place | None:
    """Which namespace a file is; None of a process that is gone, or a zombie, or another user's."""
    try:
        found = os.stat(path)  # noqa: PTH116 - as above
    except OSError:
        return None
    return found.st_dev, found.st_ino


if __name__ == "__main__":
    for asked in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(asked, signal.SIG_IGN)  # whoever ends a whole job means this, too, and then nobody would clean up
    sys.stdout.write("\n")  # from here on it can be told of what must not be left
    sys.stdout.close()
    main(sys.stdin)
