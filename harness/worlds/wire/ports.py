"""Ports that are free on loopback."""

import socket


def free_port() -> int:
    """A TCP port that nobody had a moment ago; who binds it afterwards must be ready to find it taken."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
