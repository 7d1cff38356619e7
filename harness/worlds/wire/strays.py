"""Whoever left its group: what a program started in a session of its own, with or without its environment; found and ended when a run is over.

While a run lasts this process adopts orphans (PR_SET_CHILD_SUBREAPER, prctl(2)), so that they stay to be found. Deliberately absent: groups
(``children``), and the harness's own death, after which the environment and the namespace tell who belonged to a run (``guard``).
"""

import ctypes
import os
import signal
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress

from harness.base.errors import WorldError
from harness.worlds.wire.process_table import Process, everybody

_SET_CHILD_SUBREAPER = 36
ROUNDS_MAX = 100
"""Looks at the process table; each ends a generation, and our deepest family has three."""


@contextmanager
def orphans_adopted() -> Iterator[None]:
    """Be the parent of whoever loses its own; what cannot be had is done without."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        prctl(_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def end_strays(mark: bytes, known: Collection[int]) -> int:
    """End whoever belongs to a run and is not known, and their children; returns how many there were.

    Args:
        mark: stands in the environment of a run's programs, and of all that they start and do not hide it from.
        known: processes that are ended by others.

    Raises:
        WorldError: new ones appear as fast as they are ended.
    """
    ended: set[tuple[int, int]] = set()
    for _ in range(ROUNDS_MAX):
        found = [one for one in everybody(dead=True) if one.pid not in known and _is_stray(one, mark)]
        if not found:
            return len(ended)
        ended |= {(one.pid, one.started_at) for one in found}
        for one in found:
            with suppress(ProcessLookupError):
                os.kill(one.pid, signal.SIGKILL)
        for one in found:
            if one.parent == os.getpid():
                with suppress(ChildProcessError):
                    os.waitpid(one.pid, 0)
    raise WorldError(f"{len(ended)} processes of this run were ended, and there are still more")


def _is_stray(one: Process, mark: bytes) -> bool:
    """Whether it is an orphan that came to us, or bears the mark; our own children are of our session, unless they are known."""
    if one.parent == os.getpid():
        return one.session != os.getsid(0)
    return mark in one.read("environ")
