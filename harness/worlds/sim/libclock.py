"""Time of libraries: the modules that read ``time`` themselves get the running machine's clocks instead.

Each module is named, because each is a fact about a library that may change; ``verify`` says loudly when one no longer reads the time
through its ``time`` attribute. Outside of machines the real clock answers. Deliberately absent: modules that did ``from time import ...``, of
which no stack of the reference has one, and ``datetime.now``, which is C.
"""

import contextlib
import importlib
import time
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from harness.base.errors import WorldError
from harness.worlds.sim.current import CURRENT

MODULES = (
    "httpcore2._async.http11",  # keep-alive expiry
    "httpx2._client",  # Response.elapsed
    "httpx2._cookies",  # cookie expiry
    "http.cookiejar",  # the same, underneath
    "logging",  # time of records
)

_REAL = {name: getattr(time, name) for name in ("time", "monotonic", "perf_counter")}


def _machine_reading(name: str) -> float | None:
    machine = CURRENT.machine
    if machine is None:
        return None
    return machine.clocks.realtime() if name == "time" else machine.clocks.monotonic()


def _reader(name: str) -> Callable[[], float]:
    real = _REAL[name]

    def read() -> float:
        reading = _machine_reading(name)
        return float(real()) if reading is None else reading

    return read


def _reader_ns(name: str) -> Callable[[], int]:
    real = getattr(time, f"{name}_ns")

    def read() -> int:
        machine = CURRENT.machine
        if machine is None:
            return int(real())
        return machine.clocks.realtime_ns() if name == "time" else machine.clocks.monotonic_ns()

    return read


class MachineTime:
    """Stands in for the module ``time``: six clocks of the running machine, everything else as it was."""

    def __init__(self) -> None:
        for name in _REAL:
            setattr(self, name, _reader(name))
            setattr(self, f"{name}_ns", _reader_ns(name))

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


def verify() -> list[ModuleType]:
    """Import the named modules.

    Raises:
        WorldError: one of them has no ``time`` of its own any more.
    """
    modules = [importlib.import_module(name) for name in MODULES]
    changed = [one.__name__ for one in modules if not isinstance(getattr(one, "time", None), ModuleType | MachineTime)]
    if changed:
        raise WorldError(f"these no longer read the clock through their `time`: {', '.join(changed)}")
    return modules


@contextlib.contextmanager
def machine_time() -> Iterator[None]:
    """Replace ``time`` in the named modules; restore it on leaving."""
    saved: list[tuple[Any, Any]] = [(module, getattr(module, "time")) for module in verify()]  # noqa: B009  not in stubs
    stand_in = MachineTime()
    for module, _ in saved:
        module.time = stand_in
    try:
        yield
    finally:
        for module, real in saved:
            module.time = real
