"""Ctrl-C while a world runs: the run under way is finished, then the session ends; a second Ctrl-C ends the process at once.

A simulated machine is a trio run of its own, and trio would take the interrupt for the machine's: the machine would die, and the session go on.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def held_back() -> Iterator[None]:
    """Hold Ctrl-C back until the end of the block; where it is ignored, as in a worker process, it stays so.

    Raises:
        KeyboardInterrupt: when the block has ended, if Ctrl-C was pressed meanwhile.
    """
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        yield
        return
    pressed = False

    def note(_number: int, _frame: FrameType | None) -> None:
        nonlocal pressed
        pressed = True
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed:
        raise KeyboardInterrupt
