"""Dialling the relay: HTTP/1.1 over TLS, directly or by a proxy, on kept connections. Shared by host and device.

One transport serves calls and streams until it is retired: after a hang-up, or when the way out has changed, new requests go by a new one with
a fresh TLS context. Deliberately absent: retries, redirects, cookies, and every time-out (the machines and the driver have those).
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2

from reference.platform import Platform
from reference.protocol.client_io import Call, Headers
from reference.route import proxy_for

ANSWER_BYTES_MAX = 8 * 1024 * 1024
"""An answer that is longer is not the relay's: the list of a thousand sessions is below 1 MiB."""

_LIMITS = httpx2.Limits(max_connections=None, max_keepalive_connections=2, keepalive_expiry=None)


class Unreached(Exception):  # noqa: N818 - it names what was met
    """No answer; the message is for people and holds no secret."""


@dataclass
class Dialler:
    """The way to one relay.

    Attributes:
        platform: the machine.
        relay_url: ``https://name[:port]``.
        proxy: from the command line; empty for none.
    """

    platform: Platform
    relay_url: str
    proxy: str = ""
    _transport: httpx2.AsyncHTTPTransport | None = None
    _route: str | None = None
    _retired: list[httpx2.AsyncHTTPTransport] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._base = httpx2.URL(self.relay_url)
        self._host = self._base.netloc
        self._urls: dict[str, httpx2.URL] = {}

    def route(self) -> str | None:
        """The proxy in force now: the settings are read anew each time.

        Raises:
            BadProxy: a setting is unusable.
        """
        kept = (self.platform.home.read("proxy") or b"").decode("utf-8", "replace")
        return proxy_for(self._base.host, self.platform.environ, given=self.proxy, kept=kept)

    def retire(self) -> None:
        """Trust no kept connection any more."""
        if self._transport is not None:
            self._retired.append(self._transport)
            self._transport = None

    def check_route(self) -> None:
        """After a failure: if the way out has changed, the next request takes the new one."""
        if self._transport is not None and self.route() != self._route:
            self.retire()

    async def close_retired(self) -> None:
        """Close the connections of retired transports."""
        while self._retired:
            await self._retired.pop().aclose()

    async def aclose(self) -> None:
        """Close everything."""
        self.retire()
        await self.close_retired()

    async def call(self, call: Call) -> tuple[int, dict[str, str], bytes]:
        """Make a call and return status, headers (lower case) and body.

        Raises:
            Unreached: there was no complete answer.
        """
        with _named():
            response = await self._send(call.method, call.path, call.headers, call.body)
            try:
                return response.status_code, dict(response.headers), await read_all(response)
            finally:
                await response.aclose()

    @asynccontextmanager
    async def stream(self, path: str, headers: Headers, on_sent: Callable[[], None]) -> AsyncIterator[httpx2.Response]:
        """Open a stream; ``on_sent`` is called when the request has left.

        Raises:
            Unreached: the connection failed; also from within the block.
        """

        async def trace(name: str, _: Any) -> None:
            if name == "http11.send_request_body.complete":
                on_sent()

        with _named():
            response = await self._send("GET", path, headers, b"", trace)
            try:
                yield response
            finally:
                await response.aclose()

    async def _send(
        self,
        method: str,
        path: str,
        headers: Headers,
        body: bytes,
        trace: Callable[[str, Any], Awaitable[None]] | None = None,
    ) -> httpx2.Response:
        if self._retired:
            await self.close_retired()
        url = self._urls.get(path)
        if url is None:
            url = self._urls[path] = self._base.join(path)
        lines = [("Host", self._host.decode()), *headers]
        if body or method == "POST":
            lines.append(("Content-Length", str(len(body))))
        extensions = {} if trace is None else {"trace": trace}
        request = httpx2.Request(method, url, headers=lines, stream=httpx2.ByteStream(body), extensions=extensions)
        return await self._current().handle_async_request(request)

    def _current(self) -> httpx2.AsyncHTTPTransport:
        if self._transport is None:
            self._route = self.route()
            proxy = None if self._route is None else httpx2.Proxy(self._route)
            self._transport = httpx2.AsyncHTTPTransport(
                verify=self.platform.client_tls(), trust_env=False, limits=_LIMITS, proxy=proxy
            )
        return self._transport


class _named:  # noqa: N801 - reads as the verb it is at the place of use
    """Turns the errors of the stack below into ``Unreached``."""

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, (httpx2.HTTPError, OSError, ValueError)):
            raise Unreached(f"{type(error).__name__}: {error}".rstrip(": ")) from error


async def read_all(response: httpx2.Response) -> bytes:
    """Read a body to its end.

    Raises:
        Unreached: it is longer than any answer of the relay.
    """
    parts, size = [], 0
    async for part in response.aiter_raw():
        size += len(part)
        if size > ANSWER_BYTES_MAX:
            raise Unreached("the answer is too long to be the relay's")
        parts.append(part)
    return b"".join(parts)
