"""Every private name of trio that the simulator touches, and nothing else.

trio offers guest runs and custom clocks as public interfaces. Private are: the switch that makes scheduling reproducible and its random
source, the thread-local that says which run is current (many runs share our one thread), the loop of a run with the tasks of its present
round, the store of idle threads, and the state of a run that has to be abandoned when its machine loses power. ``verify`` says loudly when a
new trio no longer has them.
"""

import contextlib
import random
import sys
import warnings
from collections.abc import Awaitable, Callable
from types import AsyncGeneratorType
from typing import Any, ClassVar

import outcome
import sniffio
import trio
from trio._core import _run, _thread_cache
from trio._core._entry_queue import EntryQueue
from trio._core._parking_lot import GLOBAL_PARKING_LOT_BREAKER
from trio._core._run_context import GLOBAL_RUN_CONTEXT as _CONTEXT

from harness.base.errors import WorldError

SUPPORTED = ("0.35.",)
"""Releases that the tests of this module ran against."""

SKIPPED_MAX = 16
"""So many checkpoints in a row may cost no round of their own; then one does, so that a loop of nothing but checkpoints is still counted."""

_CLOSE_ATTEMPTS_MAX = 1_000
"""A dead coroutine may await again in each ``finally``; so many nested ones are nobody's program."""


def verify(version: str = trio.__version__) -> None:
    """Check that this trio has what the simulator needs.

    Raises:
        WorldError: the release was never tested, or a private name is gone.
    """
    if not version.startswith(SUPPORTED):
        raise WorldError(f"trio {version} was never tested with the simulator; tested: {', '.join(SUPPORTED)}x")
    missing = [
        name
        for owner, names in (
            (_run, ("_ALLOW_DETERMINISTIC_SCHEDULING", "_r", "Runner", "GuestState")),
            (_run.Runner, ("reschedule", "close")),
            (EntryQueue, ("size",)),
            (_thread_cache, ("THREAD_CACHE", "ThreadCache")),
            (trio._core, ("cancel_shielded_checkpoint",)),  # noqa: SLF001  the purpose of this module
            (_run.Task, ("_runner",)),
        )
        for name in names
        if not hasattr(owner, name)
    ]
    if "batch" not in _run.unrolled_run.__code__.co_varnames:
        missing.append("unrolled_run.batch")
    if missing:
        raise WorldError(f"trio {version} no longer has {', '.join(missing)}")


@contextlib.contextmanager
def reproducible_scheduling() -> Any:
    """Let trio order each batch of ready tasks by its random source alone, which ``GuestRun`` seeds; restore on leaving."""
    saved = _run._ALLOW_DETERMINISTIC_SCHEDULING, _run._r  # noqa: SLF001  the purpose of this module
    _run._ALLOW_DETERMINISTIC_SCHEDULING = True  # type: ignore[misc]  # noqa: SLF001  same
    try:
        with _replaced("cancel_shielded_checkpoint", _checkpoint, trio.lowlevel, trio._core, _run):  # noqa: SLF001  same
            yield
    finally:
        _run._ALLOW_DETERMINISTIC_SCHEDULING, _run._r = saved  # type: ignore[misc]  # noqa: SLF001  same


@contextlib.contextmanager
def threads_are_new() -> Any:
    """Let no machine be lent a thread that another run of this process left idle: starting one is what the escape detector sees."""
    with _replaced("THREAD_CACHE", _thread_cache.ThreadCache(), _thread_cache):
        yield


@contextlib.contextmanager
def _replaced(name: str, by: object, *owners: Any) -> Any:
    """Put something else in place of a name in each module that has it; put it back on leaving."""
    before = [getattr(owner, name) for owner in owners]
    try:
        for owner in owners:
            setattr(owner, name, by)
        yield
    finally:
        for owner, one in zip(owners, before, strict=True):
            setattr(owner, name, one)


_yield_once = trio.lowlevel.cancel_shielded_checkpoint


async def _checkpoint() -> None:
    """``cancel_shielded_checkpoint``, without a round of the loop where nobody else could run in it.

    With no other task runnable, the next round would resume this one at the same instant with nothing changed, and draw nothing at random:
    half of all rounds are of that kind (each uncontended lock takes one), and a round is what simulated time costs.
    """
    run = GuestRun.current
    if run is None or run.must_yield():
        await _yield_once()


def in_trio_run() -> bool:
    """Whether somebody else's trio run is current in this thread."""
    return trio.lowlevel.in_trio_run()


def reschedule(task: trio.lowlevel.Task) -> None:
    """Make a task runnable that waits in ``wait_task_rescheduled``, from outside of its run."""
    task._runner.reschedule(task)  # noqa: SLF001  the public function needs the run to be current


