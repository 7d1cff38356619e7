"""Sees to it that nothing outlives the harness: a process of its own that ends what it was told of once its standard input closes.

It closes also when the harness is killed. Lines: ``+ GROUP`` and ``- GROUP`` (process groups), ``folder PATH`` (removed at the end). Standard
library only, for it starts with each run. Deliberately absent: anything that can wait for an answer.
"""

import os
import shutil
import signal
import sys
from collections.abc import Iterable


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
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main(sys.stdin)
