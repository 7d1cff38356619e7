"""The escape detector: code of a simulated machine that touches the real network, processes, threads or the real clock ends the run.

Sockets, processes and threads are seen by one audit hook (it cannot be removed, so it is installed once and looks at who runs); clocks have
no audit event, so ``time``'s readers are wrapped while a world exists. A program that swallows the error does not get away: what was found
stays found. Deliberately absent: files; and modules that hold ``from time import monotonic``, which nothing can see.
"""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from harness.base.errors import WorldError
from harness.worlds.sim.current import CURRENT

FORBIDDEN = frozenset(
    {
        "_thread.start_joinable_thread",
        "_thread.start_new_thread",
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.spawn",
        "os.system",
        "socket.bind",
        "socket.connect",
        "socket.getaddrinfo",
        "socket.gethostbyaddr",
        "socket.gethostbyname",
        "socket.sendto",
        "subprocess.Popen",
        "time.sleep",
    }
)
"""Audit events that no simulated machine may cause."""

CLOCKS = ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "clock_gettime")

_ALLOWED = {"socket.getaddrinfo": ("trio._socket",)}
"""Event -> modules that may cause it: trio asks for numeric addresses only, and sends names to the machine's resolver."""

_CLOCK_READERS = ("warnings", "tracemalloc", "gc")
"""Modules whose readings never reach a program."""

_PLUMBING = ("socket", "subprocess", "threading", "trio.", "outcome", "harness.worlds.sim.escape")
"""Modules that are not the call site anybody wants to know of."""

_found: list[str] = []
_installed: list[bool] = []


def _site(frame: FrameType | None) -> str:
    first = frame
    while frame is not None and str(frame.f_globals.get("__name__", "")).startswith(_PLUMBING):
        frame = frame.f_back
    at = frame or first
    return "?" if at is None else f"{at.f_code.co_filename}:{at.f_lineno} in {at.f_code.co_qualname}"


def _escaped(what: str, frame: FrameType | None) -> WorldError:
    machine = CURRENT.machine
    assert machine is not None
    _found.append(f"{machine.name} escaped from the simulation: {what} at {_site(frame)}")
    return WorldError(_found[-1])


def _audit(event: str, _args: tuple[Any, ...]) -> None:
    if event not in FORBIDDEN or CURRENT.machine is None:
        return
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  the caller is the finding
    while frame is not None and frame.f_globals.get("__name__") == "socket":
        frame = frame.f_back
    if frame is None or frame.f_globals.get("__name__") not in _ALLOWED.get(event, ()):
        raise _escaped(event, frame)


def _guarded(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    def read(*args: Any) -> Any:
        if CURRENT.machine is not None:
            frame = sys._getframe(1)  # noqa: SLF001  same
            if frame.f_globals.get("__name__") not in _CLOCK_READERS:
                raise _escaped(f"the real clock (time.{name})", frame)
        return real(*args)

    return read


def check() -> None:
    """Raise what was found since the last world began.

    Raises:
        WorldError: naming machine, deed and call site, also if the program swallowed the first one.
    """
    if _found:
        raise WorldError(_found[0])


@contextlib.contextmanager
def escapes_forbidden() -> Iterator[None]:
    """Watch machines until left."""
    if not _installed:
        sys.addaudithook(_audit)
        _installed.append(True)
    _found.clear()
    saved = {name: getattr(time, name) for name in CLOCKS}
    for name, real in saved.items():
        setattr(time, name, _guarded(name, real))
    try:
        yield
    finally:
        for name, real in saved.items():
            setattr(time, name, real)
        _found.clear()
