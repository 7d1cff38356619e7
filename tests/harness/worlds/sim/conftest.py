"""A small world for tests: a server, a client, one link, and programs that talk over it."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import httpx2
import pytest
import trio

from harness.worlds.sim.link import LinkPolicy
from harness.worlds.sim.simulation import Simulation

SERVER = "10.0.0.1"


class World:
    """A server and a client; ``seen`` is every observation, ``said`` what programs noted."""

    def __init__(self, seed: int = 7, policy: LinkPolicy | None = None, *, keep_trace: bool = False) -> None:
        self.seen: list[tuple[float, str, str, dict[str, Any]]] = []
        self.said: list[Any] = []
        self.heard: list[tuple[str, int, str, bytes]] = []
        self.sim = Simulation(seed, self._observe, tap=self._tap, keep_trace=keep_trace)
        self.server = self.sim.machine("server", SERVER)
        self.client = self.sim.machine("client", "10.0.0.2")
        self.link = self.sim.link("client", "server", policy or LinkPolicy(latency_s=0.02))
        self.sim.names["relay.test"] = "server"

    def _observe(self, actor: str, what: str, data: dict[str, Any], t: float) -> None:
        self.seen.append((t, actor, what, dict(data)))

    def _tap(self, machine: str, conn: int, direction: str, data: bytes, _t: float) -> None:
        self.heard.append((machine, conn, direction, data))

    def note(self, *what: Any) -> None:
        self.said.append((round(self.sim.now, 3), *what))

    def of(self, what: str, actor: str = "") -> list[dict[str, Any]]:
        return [data for _, who, name, data in self.seen if name == what and actor in ("", who)]

    def perform(self, name: str, **args: Any) -> None:
        from harness.faults.model import Operation  # noqa: PLC0415

        self.sim.perform(Operation(name, args))

    # --- programs

    async def serve_tcp(self, handler: Callable[[trio.SocketStream], Awaitable[None]], port: int = 80) -> None:
        listeners = await trio.open_tcp_listeners(port, host=SERVER)
        await trio.serve_listeners(partial(_forgiving, handler), listeners)

    async def serve_https(self, port: int = 443) -> None:
        context = self.sim.server_context("server", "relay.test")
        listeners = await trio.open_tcp_listeners(port, host=SERVER)
        tls = [trio.SSLListener(one, context, https_compatible=True) for one in listeners]
        await trio.serve_listeners(partial(_forgiving, _serve_http), tls)

    async def get(self, path: str = "/hello", *, proxy: str | None = None, timeout_s: float = 10.0, **more: Any) -> Any:
        """One request of a fresh client; the response, or the name of the error."""
        context = self.sim.client_context("client")
        try:
            async with httpx2.AsyncClient(verify=context, trust_env=False, proxy=proxy, timeout=timeout_s) as client:
                response = await client.get(f"https://relay.test{path}", **more)
        except httpx2.HTTPError as error:
            return type(error).__name__
        return response


async def _forgiving(handler: Callable[[Any], Awaitable[None]], stream: Any) -> None:
    try:
        async with stream:
            await handler(stream)
    except (trio.BrokenResourceError, trio.ClosedResourceError, OSError):
        pass


async def _serve_http(stream: Any) -> None:
    """Answers GET /hello, /auth (echoes Authorization) and /stream (a line a second)."""
    buffer = b""
    while True:
        while b"\r\n\r\n" not in buffer:
            data = await stream.receive_some(65_536)
            if not data:
                return
            buffer += data
        head, buffer = buffer.split(b"\r\n\r\n", 1)
        path = head.split(b" ")[1]
        if path == b"/stream":
            await stream.send_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
            for number in range(1000):
                await stream.send_all(b"2\r\n%d\n\r\n" % (number % 10))
                await trio.sleep(1)
        if path == b"/auth":
            lines = [line for line in head.split(b"\r\n") if line.lower().startswith(b"authorization:")]
            body = lines[0].partition(b": ")[2] if lines else b"none"
        else:
            body = b"hello"
        await stream.send_all(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)


@pytest.fixture
def make_world():
    """Make worlds that are closed when the test is over."""
    worlds = []

    def make(*args: Any, **kwargs: Any) -> World:
        worlds.append(World(*args, **kwargs))
        return worlds[-1]

    yield make
    for world in worlds:
        world.sim.close()


@pytest.fixture
def world(make_world):
    return make_world()
