"""The corporate proxy, or the hotel's portal, of one machine: mitmproxy in a process of its own.

Run as ``python -m harness.worlds.wire.proxy_process SETTING`` with ``{"kind": "proxy" or "portal", "places", "confdir", "authorities", "seed",
"upstreams": {"raw", "opened": [address, port]}, "settings"}`` in JSON. A tunnel that is not opened leads to the tap, which hears it; one that is
opened leads to the relay itself, and what its client says and reads in it is told here, so that every word is heard once, where the client's
TLS ends. It says ``{"ready": true, "listens": port}``, then ``{"ns", "conn", "what", ...}`` with the true MONOTONIC: ``what`` is open, dialled
(``host``, ``port``: asked for; ``by``: own port towards the tap, else 0), spoke (``tls``), moved, passed, answered (``status``), inspected (``ca``),
rewrote (``path``), held (``bytes``, ``since_ns``), cut (``last_ns``), out and in (``data``: base64), closed. ``{"error"}`` is a fault of this
program. It is told ``{"settings": {...}, "drop": true or false}`` and ``{"cut": conn, "last_ns"}``, which holds only if nothing has moved since.
Deliberately absent: the world's time, so whoever runs it says when a tunnel was idle for too long.
"""

import asyncio
import base64
import json
import logging
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from mitmproxy import connection, ctx, http, options, tcp, tls
from mitmproxy.net.http.http1 import assemble_request, assemble_response
from mitmproxy.proxy import layer, server_hooks
from mitmproxy.proxy.layers import TCPLayer
from mitmproxy.tools.dump import DumpMaster

from harness.worlds.pki import Authority, Variant
from harness.worlds.way_out import BAD_GATEWAY, PAGES, PORTAL_NAME, TO_PORTAL, Page, Settings, refusal
from harness.worlds.wire.exchange import Exchange, Policy

LINE_BYTES = 65_536
"""Of what this program is told; all settings are below 300."""

TLS_HANDSHAKE = b"\x16"
"""First byte of a connection that begins with TLS (RFC 8446 section 5.1)."""


def say(**told: Any) -> None:
    """Write one line."""
    print(json.dumps(told), flush=True)  # noqa: T201 - standard output is what this program is for


class Faults(logging.Handler):
    """Tells of what mitmproxy only logs: an addon or a connection that crashed."""

    def emit(self, record: logging.LogRecord) -> None:
        """Tell of one."""
        say(error=self.format(record))


@dataclass
class Tunnel:
    """One connection of the machine.

    Attributes:
        number: from 1, in order of dials.
        kind: ``raw``, ``opened`` or ``portal``; empty while nothing was let through.
        target: host and port that were asked for.
        ca: who vouches for the certificate that is shown in it.
        last_ns: when anything moved in it last.
        spoke: whether its client has said anything in it.
        exchange: of an opened one.
        flow: mitmproxy's, once it carries something.
    """

    number: int
    kind: str = ""
    target: tuple[str, int] = ("", 0)
    ca: str = "trusted"
    last_ns: int = 0
    spoke: bool = False
    exchange: Exchange | None = None
    flow: tcp.TCPFlow | None = None
    is_over: bool = False

    def tell(self, what: str, **data: Any) -> None:
        """Tell of something in it."""
        say(ns=time.monotonic_ns(), conn=self.number, what=what, **data)

    def heard(self, way: str, data: bytes) -> None:
        """Tell what its client said or read."""
        if data:
            self.tell(way, data=base64.b64encode(data).decode())


