"""Ports that are ours until somebody binds them: a program gets its port in its arguments, and binds it a second or four later.

Deliberately absent: ports that the kernel chooses. It gives them to anybody's next connection as well, and then a server cannot listen there.
"""

import os
import socket
from collections import deque
from contextlib import suppress
from itertools import count

from harness.base.errors import WorldError

FIRST, LAST = 16_384, 32_767
"""Below what Linux gives to outgoing connections by default (``ip_local_port_range``, ip(7))."""

STRIDE = 97
"""Ports between where two processes begin to look; a world takes five."""

HELD_MAX = 64
"""Claims kept at a time; a world binds its ports long before it has made so many more."""

_tries = count()
_claims: deque[int] = deque()
"""Their file descriptors, which no child inherits; the last end with the process."""


def free_port() -> int:
    """A TCP port of loopback that nobody has, and that no other process of ours takes for a good while.

    Raises:
        WorldError: all are taken.
    """
    span = LAST - FIRST + 1
    for _ in range(span):
        port = FIRST + (os.getpid() * STRIDE + next(_tries)) % span
        with suppress(OSError):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
            _claims.append(_claim(port))
            if len(_claims) > HELD_MAX:
                os.close(_claims.popleft())
            return port
    raise WorldError(f"no TCP port from {FIRST} to {LAST} is free on 127.0.0.1: end what listens there")


def _claim(port: int) -> int:
    """What only one process can have, and none after its end: an abstract name (unix(7))."""
    with socket.socket(socket.AF_UNIX) as claim:
        claim.bind(f"\0relayproof-port-{port}")
        return claim.detach()
