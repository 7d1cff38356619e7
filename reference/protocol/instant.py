"""The three readings of a machine's clocks."""

from typing import NamedTuple


class Instant(NamedTuple):
    """One moment on one machine.

    Deadlines and the ten-minute rule use ``awake_s``, credentials use ``elapsed_s``, people see ``wall_s``.

    Attributes:
        awake_s: stands still in sleep (CLOCK_MONOTONIC on Linux).
        elapsed_s: runs on in sleep (CLOCK_BOOTTIME).
        wall_s: calendar seconds since 1970; may be stepped, never used for a decision.
    """

    awake_s: float
    elapsed_s: float
    wall_s: float
