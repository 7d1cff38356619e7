"""Which simulated machine runs right now, if any.

Everything that is process-wide and has to differ between machines (entropy, library clocks, escape detection) asks here. Deliberately
absent: threads; a simulation runs in one thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.worlds.sim.machine import Machine


class Current:
    """Holds the machine that is running; None while the host loop itself runs."""

    __slots__ = ("machine",)

    def __init__(self) -> None:
        self.machine: Machine | None = None


CURRENT = Current()
