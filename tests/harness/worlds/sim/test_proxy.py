"""The proxy, spoken to byte by byte; what a real client makes of it is tested with the middlebox."""

import base64

import pytest
import trio

from harness.worlds.sim.proxy import PORT
from harness.worlds.way_out import PASSWORD


def ask(world, request, way_out="plain"):
    """What the proxy answers to these bytes within a minute."""
    box = world.sim.only_way_out("client", way_out)
    world.server.boot(world.serve_https)
    heard = []

    async def talk():
        stream = await trio.open_tcp_stream(box.address, PORT)
        await stream.send_all(request)
        with trio.move_on_after(60):
            heard.append(await stream.receive_some())
        await stream.aclose()

    world.sim.run(until=0.1)
    world.client.boot(talk)
    world.sim.run(until=100.0)
    return heard[0] if heard else None


def connect(target="relay.test:443", password=None):
    basic = base64.b64encode(f"employee:{password}".encode())
    line = b"Proxy-Authorization: Basic " + basic + b"\r\n" if password else b""
    return b"CONNECT " + target.encode() + b" HTTP/1.1\r\nHost: x\r\n" + line + b"\r\n"


@pytest.mark.parametrize(
    ("request_", "way_out", "status"),
    [
        (connect(), "plain", b"200"),
        (connect("nobody.test:443"), "plain", b"502"),
        (b"GET http://relay.test/ HTTP/1.1\r\nHost: relay.test\r\n\r\n", "plain", b"403"),
        (connect(), "password", b"407"),
        (connect(password="wrong"), "password", b"407"),
        (connect(password=PASSWORD), "password", b"200"),
        (connect(), "forbids", b"403"),
        (connect(), "answers_html", b"200"),
        (connect(), "redirects", b"302"),
    ],
)
def test_each_request_has_its_answer(world, request_, way_out, status):
    assert ask(world, request_, way_out).split(b" ")[1] == status


@pytest.mark.parametrize("request_", [b"\r\n\r\n", b"X\r\n\r\n", connect("no-port"), connect("relay.test:port")])
def test_nonsense_is_hung_up_on(world, request_):
    assert ask(world, request_) == b""


def test_a_head_that_never_ends_is_not_waited_for_for_ever(world):
    assert ask(world, b"CONNECT relay.test:443 HTTP/1.1\r\n") == b""
