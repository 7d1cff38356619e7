"""Sees to it that nothing outlives the harness: a process of its own that ends what it was told of once its standard input closes.

It closes also when the harness is killed. Lines: ``+ GROUP`` and ``- GROUP`` (process groups), ``folder PATH`` (removed at the end). Standard
library only, for it starts with each run. Deliberately absent: anything that can wait for an answer.
"""

import os
import shutil
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress

ROUNDS_MAX = 1000
"""Looks at the process table; whoever was killed is in it until its parent has noticed."""


def main(lines: Iterable[str]) -> None:
    """Take note until the input ends, then clean up."""
    groups: set[int] = set()
    folders: list[str] = []
    for line in lines:
        word, _, rest = line.rstrip("\n").partition(" ")
        if word == "+":
            groups.add(int(rest))
        elif word == "-":
            groups.discard(int(rest))
        elif word == "folder":
            folders.append(rest)
    for group in groups:
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            continue
    for folder in folders:
        _end_strays(folder.encode())
        shutil.rmtree(folder, ignore_errors=True)


def _end_strays(mark: bytes) -> None:
    """End whoever has left its group and still has the folder in its environment, and whom it starts meanwhile."""
    for _ in range(ROUNDS_MAX):
        found = [pid for pid in os.listdir("/proc") if pid.isdecimal() and mark in _environ(pid)]  # noqa: PTH208 - as below
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        if not found:
            return


def _environ(pid: str) -> bytes:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:  # noqa: PTH123 - pathlib takes as long to load as the rest
            return file.read()
    except OSError:
        return b""


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main(sys.stdin)
