"""The real mitmproxy in a machine's way out, with real TLS on both sides of it; one process for each test, for starting one takes seconds."""

import base64
import ssl
import warnings
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import pytest
import trio

from harness.base.errors import WorldError
from harness.worlds import pki
from harness.worlds.way_out import PASSWORD, TO_PORTAL, WAYS_OUT, Settings
from harness.worlds.wire.children import Children
from harness.worlds.wire.proxy import Middlebox, start
from harness.worlds.wire.warp import WorldClock
from tests.harness.worlds.wire.home import AT_HOME

pytest.importorskip("mitmproxy", reason="the extra `wire` is not installed; `make setup-wire` installs it")

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of mitmproxy's own libraries
    from harness.worlds.wire import proxy_process

pytestmark = pytest.mark.slow

PUBLIC, CORPORATE = pki.Authority(1, "public"), pki.Authority(1, "corporate")
AUTHORISED = b"Proxy-Authorization: Basic " + base64.b64encode(f"anybody:{PASSWORD}".encode()) + b"\r\n"
PATIENCE_S = 20.0


@dataclass
class Way:
    """A proxy that runs, and what was told of it."""

    box: Middlebox
    children: Children
    nursery: trio.Nursery
    events: list = field(default_factory=list)
    chunks: list = field(default_factory=list)
    dialled: list = field(default_factory=list)
    streams: list = field(default_factory=list)
    more: trio.Event = field(default_factory=trio.Event)

    def observe(self, _actor, what, data, _t):
        self.events.append((what, data))
        self.more.set()
        self.more = trio.Event()

    async def told(self, what, times=1):
        """The data of the first events of a name, without their connections."""
        while len(found := [data for name, data in self.events if name == f"middlebox.{what}"]) < times:
            await self.more.wait()
        return [{name: value for name, value in data.items() if name != "conn"} for data in found]

    def hear(self, chunk):
        self.chunks.append(chunk)
        self.more.set()
        self.more = trio.Event()

    async def heard(self, times):
        """The first chunks that have bytes; the proxy tells of them after it has passed them on."""
        while len(found := [chunk for chunk in self.chunks if chunk.data]) < times:
            await self.more.wait()
        return found

    async def change(self, **wanted):
        """Change settings; a settled answer shows that they are in force."""
        self.box.change(wanted)
        await self.ask(b"NONSENSE / HTTP/1.1\r\nHost: x\r\n\r\n")

    async def dial(self):
        self.streams.append(await trio.open_tcp_stream("127.0.0.1", self.box.listens))
        return self.streams[-1]

    async def ask(self, request):
        stream = await self.dial()
        await stream.send_all(request)
        return await stream.receive_some()

    async def tunnel(self, head=b"", trusted=(PUBLIC, CORPORATE)):
        stream = await self.dial()
        await stream.send_all(b"CONNECT localhost:443 HTTP/1.1\r\nHost: localhost:443\r\n" + head + b"\r\n")
        assert (await stream.receive_some()).startswith(b"HTTP/1.1 200 ")
        context = pki.client_context(*(trusted or (PUBLIC,)))
        if trusted is None:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return trio.SSLStream(stream, context, server_hostname="localhost", https_compatible=True)


async def relay(place, way, stream):
    """Answers each request with what it read; ``/stream`` in two halves, the second when it is asked for anything else."""
    way.dialled.append(place)
    context = pki.server_context(PUBLIC.leaf_pem("localhost"))
    tls = trio.SSLStream(stream, context, server_side=True, https_compatible=True)
    way.streams.append(stream)
    try:
        while head := await tls.receive_some():
            if b"/stream" in head:
                await tls.send_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n")
            else:
                await tls.send_all(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(head) + head)
    except (trio.BrokenResourceError, trio.ClosedResourceError, OSError):
        return


