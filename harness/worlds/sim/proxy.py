"""The forward proxy of a corporate network: real bytes, a trio program on a simulated machine.

CONNECT with an optional password; tunnels that are passed on, opened (TLS ends here), buffered, cut when idle; answers in another's place.
What it does is told by the middlebox's ``Settings`` of the moment. Deliberately absent: caching, and plain requests passed on.
"""

import itertools
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import trio

from harness.worlds import pki
from harness.worlds.sim.http_wire import Head, Reader, has_no_body
from harness.worlds.way_out import BAD_GATEWAY, PAGES, Page, refusal

if TYPE_CHECKING:
    from harness.worlds.sim.middlebox import Middlebox

PORT = 3128
HEAD_S = 30.0
DIAL_S = 20.0

_BROKEN = (trio.BrokenResourceError, trio.ClosedResourceError, OSError)


class Proxy:
    """One proxy; ``run`` is its program.

    Attributes:
        changed: set, and made anew, when the settings change.
        first_seen: the first Authorization that came by under the present settings, as far as anybody asked for it.
    """

    def __init__(self, box: "Middlebox") -> None:
        self._box = box
        self.changed = trio.Event()
        self.first_seen = b""
        self._scopes: dict[int, trio.CancelScope] = {}
        self._numbers = itertools.count()

    # --- from the host loop, inside the machine's run

    def settings_changed(self) -> None:
        """Wake everything that waits under the old settings."""
        self.changed.set()
        self.changed = trio.Event()
        self.first_seen = b""

    def drop_tunnels(self) -> None:
        """End what is open now."""
        for scope in self._scopes.values():
            scope.cancel()

    # --- the program

    async def run(self) -> None:
        """Serve until the machine is killed."""
        listeners = await trio.open_tcp_listeners(PORT, host=self._box.address)
        await trio.serve_listeners(self._serve, listeners)

    async def _serve(self, client: trio.SocketStream) -> None:
        number = next(self._numbers)
        with trio.CancelScope() as scope:
            self._scopes[number] = scope
            try:
                async with client:
                    await self._converse(client)
            except* (*_BROKEN, trio.TooSlowError, ValueError):
                pass  # a client that went away or talks nonsense is no concern of anybody
            finally:
                del self._scopes[number]

    async def _converse(self, client: trio.SocketStream) -> None:
        conn: int = client.socket.connection_number  # type: ignore[attr-defined]
        reader = Reader(client)
        with trio.fail_after(HEAD_S):
            request = await reader.head()
        if request is None or len(request.first) < 2:
            return
        credentials = request.headers.get(b"proxy-authorization", b"").decode("latin-1")
        page = refusal(self._box.settings, request.first[0].decode("latin-1"), credentials)
        if page is not None:
            await self._answer(client, conn, page)
        else:
            host, _, port = request.first[1].decode("ascii").rpartition(":")
            await self._tunnel(client, conn, host, int(port))

    async def _answer(self, client: trio.abc.SendStream, conn: int, page: Page) -> None:
        self._box.note("answered", conn=conn, status=page.status)
        await client.send_all(page.raw)

    async def _tunnel(self, client: trio.SocketStream, conn: int, host: str, port: int) -> None:
        settings = self._box.settings
        if settings.portal:
            await client.send_all(_ESTABLISHED)
            await self._show_untrusted(client, conn, host)
            return
        try:
            with trio.fail_after(DIAL_S):
                server = await trio.open_tcp_stream(host, port)
        except (OSError, trio.TooSlowError):
            await self._answer(client, conn, BAD_GATEWAY)
            return
        async with server:
            await client.send_all(_ESTABLISHED)
            if settings.inspects:
                await self._inspect(client, server, conn, host)
            else:
                self._box.note("passed", conn=conn)
                await self._pass_on(client, server, conn)

    async def _show_untrusted(self, client: trio.SocketStream, conn: int, host: str) -> None:
        self._box.note("inspected", conn=conn, ca="untrusted")
        context = pki.server_context(self._box.sim.corporate_authority.leaf_pem(host, "untrusted"))
        tls = trio.SSLStream(client, context, server_side=True, https_compatible=True)
        await tls.do_handshake()
        if await Reader(tls).head() is not None:
            await self._answer(tls, conn, PAGES["redirect"])

    # --- tunnels that are not opened

    async def _pass_on(self, client: trio.SocketStream, server: trio.SocketStream, conn: int) -> None:
        heard = [trio.current_time()]
        async with trio.open_nursery() as nursery:

            async def pump(source: trio.SocketStream, sink: trio.SocketStream) -> None:
                while data := await source.receive_some(65_536):
                    heard[0] = trio.current_time()
                    await sink.send_all(data)
                await sink.send_eof()
                open_ways.discard(source)
                if not open_ways:
                    nursery.cancel_scope.cancel()

            open_ways = {client, server}
            nursery.start_soon(pump, client, server)
            nursery.start_soon(pump, server, client)
            await self._until_idle(heard, conn)
            nursery.cancel_scope.cancel()

    async def _until_idle(self, heard: list[float], conn: int) -> None:
        while True:
            idle_s, changed = self._box.settings.idle_s, self.changed
            left_s = float("inf") if idle_s is None else heard[0] + idle_s - trio.current_time()
            if idle_s is not None and left_s <= 0:
                self._box.note("cut", conn=conn, idle_s=trio.current_time() - heard[0])
                return
            with trio.move_on_after(left_s):
                await changed.wait()

    # --- tunnels that are opened

    async def _inspect(self, client: trio.SocketStream, server: trio.SocketStream, conn: int, host: str) -> None:
        sim, settings = self._box.sim, self._box.settings
        self._box.note("inspected", conn=conn, ca=settings.inspects)
        variant: pki.Variant | None = "untrusted" if settings.inspects == "untrusted" else None
        context = pki.server_context(sim.corporate_authority.leaf_pem(host, variant))
        near = trio.SSLStream(client, context, server_side=True, https_compatible=True)
        await near.do_handshake()
        far = trio.SSLStream(
            server, pki.client_context(sim.public_authority), server_hostname=host, https_compatible=True
        )
        await far.do_handshake()
        await _Exchange(self, self._box, conn, near, far).run()


