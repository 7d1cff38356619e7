"""Worker processes that never outlive who started them, whatever ends that one.

Each worker watches the reading end of a pipe whose writing end only the parent has: it closes when the parent lets go of it, and when the parent is
killed, for then the operating system closes it. Deliberately absent: what workers do.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection

from harness.base.errors import WorldError


@contextmanager
def pool_of(workers: int) -> Iterator[ProcessPoolExecutor]:
    """A pool of processes; left by an exception, what they do is thrown away and they end at once.

    Raises:
        WorldError: a worker died.
    """
    spawn = multiprocessing.get_context("spawn")
    watched, held = spawn.Pipe(duplex=False)
    pool = ProcessPoolExecutor(workers, spawn, initializer=_leave_with, initargs=(watched,))
    try:
        with _interrupts_ignored():
            # Processes are started by the first task, and inherit that Ctrl-C is not for them: one line is said, by the parent.
            started = pool.submit(_nothing)
        started.result()
        yield pool
        pool.shutdown()
    except BrokenProcessPool as broken:
        raise WorldError(
            "a worker process died, perhaps for want of memory; run fewer at once, e.g. with -n 1"
        ) from broken
    finally:
        held.close()
        pool.shutdown(cancel_futures=True)
        watched.close()


def _nothing() -> None:
    """The first task."""


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _leave_with(watched: Connection) -> None:
    """In a worker: end when the parent has gone; Ctrl-C is the parent's."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        # A plain read: ``wait`` looks at the clock, which belongs to the machines of whatever world this process runs just now.
        with suppress(EOFError, OSError):
            watched.recv_bytes()
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()
