"""What a role asks of the machine that it runs on, and the door through which it is told what to do.

The real platform is ``reference.native``; the simulated one belongs to the harness. Deliberately absent: any choice between them.
"""

import random
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from reference.protocol.instant import Instant
from reference.protocol.timers import Timers


class Home(Protocol):
    """A small private directory: state that outlives the process."""

    def read(self, name: str) -> bytes | None:
        """Contents of a file, or None."""

    def write(self, name: str, data: bytes) -> None:
        """Replace a file atomically, mode 0600."""


class AgentPipe(Protocol):
    """The standard streams of a running agent: Agent Client Protocol, one JSON-RPC object at a time."""

    async def send(self, message: dict[str, Any]) -> None:
        """Write one object to the agent."""

    def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        """Objects the agent writes, until it ends."""


class Store(Protocol):
    """Where the relay keeps what it acknowledged: an append-only list of records.

    ``commit`` returns when the records are on stable storage, and not before; an error is fatal to the store (fsyncgate).
    """

    async def load(self) -> list[bytes]:
        """All durable records in order."""

    async def commit(self, records: list[bytes]) -> None:
        """Append records, make them durable, then return."""

    async def aclose(self) -> None:
        """Close without losing what was committed."""


@dataclass(frozen=True)
class Platform:
    """One machine as a role sees it.

    Attributes:
        instant: reads the three clocks.
        entropy: all randomness, tokens and jitter alike; ``random.SystemRandom`` in real runs.
        environ: environment variables (proxy settings above all).
        client_tls: makes a fresh client context that trusts what this machine trusts.
        server_tls: makes a fresh server context with this machine's certificate.
        home: the role's private files.
        open_store: opens the relay's store.
        launch_agent: starts the session's agent in a directory; leaving the context ends it.
        print: writes one line to the terminal.
        timers: the protocol's timing constants.
    """

    instant: Callable[[], Instant]
    entropy: random.Random
    environ: Mapping[str, str]
    client_tls: Callable[[], ssl.SSLContext]
    server_tls: Callable[[], ssl.SSLContext]
    home: Home
    open_store: Callable[[], Store]
    launch_agent: Callable[[str], AbstractAsyncContextManager[AgentPipe]]
    print: Callable[[str], None]
    timers: Timers = Timers()


@dataclass(frozen=True)
class Door:
    """The role's end of docs/spec/sut.md: requests in, replies and events out, as JSON objects.

    Attributes:
        requests: yields request objects; ends when the other side is gone.
        send: hands one reply or event over; never blocks.
    """

    requests: AsyncIterator[dict[str, Any]]
    send: Callable[[dict[str, Any]], None]
