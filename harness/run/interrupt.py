"""Ctrl-C and SIGTERM: the run under way is finished, then the session ends; a second Ctrl-C ends the process at once.

A simulated machine is a trio run of its own, and trio would take the interrupt for the machine's: the machine would die, and the session go on.
"""

import os
import signal
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

_held: list[list[int]] = []
"""Of each ``held_back`` under way, what came meanwhile."""


def is_interrupted() -> bool:
    """Whether an interrupt is held back now: who only waits had better stop."""
    return any(_held)


@contextmanager
def held_back() -> Iterator[None]:
    """Hold back Ctrl-C, and SIGTERM where it means the same, until the end of the block; what is ignored, as in a worker process, stays so.

    Raises:
        KeyboardInterrupt: when the block has ended, if one of them came meanwhile.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        came.append(number)
        signal.signal(number, signal.SIG_DFL if number == signal.SIGINT else signal.SIG_IGN)

    meant: dict[int, Callable[[int, FrameType | None], object]] = {}
    for which in (signal.SIGINT, signal.SIGTERM):
        handler = signal.getsignal(which)
        if callable(handler):
            meant[which] = handler
            signal.signal(which, note)
    _held.append(came)
    try:
        yield
    finally:
        _held.pop()
        for number, handler in meant.items():
            signal.signal(number, handler)
    for number in came:
        meant[number](number, None)


@contextmanager
def termination_interrupts(workers: Collection[int]) -> Iterator[None]:
    """Take SIGTERM for a Ctrl-C that worker processes hear too; more of them change nothing, for ``timeout`` sends two.

    Args:
        workers: ids of the processes, as they are when the signal comes.

    Raises:
        KeyboardInterrupt: where the signal came.
    """
    if (
        signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
        or threading.current_thread() is not threading.main_thread()
    ):
        yield
        return

    def interrupt(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_IGN)
        for worker in workers:
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGINT)
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextmanager
def termination_is_ours() -> Iterator[None]:
    """Processes started in the block never hear SIGTERM, which may be sent to a whole group: they end when we say so, or with us."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
