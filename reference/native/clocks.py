"""The three clocks of a real machine."""

import sys
import time

from reference.protocol.instant import Instant

if sys.platform == "darwin":
    # macOS names them the other way round: MONOTONIC goes on while the machine sleeps, UPTIME_RAW stands.
    AWAKE, ELAPSED = time.CLOCK_UPTIME_RAW, time.CLOCK_MONOTONIC
else:
    AWAKE, ELAPSED = time.CLOCK_MONOTONIC, time.CLOCK_BOOTTIME


def instant() -> Instant:
    """Read all three: what stands in sleep, what goes on, and the calendar."""
    return Instant(time.clock_gettime(AWAKE), time.clock_gettime(ELAPSED), time.time())