@dataclass
class Middlebox:
    """The addon.

    Attributes:
        authority: the corporate one.
        upstreams: kind of a tunnel -> address and port to which it leads.
        policy: the settings of the moment.
        is_portal: whether whatever comes is the portal's.
    """

    authority: Authority
    upstreams: dict[str, tuple[str, int]]
    policy: Policy
    is_portal: bool
    _tunnels: dict[str, Tunnel] = field(default_factory=dict)
    _dialled: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    # --- what it is told

    def running(self) -> None:
        """The port is open."""
        self._do(self._hear())
        say(ready=True, listens=_server().listen_addrs()[0][1])

    async def _hear(self) -> None:
        lines = asyncio.StreamReader(limit=LINE_BYTES)
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
        while line := await lines.readline():
            told = json.loads(line)
            if "cut" in told:
                self._cut(told["cut"], told["last_ns"])
            else:
                self._change(Settings(**told["settings"]), drop=told["drop"])
        ctx.master.shutdown()  # type: ignore[no-untyped-call]

    def _change(self, settings: Settings, *, drop: bool) -> None:
        self.policy.settings, self.policy.first_seen = settings, b""
        for client, tunnel in self._tunnels.items():
            if drop:
                self._close(client)
            else:
                self._poke(tunnel)

    def _cut(self, number: int, last_ns: int) -> None:
        for client, tunnel in self._tunnels.items():
            if tunnel.number == number and tunnel.last_ns == last_ns and not tunnel.is_over:
                tunnel.tell("cut", last_ns=last_ns)
                self._close(client)

    def _close(self, client: str) -> None:
        """End a connection as mitmproxy ends one that was idle for too long."""
        handler = _server().connections.get(client)
        if handler is not None:
            self._do(handler.on_timeout())

    def _poke(self, tunnel: Tunnel) -> None:
        """Have an opened tunnel look whether there is something to give to its client."""
        if tunnel.exchange is not None and tunnel.flow is not None and not tunnel.is_over:
            ctx.master.commands.call("inject.tcp", tunnel.flow, True, b"")  # noqa: FBT003 - towards the client

    def _do(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- connections

    def client_connected(self, client: connection.Client) -> None:
        """The machine dialled."""
        self._dialled += 1
        tunnel = self._tunnels[client.id] = Tunnel(self._dialled)
        tunnel.tell("open")
        if self.is_portal:
            tunnel.kind, tunnel.target, tunnel.ca = "portal", (PORTAL_NAME, 0), "untrusted"

    def client_disconnected(self, client: connection.Client) -> None:
        """The machine is gone."""
        tunnel = self._tunnels[client.id]
        tunnel.is_over = True
        if tunnel.exchange is not None:
            tunnel.exchange.account()
        tunnel.tell("closed")

    def server_connect(self, data: server_hooks.ServerConnectionHookData) -> None:
        """Whatever was asked for is where this program was told; nothing else is dialled."""
        kind = self._tunnels[data.client.id].kind
        if kind in self.upstreams:
            data.server.address = self.upstreams[kind]
        else:
            data.server.error = "nobody was to be dialled"

    def server_connected(self, data: server_hooks.ServerConnectionHookData) -> None:
        """The other side is reached."""
        tunnel = self._tunnels[data.client.id]
        assert data.server.sockname is not None
        own = data.server.sockname[1] if tunnel.kind == "raw" else 0
        tunnel.tell("dialled", host=tunnel.target[0], port=tunnel.target[1], by=own)

    # --- what is asked of the proxy itself

    def http_connect(self, flow: http.HTTPFlow) -> None:
        """A tunnel is asked for."""
        tunnel, settings = self._tunnels[flow.client_conn.id], self.policy.settings
        tunnel.target = flow.request.host, flow.request.port
        page = self._refusal(flow)
        if page is not None:
            flow.response = _response(page)
        elif settings.portal:
            tunnel.kind, tunnel.ca = "portal", "untrusted"
            flow.response = http.Response.make(200, b"")
        elif settings.inspects:
            tunnel.kind, tunnel.ca = "opened", settings.inspects
            tunnel.exchange = Exchange(self.policy, tunnel.tell, time.monotonic_ns)
        else:
            tunnel.kind = "raw"

    def _refusal(self, flow: http.HTTPFlow) -> Page | None:
        credentials = flow.request.headers.get("proxy-authorization", "")
        return refusal(self.policy.settings, flow.request.method, credentials)

    def http_connected(self, flow: http.HTTPFlow) -> None:
        """A tunnel was granted, or something else said yes in its place."""
        tunnel = self._tunnels[flow.client_conn.id]
        tunnel.last_ns = time.monotonic_ns()
        if not tunnel.kind:
            assert flow.response is not None
            tunnel.tell("answered", status=flow.response.status_code)
            self._do(self._close_soon(flow.client_conn.id))
        elif tunnel.kind == "raw":
            tunnel.tell("passed")
        else:
            tunnel.tell("inspected", ca=tunnel.ca)

    async def _close_soon(self, client: str) -> None:
        """After what is being said."""
        await asyncio.sleep(0)
        self._close(client)

    def http_connect_error(self, flow: http.HTTPFlow) -> None:
        """A tunnel was refused."""
        assert flow.response is not None
        self._tunnels[flow.client_conn.id].tell("answered", status=flow.response.status_code)

    def request(self, flow: http.HTTPFlow) -> None:
        """A request that is no tunnel, or one in a portal's TLS."""
        tunnel = self._tunnels[flow.client_conn.id]
        page = self._page(flow, tunnel)
        tunnel.tell("answered", status=page.status)
        flow.response = _response(page)
        if flow.client_conn.tls_established:
            tunnel.heard("out", assemble_request(flow.request))  # type: ignore[no-untyped-call]
            tunnel.heard("in", assemble_response(flow.response))  # type: ignore[no-untyped-call]

    def _page(self, flow: http.HTTPFlow, tunnel: Tunnel) -> Page:
        if tunnel.kind == "portal":
            return TO_PORTAL if self.is_portal else PAGES["redirect"]
        if tunnel.kind == "opened" and flow.client_conn.tls_established:
            return BAD_GATEWAY
        return self._refusal(flow) or PAGES["forbidden"]

    # --- inside

    def next_layer(self, nextlayer: layer.NextLayer) -> None:
        """What is in a tunnel passes as bytes, opened or not.

        Where an opened one holds no TLS its requests are refused like any; where the relay makes no TLS they are answered in its place.
        """
        client, server = nextlayer.context.client, nextlayer.context.server
        kind = self._tunnels[client.id].kind
        if kind == "raw" or (kind == "opened" and client.tls_established and server.tls_established):
            nextlayer.layer = TCPLayer(nextlayer.context)

    def tls_start_client(self, data: tls.TlsData) -> None:
        """A certificate of the corporate authority, or of one that nobody knows."""
        tunnel = self._tunnels[data.context.client.id]
        if self.is_portal:
            tunnel.tell("inspected", ca=tunnel.ca)
        variant: Variant | None = "untrusted" if tunnel.ca == "untrusted" else None
        pem = self.authority.leaf_pem(tunnel.target[0], variant)
        assert data.ssl_conn is not None
        data.ssl_conn.use_certificate(x509.load_pem_x509_certificate(pem))
        data.ssl_conn.use_privatekey(load_pem_private_key(pem, None))  # type: ignore[arg-type]

    def tcp_start(self, flow: tcp.TCPFlow) -> None:
        """A tunnel begins to carry."""
        self._tunnels[flow.client_conn.id].flow = flow

    def tcp_message(self, flow: tcp.TCPFlow) -> None:
        """Bytes cross."""
        message, tunnel = flow.messages[-1], self._tunnels[flow.client_conn.id]
        flow.messages.clear()
        tunnel.last_ns = time.monotonic_ns()
        if not tunnel.spoke:
            tunnel.spoke = True
            tunnel.tell("spoke", tls=tunnel.kind == "opened" or message.content[:1] == TLS_HANDSHAKE)
        if tunnel.exchange is None:
            say(ns=tunnel.last_ns, conn=tunnel.number, what="moved")
        elif message.from_client:
            tunnel.heard("out", message.content)
            message.content = tunnel.exchange.ask(message.content)
            if tunnel.exchange.has_page:
                self._poke(tunnel)
        else:
            message.content = tunnel.exchange.answer(message.content)
            tunnel.heard("in", message.content)


def _server() -> Any:
    """Mitmproxy's own addon that has the connections."""
    addons: Any = ctx.master.addons
    return addons.get("proxyserver")


def _response(page: Page) -> http.Response:
    return http.Response.make(page.status, page.body, [(name.encode(), value.encode()) for name, value in page.fields])


async def main(setting: dict[str, Any]) -> None:
    """Stand in the way until the process is ended."""
    mode = f"reverse:https://{PORTAL_NAME}" if setting["kind"] == "portal" else "regular"
    logging.getLogger().addHandler(Faults(logging.ERROR))
    master: Any = DumpMaster(
        options.Options(confdir=setting["confdir"], mode=[f"{mode}@{place}" for place in setting["places"]]),
        with_termlog=False,
        with_dumper=False,
    )
    upstreams = {kind: (address, port) for kind, (address, port) in setting["upstreams"].items()}
    policy, authority = Policy(Settings(**setting["settings"])), Authority(setting["seed"], "corporate")
    master.addons.add(Middlebox(authority, upstreams, policy, setting["kind"] == "portal"))
    master.options.update(
        ssl_verify_upstream_trusted_ca=setting["authorities"],
        connection_strategy="lazy" if setting["kind"] == "portal" else "eager",
        http2=False,
        block_global=False,
        onboarding=False,
        tcp_timeout=86_400,
    )
    await master.run()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
