"""Whose turn it is on this machine: worlds run beside one another, and one that measures small delays runs alone.

The lock is this file itself: it is there already, the kernel lets go of it when its holder ends however that ends, and nothing is left behind.
Worlds of another installation are not waited for; the null path, calibrated in the same run, says what they cost. Deliberately absent: fairness,
and a turn for what stands until it is told to leave (``relayproof up``).
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def turn(*, alone: bool) -> Iterator[None]:
    """Wait until nobody is in the way, and be in nobody's until the end; flock(2), shared unless ``alone``."""
    with Path(__file__).open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield
