"""What a run stands on: where machines are, how they find their relay, and what can be done to the lines between them.

``Loopback`` needs nothing of the system and has one network for all; ``routed`` has a namespace for each machine. Deliberately absent: proxies.
"""

import socket
from typing import Literal, Protocol

import trio

from harness.worlds.wire.ports import free_port

type Front = Literal["relay", "proxy"]


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

    def front(self, client: str, kind: Front) -> str:
        """``address:port`` at which a client's link begins, to its relay or to its proxy; port 0 is any."""

    def relay_url(self, client: str, front: str) -> str:
        """What a client is told, given where its link really begins."""

    def proxy_place(self, client: str, front: str) -> str:
        """``name:port`` that a client's user configures as its proxy, given where its link really begins."""

    def portal_places(self, client: str) -> list[str]:
        """``address:port`` at which a client's portal listens; port 0 is any."""

    def shut(self, client: str) -> None:
        """From now on its proxy is the only way out of a client's machine."""

    def close(self) -> None:
        """The run is over."""


class Loopback:
    """All machines share this one's loopback."""

    def __init__(self) -> None:
        self.relay_name = "localhost"
        self.relay_port = free_port()
        self.relay_at = ("127.0.0.1", self.relay_port)
        self._nowhere: dict[str, socket.socket] = {}

    async def start(self, nursery: trio.Nursery) -> None:
        """Nothing to start."""
        del nursery

    def inside(self, actor: str) -> list[str]:
        """Here."""
        del actor
        return []

    def front(self, client: str, kind: Front) -> str:
        """A port of its own."""
        del client, kind
        return "127.0.0.1:0"

    def relay_url(self, client: str, front: str) -> str:
        """The link's port; where a proxy is the only way out, one at which nobody answers."""
        nowhere = self._nowhere.get(client)
        port = nowhere.getsockname()[1] if nowhere else front.rpartition(":")[2]
        return f"https://localhost:{port}"

    def proxy_place(self, client: str, front: str) -> str:
        """The link's port."""
        del client
        return f"localhost:{front.rpartition(':')[2]}"

    def portal_places(self, client: str) -> list[str]:
        """A port of its own."""
        del client
        return ["127.0.0.1:0"]

    def shut(self, client: str) -> None:
        """Nothing on loopback can be forbidden; the relay's address leads nowhere but by the proxy. Whoever holds a port keeps others from it."""
        nowhere = self._nowhere[client] = socket.socket()
        nowhere.bind(("127.0.0.1", 0))

    def close(self) -> None:
        """Let go of ports."""
        for nowhere in self._nowhere.values():
            nowhere.close()
