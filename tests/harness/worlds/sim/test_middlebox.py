"""Middleboxes, met by a real HTTP client through real TLS."""

import base64
import gc

import httpx2
import pytest
import trio

from harness.worlds.way_out import PASSWORD


def _enclosed(world, way_out="plain"):
    box = world.sim.only_way_out("client", way_out)
    world.server.boot(world.serve_https)
    world.sim.run(until=0.1)
    return box


def _get(world, path="/hello", **more):
    answers = []

    async def get():
        answers.append(await world.get(path, **more))

    world.client.boot(get)
    world.sim.run(until=world.sim.now + 60.0)
    return answers[0]


def _lines(world, box, *, until_s, timeout_s=5.0):
    """Read /stream, noting each line; then the error."""

    async def read():
        context = world.sim.client_context("client")
        try:
            async with (
                httpx2.AsyncClient(verify=context, trust_env=False, proxy=box.proxy_url, timeout=timeout_s) as client,
                client.stream("GET", "https://relay.test/stream") as response,
            ):
                async for line in response.aiter_lines():
                    world.note("line", line)
        except httpx2.HTTPError as error:
            world.note(type(error).__name__)

    world.client.boot(read)
    world.sim.run(until=world.sim.now + until_s)


def _count(world):
    return sum(said[1] == "line" for said in world.said)


def test_plain_proxy_passes_and_says_so(world):
    box = _enclosed(world)
    assert _get(world, proxy=box.proxy_url).text == "hello"
    assert [data["via"] for data in world.of("socket.dialled", "client")] == ["proxy"]
    assert world.of("middlebox.passed", "client") == [{"conn": 1}]


def test_direct_attempts_are_dropped_and_counted(world):
    _enclosed(world)
    assert _get(world) == "ConnectError"
    assert world.of("dns.asked", "client") == [{"name": "relay.test", "answer": "nxdomain"}]

    async def dial():
        with trio.move_on_after(5):
            await trio.open_tcp_stream(world.server.address, 443)

    world.client.boot(dial)
    world.sim.run(until=world.sim.now + 20.0)
    tried = world.of("socket.dialled", "client")
    assert [(data["to"], data["via"], data["allowed"]) for data in tried] == [("server", "direct", False)]
    assert world.of("socket.connected", "client") == []


def test_cut_of_the_machines_link_cuts_it_from_its_proxy(world):
    box = _enclosed(world)
    world.perform("block", link="client-server")
    assert _get(world, proxy=box.proxy_url) == "ConnectTimeout"


def test_password(world):
    box = _enclosed(world, "password")
    assert PASSWORD.replace(" ", "%20") in box.proxy_url
    assert _get(world, proxy=box.proxy_url).text == "hello"
    assert _get(world, proxy="http://proxy.corp:3128") == "ProxyError"
    assert [data["status"] for data in world.of("middlebox.answered", "client")] == [407]


def test_changed_password_ends_tunnels_and_refuses_new_ones(world):
    box = _enclosed(world, "password")
    _lines(world, box, until_s=5.5)
    world.perform("middlebox", machine="client", password="other", drop_tunnels=True)
    world.sim.run(until=world.sim.now + 5.0)
    assert world.said[-1][1] == "RemoteProtocolError"
    assert _get(world, proxy=box.proxy_url) == "ProxyError"
    world.perform("middlebox", machine="client", password=None)
    assert _get(world, proxy=box.proxy_url).text == "hello"


def test_inspection_shows_the_corporate_certificate_and_streams_on(world):
    box = _enclosed(world, "inspects_tls")
    assert _get(world, proxy=box.proxy_url).text == "hello"
    assert world.of("middlebox.inspected", "client") == [{"conn": 1, "ca": "trusted"}]
    _lines(world, box, until_s=10.5)
    assert _count(world) >= 10
    assert world.of("middlebox.passed") == []


def test_inspection_by_a_foreign_authority_is_noticed_by_the_client(world):
    box = _enclosed(world)
    world.perform("middlebox", machine="client", inspects="untrusted", drop_tunnels=True)
    assert _get(world, proxy=box.proxy_url) == "ConnectError"
    assert world.of("middlebox.inspected", "client")[-1]["ca"] == "untrusted"


