"""Whose turn it is on this machine: real worlds run beside one another, and one that measures small delays runs alone.

Two files of the user's cache are locked by flock(2), of which the kernel lets go when the holder ends, however that ends: the gate, through which all
come one by one, and the hall, which is shared unless somebody must be alone; he waits for it in the gate. Worlds of other users are not waited for;
the null path, calibrated in the same run, says what they cost. Deliberately absent: a turn for what stands until it is told to leave (``up``).
"""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper

from harness.base.errors import WorldError
from harness.run.interrupt import is_interrupted
from harness.worlds import cache

LOOK_S = 0.1
WAIT_S_MAX = 1800.0
"""The longest story of the house takes a quarter of an hour; who waits for twice that waits for somebody who stands."""


@contextmanager
def turn(*, alone: bool) -> Iterator[None]:
    """Wait until nobody is in the way, and be in nobody's until the end.

    Raises:
        WorldError: nobody moved for ``WAIT_S_MAX``, or the cache cannot be written.
        KeyboardInterrupt: held back until now, it came while this waited.
    """
    with cache.lock_file(".gate") as gate, cache.lock_file(".hall") as hall:
        _wait(gate, fcntl.LOCK_EX)
        _wait(hall, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(gate, fcntl.LOCK_UN)
        yield


def _wait(lock: TextIOWrapper, how: int) -> None:
    until = time.monotonic() + WAIT_S_MAX
    while True:
        try:
            fcntl.flock(lock, how | fcntl.LOCK_NB)
        except BlockingIOError:
            pass
        else:
            return
        if is_interrupted():
            raise KeyboardInterrupt
        if time.monotonic() > until:
            raise WorldError(f"another run holds {lock.name} for {WAIT_S_MAX:.0f} s: end it (`fuser {lock.name}`)")
        time.sleep(LOOK_S)  # polls, so that an interrupt is heard; no outcome rests on the interval
