"""Whether this is a system on which the wire world can be played at all; imports nothing that other systems lack.

Deliberately absent: what of a Linux is missing (``__main__``, ``namespaces``).
"""

import sys


def why_not_here() -> str:
    """Why not, with the remedy; empty on Linux. Its process table, its clocks and its namespaces are what this world is made of."""
    here: str = sys.platform
    return "" if here == "linux" else f"the wire world needs Linux, and this is {here}; {_REMEDY}"


_REMEDY = "the simulated world runs anywhere (--world sim)"