def test_buffering_proxy_holds_a_stream_back_until_it_is_told_otherwise(world):
    box = _enclosed(world, "buffers")
    assert _get(world, proxy=box.proxy_url).text == "hello"
    assert world.of("middlebox.held", "client")[0]["bytes"] > 5
    _lines(world, box, until_s=20.0, timeout_s=60.0)
    assert _count(world) == 0
    box.given = box.settings
    world.perform("middlebox", machine="client", buffers=False)
    world.sim.run(until=world.sim.now + 10.0)
    assert _count(world) > 20
    assert world.of("middlebox.held", "client")[-1]["held_s"] == pytest.approx(20.0, abs=1)


def test_client_that_gives_up_on_a_held_stream_frees_the_server(world):
    box = _enclosed(world, "buffers")
    _lines(world, box, until_s=60.0, timeout_s=5.0)
    assert world.said[-1][1] == "ReadTimeout"
    assert len(world.of("socket.closed", "server")) == 1


def test_idle_tunnels_are_cut_also_when_the_rule_comes_late(world):
    box = _enclosed(world)
    ended = []

    async def hold():
        stream = await trio.open_tcp_stream("proxy.corp", 3128)
        await stream.send_all(b"CONNECT relay.test:443 HTTP/1.1\r\n\r\n")
        await stream.receive_some()
        ended.append(await stream.receive_some())
        ended.append(world.sim.now)

    world.client.boot(hold)
    world.sim.run(until=50.0)
    world.perform("middlebox", machine="client", idle_s=90.0)
    world.sim.run(until=200.0)
    assert ended[0] == b""
    assert ended[1] == pytest.approx(90.1, abs=0.5)
    assert world.of("middlebox.cut", "client")[0]["idle_s"] == pytest.approx(90.0)
    assert box.settings.idle_s == 90.0


@pytest.mark.slow
def test_tunnel_that_talks_is_not_idle(world):
    box = _enclosed(world, "closes_idle_tunnels")
    _lines(world, box, until_s=200.0)
    assert _count(world) > 190
    assert world.of("middlebox.cut") == []
    world.sim.close()
    gc.collect()  # programs in the midst of opened streams unwind without a word


@pytest.mark.parametrize(("answers", "status"), [("forbidden", 403), ("html", 200), ("redirect", 302)])
def test_answers_in_anothers_place(world, answers, status):
    box = _enclosed(world)
    world.perform("middlebox", machine="client", answers=answers)
    assert isinstance(_get(world, proxy=box.proxy_url), str)
    assert world.of("middlebox.answered", "client") == [{"conn": 1, "status": status}]
    world.perform("middlebox", machine="client", answers=None)
    assert _get(world, proxy=box.proxy_url).text == "hello"


def test_inspecting_proxy_answers_requests_in_anothers_place(world):
    box = _enclosed(world, "inspects_tls")
    answers = []

    async def get_twice():
        context = world.sim.client_context("client")
        async with httpx2.AsyncClient(verify=context, trust_env=False, proxy=box.proxy_url) as client:
            answers.append((await client.get("https://relay.test/")).status_code)
            await trio.sleep(4)
            answers.append((await client.get("https://relay.test/")).status_code)

    world.client.boot(get_twice)
    world.sim.run(until=2.0)
    world.perform("middlebox", machine="client", answers="forbidden")
    world.sim.run(until=30.0)
    assert answers == [200, 403]


def test_inspecting_proxy_opens_a_new_tunnel_and_answers_inside(world):
    box = _enclosed(world, "inspects_tls")
    world.perform("middlebox", machine="client", answers="forbidden")
    assert _get(world, proxy=box.proxy_url).status_code == 403
    assert world.of("middlebox.answered", "client") == [{"conn": 1, "status": 403}]