@asynccontextmanager
async def way_out(given=WAYS_OUT["plain"], kind="proxy", **changed):
    with Children() as children, trio.fail_after(PATIENCE_S):
        children.before = AT_HOME
        (children.folder / "ca.pem").write_bytes(PUBLIC.certificate_pem)
        async with trio.open_nursery() as nursery:
            box = Middlebox("host", kind, given, WorldClock(), lambda *_: None, lambda _: None, {"localhost": "relay"})
            way = Way(box, children, nursery)
            box.observe, box.hear = way.observe, way.hear
            upstreams = {}
            for place in ("raw", "opened"):
                listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
                upstreams[place] = listeners[0].socket.getsockname()
                nursery.start_soon(partial(trio.serve_listeners, partial(relay, place, way), listeners))
            upstreams |= changed
            await start(children, nursery, box, seed=1, places=["127.0.0.1:0"], upstreams=upstreams)
            try:
                yield way
            finally:
                for stream in way.streams:
                    await trio.aclose_forcefully(stream)
                box.end()
                await children.reap_all()
                nursery.cancel_scope.cancel()


def played(play, *args, **given):
    async def main():
        async with way_out(*args, **given) as way:
            await play(way)

    try:
        trio.run(main)
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from group


async def get(tls, path=b"/", head=b"Authorization: Bearer mine\r\n"):
    await tls.send_all(b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\n" + head + b"\r\n")
    return await tls.receive_some()


def test_only_tunnels_are_made_and_what_is_in_them_is_left_alone():
    async def play(way):
        assert (await way.ask(b"GET http://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n")).startswith(
            b"HTTP/1.1 403 "
        )
        tls = await way.tunnel(trusted=[PUBLIC])
        assert b"Bearer mine" in await get(tls)
        assert await way.told("answered") == [{"status": 403}]
        assert await way.told("passed") == [{}]
        assert way.dialled == ["raw"]
        assert way.chunks == []

    played(play)


def test_another_password_is_asked_for_and_then_the_first_one_is_right_again():
    async def play(way):
        connect = b"CONNECT localhost:443 HTTP/1.1\r\nHost: localhost:443\r\n"
        assert b"proxy-authenticate: Basic" in await way.ask(connect + b"\r\n")
        tls = await way.tunnel(AUTHORISED, [PUBLIC])
        await get(tls)
        await way.change(password="changed", drop_tunnels=True)
        assert await tls.receive_some() == b""
        assert (await way.ask(connect + AUTHORISED + b"\r\n")).startswith(b"HTTP/1.1 407 ")
        await way.change(password=None)
        await get(await way.tunnel(AUTHORISED, [PUBLIC]))
        assert {"status": 407} in await way.told("answered", 4)
        assert len(await way.told("passed", 2)) == 2

    played(play, WAYS_OUT["password"])


def test_an_idle_tunnel_is_cut_and_one_that_moves_is_not():
    async def play(way):
        tls = await way.tunnel(trusted=[PUBLIC])
        for _ in range(10):
            await trio.sleep(0.1)
            await get(tls)
        assert await tls.receive_some() == b""
        (cut,) = await way.told("cut")
        assert 0.5 <= cut["idle_s"] < 1.0

    played(play, Settings(idle_s=0.5))


def test_who_trusts_the_corporate_authority_is_read_and_who_does_not_says_nothing():
    async def play(way):
        with pytest.raises(trio.BrokenResourceError):
            await get(await way.tunnel(trusted=[PUBLIC]))
        assert way.chunks == [] or all(not chunk.data for chunk in way.chunks)
        answer = await get(await way.tunnel())
        heard = await way.heard(2)
        assert [chunk.direction for chunk in heard] == ["out", "in"]
        assert heard[-1].data == answer
        assert await way.told("inspected", 2) == [{"ca": "trusted"}] * 2
        assert "raw" not in way.dialled

    played(play, WAYS_OUT["inspects_tls"])


def test_with_an_authority_that_nobody_knows_not_a_word_gets_out():
    async def play(way):
        await way.change(inspects="untrusted")
        with pytest.raises(trio.BrokenResourceError):
            await get(await way.tunnel())
        assert await way.told("inspected") == [{"ca": "untrusted"}]
        assert not any(chunk.data for chunk in way.chunks)

    played(play)


def test_a_client_that_takes_any_certificate_is_heard_on_the_very_connection():
    async def play(way):
        await way.change(inspects="untrusted")
        await get(await way.tunnel(trusted=None))
        ((_, inspected),) = [event for event in way.events if event[0] == "middlebox.inspected"]
        await way.heard(1)
        assert {chunk.conn for chunk in way.chunks} == {inspected["conn"]}

    played(play)


def test_credentials_are_changed_on_their_way_and_the_client_knows_nothing_of_it():
    async def play(way):
        await way.change(rewrites_auth="replace", inspects="trusted")
        assert b"issued-by-the-proxy" in await get(await way.tunnel(), b"/v1/x?after=1")
        assert b"Bearer mine" in (await way.heard(1))[0].data
        assert await way.told("rewrote") == [{"path": "/v1/x"}]

    played(play)


def test_an_answer_is_held_back_until_nobody_buffers_any_more():
    async def play(way):
        tls = await way.tunnel()
        assert b"GET /" in await get(tls)  # whole at once
        await tls.send_all(b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with trio.move_on_after(0.3) as waited:
            await tls.receive_some()
        assert waited.cancelled_caught
        assert not any(b"one" in chunk.data for chunk in way.chunks)
        way.box.change({"buffers": False})
        assert b"one" in await tls.receive_some()
        assert (await way.told("held", 2))[1]["held_s"] > 0.2

    played(play, WAYS_OUT["buffers"])


@pytest.mark.parametrize("inspects", [None, "trusted"])
def test_a_page_stands_in_for_the_relay(inspects):
    async def play(way):
        if inspects:
            assert b"blocked by policy" in await get(await way.tunnel())
        else:
            stream = await way.dial()
            await stream.send_all(b"CONNECT localhost:443 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b"blocked by policy" in b"".join([part async for part in stream])
            assert way.dialled == []
        assert await way.told("answered") == [{"status": 200}]

    played(play, Settings(answers="html", inspects=inspects))


def test_a_portal_behind_the_proxy_dials_nobody():
    async def play(way):
        await way.change(portal=True)
        with pytest.raises(trio.BrokenResourceError):
            await get(await way.tunnel())
        assert b"302" in await way.ask(b"GET http://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert await way.told("inspected") == [{"ca": "untrusted"}]
        assert way.dialled == []

    played(play)


def test_a_relay_that_is_not_there_is_a_bad_gateway():
    async def play(way):
        assert (await way.ask(b"CONNECT localhost:443 HTTP/1.1\r\nHost: l\r\n\r\n")).startswith(b"HTTP/1.1 502 ")
        assert await way.told("answered") == [{"status": 502}]

    played(play, raw=("127.0.0.1", 1))


def test_a_relay_with_a_strange_certificate_is_asked_nothing():
    async def play(way):
        (way.children.folder / "ca.pem").write_bytes(CORPORATE.certificate_pem)
        assert (await get(await way.tunnel())).startswith(b"HTTP/1.1 502 ")

    played(play, WAYS_OUT["inspects_tls"])


def test_a_hotels_portal_meets_every_name_with_its_page():
    async def play(way):
        assert b"portal.hotel" in await way.ask(b"GET / HTTP/1.1\r\nHost: anything\r\n\r\n")
        stream = await way.dial()
        with pytest.raises(trio.BrokenResourceError):
            await get(trio.SSLStream(stream, pki.client_context(PUBLIC), server_hostname="localhost"))
        assert await way.told("answered") == [{"status": TO_PORTAL.status}]
        assert await way.told("inspected") == [{"ca": "untrusted"}]

    played(play, kind="portal")


def test_a_fault_of_the_program_itself_is_no_silence(capsys):
    record = proxy_process.logging.LogRecord("mitmproxy", proxy_process.logging.ERROR, "", 1, "has crashed", None, None)
    proxy_process.Faults(proxy_process.logging.ERROR).emit(record)
    assert capsys.readouterr().out == '{"error": "has crashed"}\n'


def test_a_proxy_that_dies_ends_the_run():
    async def play(way):
        way.box._child.signal(9)
        await trio.sleep_forever()

    with pytest.raises(WorldError, match="the proxy of host ended"):
        played(play)