class GuestRun:
    """One trio run that is driven tick by tick.

    Args:
        main: the async function to run.
        clock: its clock; ``deadline_to_sleep_time`` is asked only when nothing is left to run.
        scheduler: orders the run's ready tasks.
        ended: called with the outcome when the run is over.
    """

    current: ClassVar["GuestRun | None"] = None
    """The run that was entered."""

    def __init__(
        self,
        main: Callable[[], Awaitable[object]],
        *,
        clock: trio.abc.Clock,
        scheduler: random.Random,
        ended: Callable[[outcome.Outcome[Any]], None],
    ) -> None:
        assert not in_trio_run()
        self._scheduler = scheduler
        self._guest: _run.GuestState
        self._over = False
        self._skipped = 0
        self._ended = ended
        host_hooks = sys.get_asyncgen_hooks()
        host_random = _run._r  # noqa: SLF001  see the module
        _run._r = scheduler  # noqa: SLF001  see the module
        try:
            trio.lowlevel.start_guest_run(
                main,
                run_sync_soon_threadsafe=self._take_over,
                done_callback=ended,
                host_uses_signal_set_wakeup_fd=True,
                clock=clock,
            )
        finally:
            _run._r = host_random  # noqa: SLF001  see the module
        self._runner = _CONTEXT.runner
        self._frame = self._guest.unrolled_run_gen.gi_frame
        _CONTEXT.__dict__.clear()
        self._hooks = sys.get_asyncgen_hooks()
        self._host_hooks = host_hooks
        self._host_random = host_random
        sys.set_asyncgen_hooks(*host_hooks)

    def _take_over(self, tick: Callable[[], object]) -> None:
        self._guest = tick.__self__  # type: ignore[attr-defined]

    def enter(self) -> None:
        """Make this run the current one of the thread; not nestable."""
        _CONTEXT.runner = self._runner
        GuestRun.current = self
        sys.set_asyncgen_hooks(*self._hooks)
        self._host_random = _run._r  # noqa: SLF001  see the module
        _run._r = self._scheduler  # noqa: SLF001  see the module

    def leave(self) -> None:
        """Undo ``enter``."""
        GuestRun.current = None
        _run._r = self._host_random  # noqa: SLF001  see the module
        sys.set_asyncgen_hooks(*self._host_hooks)
        _CONTEXT.__dict__.clear()

    def tick(self) -> None:
        """Run one round of ready tasks; the run must be current.

        The loop is driven itself, without ``guest_tick``: that asks the operating system for events before each round, and no simulated
        machine has any but those of trio's own wake-up channel (``has_io``).
        """
        events = self._runner.io_manager.get_events(0) if self.has_io else []
        outside, sniffio.thread_local.name = sniffio.thread_local.name, "trio"
        try:
            self._guest.unrolled_run_gen.send(events)
        except StopIteration:
            self._over = True
            assert self._runner.main_task_outcome is not None
            self._ended(self._runner.main_task_outcome)
        except trio.TrioInternalError as error:
            self._over = True
            self._ended(outcome.Error(error))
        finally:
            sniffio.thread_local.name = outside

    def must_yield(self) -> bool:
        """Whether a checkpoint of the running task has to let others run: there are some, or it is time to count a round."""
        if self._runner.runq or self._frame.f_locals["batch"] or self._skipped == SKIPPED_MAX:
            self._skipped = 0
            return True
        self._skipped += 1
        return False

    @property
    def has_io(self) -> bool:
        """Whether trio rang its own wake-up channel: it does at the end of a run and to close lost generators."""
        return not self._over and self._runner.entry_queue.size() > 0

    def abandon(self) -> "Remains":
        """Stop the run where it stands: no task ever runs again, nothing of its clean-up happens now.

        Returns:
            What is left of it, to be kept until nobody watches any more; dropping it would run ``finally`` blocks.
        """
        remains = Remains(list(self._runner.tasks), list(self._runner.asyncgens.alive))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # "abandoned without properly finishing": that is the wish
            self._guest.unrolled_run_gen.close()
        sys.set_asyncgen_hooks(*self._host_hooks)
        self._over = True
        return remains


class Remains:
    """Coroutines and asynchronous generators of an abandoned run."""

    def __init__(self, tasks: list[trio.lowlevel.Task], generators: list[AsyncGeneratorType[object, Any]]) -> None:
        self._tasks = sorted(tasks, key=lambda task: task._counter)  # noqa: SLF001  the order of creation
        self._generators = generators
        for task in tasks:
            for nursery in task.child_nurseries:
                nursery._children.clear()  # noqa: SLF001  a nursery that dies with children asserts in __del__

    def bury(self) -> None:
        """Let go of everything; ``finally`` blocks run now, in a world that is over."""
        for task in self._tasks:
            _exhaust(task.coro, task.coro.close)
            # Who held a lock stays there until it exits, which it never does.
            GLOBAL_PARKING_LOT_BREAKER.pop(task, None)
        for generator in self._generators:
            _exhaust(generator, lambda generator=generator: generator.aclose().send(None))  # type: ignore[misc]
        self._tasks, self._generators = [], []


def _awaited(thing: object) -> Any:
    """What a suspended coroutine or generator waits for."""
    for name in ("cr_await", "ag_await", "gi_yieldfrom"):
        if getattr(thing, name, None) is not None:
            return getattr(thing, name)
    return None


def _exhaust(thing: object, close: Callable[[], object]) -> None:
    """Close from the innermost await outwards, again and again while ``finally`` blocks await anew.

    An outer coroutine that unwinds over an inner one that still waits would drop it, and Python would complain about that.
    """
    for _ in range(_CLOSE_ATTEMPTS_MAX):
        closers, inner = [close], _awaited(thing)
        while hasattr(inner, "close"):
            closers.append(inner.close)
            inner = _awaited(inner)
        if all(_closed(one) for one in reversed(closers)):
            return


def _closed(close: Callable[[], object]) -> bool:
    try:
        close()
    except RuntimeError as error:
        return "ignored GeneratorExit" not in str(error)
    except BaseException:  # noqa: BLE001  dead foreign code unwinds; whatever it raises says nothing
        return True
    return True