class _Exchange:
    """Requests and answers of one opened tunnel, one after the other."""

    def __init__(
        self,
        proxy: Proxy,
        box: "Middlebox",
        conn: int,
        near: "trio.SSLStream[Any]",
        far: "trio.SSLStream[Any]",
    ) -> None:
        self._proxy, self._box, self._conn, self._near, self._far = proxy, box, conn, near, far
        self._requests, self._answers = Reader(near), Reader(far)

    async def run(self) -> None:
        while (request := await self._requests.head()) is not None:
            answers = self._box.settings.answers
            if answers:
                self._box.note("answered", conn=self._conn, status=PAGES[answers].status)
                await self._near.send_all(PAGES[answers].raw)
                return
            await self._far.send_all(self._rewritten(request))
            async with aclosing(self._requests.body(request, until_end=False)) as body:
                async for part in body:
                    await self._far.send_all(part)
            if not await self._carry_answer(request):
                return

    def _rewritten(self, request: Head) -> bytes:
        how = self._box.settings.rewrites_auth
        if how is None:
            return request.raw
        self._box.note("rewrote", conn=self._conn, path=request.path)
        lines = request.without(b"authorization")
        if how == "replace":
            lines.append(b"Authorization: Bearer issued-by-the-proxy")
        elif how == "mix_up" and (own := request.headers.get(b"authorization", b"")):
            self._proxy.first_seen = self._proxy.first_seen or own
            lines.append(b"Authorization: " + self._proxy.first_seen)
        return b"\r\n".join(lines) + b"\r\n\r\n"

    async def _carry_answer(self, request: Head) -> bool:
        """Carry one answer; False when the tunnel is over. A client that leaves meanwhile ends it."""
        carried = False
        async with trio.open_nursery() as nursery:

            async def watch_client() -> None:
                while await self._requests.more():
                    pass
                nursery.cancel_scope.cancel()

            nursery.start_soon(watch_client)
            response = await self._answers.head()
            if response is not None:
                sink = _Sink(self._box, self._conn, self._near)
                nursery.start_soon(self._release_when_told, sink)
                try:
                    await self._carry_body(request, response, sink)
                    carried = True
                finally:
                    sink.account()
            nursery.cancel_scope.cancel()
        return carried

    async def _carry_body(self, request: Head, response: Head, sink: "_Sink") -> None:
        await sink.take(response.raw)
        if not has_no_body(request, response):
            async with aclosing(self._answers.body(response, until_end=True)) as body:
                async for part in body:
                    await sink.take(part)
        await sink.release()

    async def _release_when_told(self, sink: "_Sink") -> None:
        while self._box.settings.buffers:
            await self._proxy.changed.wait()
        await sink.release()


class _Sink:
    """Where an answer goes: straight on, or held back until it is complete."""

    def __init__(self, box: "Middlebox", conn: int, near: "trio.SSLStream[Any]") -> None:
        self._box, self._conn, self._near = box, conn, near
        self._held = b""
        self._since: float | None = None
        self._sending = trio.Lock()

    async def take(self, data: bytes) -> None:
        """Take a part of the answer."""
        if self._box.settings.buffers:
            self._since = trio.current_time() if self._since is None else self._since
            self._held += data
        else:
            await self.release()
            async with self._sending:
                await self._near.send_all(data)

    async def release(self) -> None:
        """Send what is held."""
        async with self._sending:
            held = self.account()
            if held:
                await self._near.send_all(held)

    def account(self) -> bytes:
        """Give up what is held, and tell for how long it was."""
        held, since = self._held, self._since
        self._held, self._since = b"", None
        if since is not None:
            self._box.note("held", conn=self._conn, bytes=len(held), held_s=trio.current_time() - since)
        return held


_ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