@pytest.mark.parametrize(("how", "arrives"), [("strip", "none"), ("replace", "Bearer issued-by-the-proxy")])
def test_authorisation_is_rewritten(world, how, arrives):
    box = _enclosed(world, "inspects_tls")
    world.perform("middlebox", machine="client", rewrites_auth=how)
    mine = {"authorization": "Bearer mine"}
    assert _get(world, "/auth", proxy=box.proxy_url, headers=mine).text == arrives
    assert world.of("middlebox.rewrote", "client") == [{"conn": 1, "path": "/auth"}]
    world.perform("middlebox", machine="client", rewrites_auth=None)
    assert _get(world, "/auth", proxy=box.proxy_url, headers=mine).text == "Bearer mine"


def test_authorisation_is_mixed_up(world):
    box = _enclosed(world, "inspects_tls")
    world.perform("middlebox", machine="client", rewrites_auth="mix_up")
    sent = ({}, {"authorization": "Bearer first"}, {"authorization": "Bearer second"}, {})
    arrived = [_get(world, "/auth", proxy=box.proxy_url, headers=headers).text for headers in sent]
    assert arrived == ["none", "Bearer first", "Bearer first", "none"]
    world.perform("middlebox", machine="client", rewrites_auth="mix_up")
    assert _get(world, "/auth", proxy=box.proxy_url, headers=sent[2]).text == "Bearer second"


def test_portal_behind_a_proxy(world):
    box = _enclosed(world)
    world.perform("middlebox", machine="client", portal=True, drop_tunnels=True)
    assert _get(world, proxy=box.proxy_url) == "ConnectError"
    assert world.of("middlebox.inspected", "client")[0]["ca"] == "untrusted"
    world.perform("middlebox", machine="client", portal=None, drop_tunnels=None)
    assert _get(world, proxy=box.proxy_url).text == "hello"


def test_portal_without_a_proxy_never_hears_a_token(world):
    world.server.boot(world.serve_https)
    world.sim.run(until=0.1)
    assert _get(world).text == "hello"
    before = len(world.heard)
    world.perform("middlebox", machine="client", portal=True)
    assert _get(world, headers={"authorization": "Bearer mine"}) == "ConnectError"
    assert world.heard[before:] == []
    assert world.of("middlebox.inspected", "client")[0]["ca"] == "untrusted"

    async def plain():
        async with httpx2.AsyncClient(trust_env=False) as client:
            world.note((await client.get("http://relay.test/")).status_code)

    world.client.boot(plain)
    world.sim.run(until=world.sim.now + 10.0)
    assert world.said[-1][1] == 302
    world.perform("middlebox", machine="client", portal=None)
    assert _get(world).text == "hello"


def test_portal_makes_live_connections_dark(world):
    world.server.boot(world.serve_https)

    async def read():
        context = world.sim.client_context("client")
        async with (
            httpx2.AsyncClient(verify=context, trust_env=False, timeout=None) as client,
            client.stream("GET", "https://relay.test/stream") as response,
        ):
            async for line in response.aiter_lines():
                world.note("line", line)

    world.client.boot(read)
    world.sim.run(until=5.5)
    world.perform("middlebox", machine="client", portal=True)
    heard = _count(world)
    world.sim.run(until=60.0)
    assert _count(world) == heard


def test_nonsense_and_unreachable_targets(world):
    box = _enclosed(world)
    answers = []

    async def speak(*requests):
        for request in requests:
            stream = await trio.open_tcp_stream("proxy.corp", 3128)
            await stream.send_all(request)
            answers.append((await stream.receive_some()).split(b"\r\n")[0])

    wrong = base64.b64encode(b"no colon").decode()
    world.client.boot(
        lambda: speak(
            b"GET http://relay.test/ HTTP/1.1\r\n\r\n",
            b"CONNECT nowhere.test:443 HTTP/1.1\r\n\r\n",
            b"CONNECT relay.test:x HTTP/1.1\r\n\r\n",
            b"\r\n\r\n",
            f"CONNECT relay.test:443 HTTP/1.1\r\nproxy-authorization: Basic {wrong}\r\n\r\n".encode(),
        )
    )
    world.sim.run(until=120.0)
    assert [answer[:12] for answer in answers] == [b"HTTP/1.1 403", b"HTTP/1.1 502", b"", b"", b"HTTP/1.1 200"]
    assert box.box.alive
