"""The fault operations of the wire world: a table name -> function; what each does really is measured and stands in docs/guide/wire.md.

Deliberately absent: what this world cannot do; a plan that asks for it is refused before it runs.
"""

import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from harness.base.errors import WorldError
from harness.faults.model import Operation

if TYPE_CHECKING:
    from harness.worlds.wire.world import WireStage

_STREAMS = {"both": ("upstream", "downstream"), "up": ("upstream",), "down": ("downstream",)}
_HOLD_MS = 600_000
"""A close is kept back for so long; it is let go when the toxic is removed."""


def _block(stage: "WireStage", *, link: str, direction: str = "both", how: str = "drop") -> None:
    """Dead silence: bytes vanish, and no end of a connection is passed on either; the order matters (measured)."""
    if how != "drop":
        raise WorldError(f"a link cannot be blocked by {how!r}")
    for stream in _STREAMS[direction]:
        stage.links[link].add("timeout", stream, timeout=0)
    for stream in _STREAMS[direction]:
        stage.links[link].add("slow_close", stream, delay=_HOLD_MS)
    if direction != "up":
        stage.tap.hold(link.partition("-")[0], stage.now, lost=True)
    stage.watch(link)


def _unblock(stage: "WireStage", *, link: str) -> None:
    stage.watch(link, on=False)
    stage.tap.release(link.partition("-")[0], stage.now)
    stage.links[link].clear()


def _suspend(stage: "WireStage", *, machine: str) -> None:
    """A lid closes: programs stand, MONOTONIC with them, and nothing passes the machine's link, ends of connections neither."""
    role = stage.roles[machine]
    if role.slept_since is None and role.alive:
        role.signal(signal.SIGSTOP)
        stage.link_of(machine).child.signal(signal.SIGSTOP)
        role.slept_since = stage.now
        stage.tap.hold(machine, stage.now, lost=False)
        stage.record(machine, "os", "machine.suspended")


def _resume(stage: "WireStage", *, machine: str) -> None:
    """The lid opens: BOOTTIME and the calendar have gone on."""
    role = stage.roles[machine]
    if role.slept_since is not None:
        slept_s = stage.now - role.slept_since
        role.slept_since = None
        role.clocks.awake_ns -= round(slept_s * 1e9)
        stage.clock.tell()
        woke = stage.record(machine, "os", "machine.resumed", slept_s=round(slept_s, 9))
        stage.tap.release(machine, woke.t)
        stage.link_of(machine).child.signal(signal.SIGCONT)
        role.signal(signal.SIGCONT)


def _freeze(stage: "WireStage", *, machine: str) -> None:
    role = stage.roles[machine]
    if role.frozen_since is None:
        role.signal(signal.SIGSTOP)
        role.frozen_since = stage.now
        stage.tap.hold(machine, stage.now, lost=False)
        stage.record(machine, "os", "process.frozen")


def _thaw(stage: "WireStage", *, machine: str) -> None:
    role = stage.roles[machine]
    if role.frozen_since is not None:
        frozen_s, role.frozen_since = stage.now - role.frozen_since, None
        thawed = stage.record(machine, "os", "process.thawed", frozen_s=round(frozen_s, 9))
        stage.tap.release(machine, thawed.t)
        role.signal(signal.SIGCONT)


def _step_clock(stage: "WireStage", *, machine: str, by_s: float | None = None, drift_ppm: float | None = None) -> None:
    if drift_ppm is not None:
        raise WorldError("the wire world cannot make a clock drift")
    if by_s is not None:
        stage.roles[machine].clocks.wall_ns += round(by_s * 1e9)
        stage.clock.tell()
        stage.record(machine, "os", "clock.stepped", by_s=by_s)


def _kill(stage: "WireStage", *, machine: str, how: Any = "process") -> None:
    stage.roles[machine].kill(how)


PERFORM: dict[str, Callable[..., None]] = {
    "block": _block,
    "unblock": _unblock,
    "suspend": _suspend,
    "resume": _resume,
    "freeze": _freeze,
    "thaw": _thaw,
    "step_clock": _step_clock,
    "kill": _kill,
}

REALISED_BY: dict[str, tuple[str, ...]] = {
    "block": ("toxiproxy",),
    "unblock": ("toxiproxy",),
    "suspend": ("signal", "warp"),
    "resume": ("signal", "warp"),
    "freeze": ("signal",),
    "thaw": ("signal",),
    "step_clock": ("warp",),
    "kill": ("signal",),
    "start": ("process",),
    "call": ("verb",),
}
"""Operation -> by what it is real here; the words are those of docs/spec/history.md."""


def perform(stage: "WireStage", operation: Operation) -> None:
    """Carry out one operation at once.

    Raises:
        WorldError: this world has no such operation.
    """
    if operation.name not in PERFORM:
        raise WorldError(f"the wire world has no operation {operation.name} yet")
    PERFORM[operation.name](stage, **operation.args)
