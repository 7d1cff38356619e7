"""How far an observation is believed.

A system's own word is the weakest evidence there is; bytes on a wire are the strongest (design section 6).
"""

from enum import IntEnum


class Rank(IntEnum):
    """Evidence ranks, weakest first, so that ``rank >= minimum`` reads as it is meant."""

    HARNESS = 0
    ADAPTER = 1
    PEER = 2
    OS = 3
    WIRE = 4
