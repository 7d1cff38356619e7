"""What a run stands on: where machines are, how they find their relay, and what can be done to the lines between them.

``Loopback`` needs nothing of the system and has one network for all; ``routed`` has a namespace for each machine. Deliberately absent: proxies.
"""

from typing import Protocol

import trio

from harness.worlds.wire.ports import free_port


class Ground(Protocol):
    """One run's ground.

    Attributes:
        relay_name: by which clients know the relay; in its certificate.
        relay_port: at which it listens.
        relay_at: address and port at which the tap finds it.
    """

    relay_name: str
    relay_port: int
    relay_at: tuple[str, int]

    async def start(self, nursery: trio.Nursery) -> None:
        """Begin to watch and to serve."""

    def inside(self, actor: str) -> list[str]:
        """What stands before the command of an actor's program, or of one of the proxies (no name)."""

    def front(self, client: str) -> str:
        """``address:port`` at which a client's link begins; port 0 is any."""

    def relay_url(self, client: str, front: str) -> str:
        """What a client is told, given where its link really begins."""

    def close(self) -> None:
        """The run is over."""


class Loopback:
    """All machines share this one's loopback."""

    def __init__(self) -> None:
        self.relay_name = "localhost"
        self.relay_port = free_port()
        self.relay_at = ("127.0.0.1", self.relay_port)

    async def start(self, nursery: trio.Nursery) -> None:
        """Nothing to start."""
        del nursery

    def inside(self, actor: str) -> list[str]:
        """Here."""
        del actor
        return []

    def front(self, client: str) -> str:
        """A port of its own."""
        del client
        return "127.0.0.1:0"

    def relay_url(self, client: str, front: str) -> str:
        """The link's port."""
        del client
        return f"https://localhost:{front.rpartition(':')[2]}"

    def close(self) -> None:
        """Nothing to let go."""
