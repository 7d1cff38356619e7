"""A captive portal, met by who has no proxy: plain HTTP is redirected, TLS is met with a certificate that nobody trusts."""

import trio

from harness.worlds.way_out import PORTAL_NAME


def caught(world):
    world.server.boot(world.serve_https)
    world.perform("middlebox", machine="client", portal=True)
    world.sim.run(until=0.5)


def boot(world, program):
    world.client.boot(program)
    world.sim.run(until=world.sim.now + 60.0)


def test_plain_http_is_sent_to_the_portals_page(world):
    caught(world)

    async def ask():
        stream = await trio.open_tcp_stream("relay.test", 80)
        await stream.send_all(b"GET / HTTP/1.1\r\nHost: relay.test\r\n\r\n")
        world.note((await stream.receive_some()).split(b"\r\n"))

    boot(world, ask)
    (said,) = world.said
    assert said[1][0] == b"HTTP/1.1 302 Found"
    assert f"location: http://{PORTAL_NAME}/".encode() in said[1]
    assert [data["status"] for data in world.of("middlebox.answered", "client")] == [302]


def test_tls_meets_a_certificate_that_nobody_trusts(world):
    caught(world)

    async def ask():
        world.note(await world.get())

    boot(world, ask)
    assert [said[1] for said in world.said] == ["ConnectError"]
    assert [data["ca"] for data in world.of("middlebox.inspected", "client")] == ["untrusted"]
    assert world.heard == []


def test_a_client_that_says_nothing_is_left_alone(world):
    caught(world)

    async def wait():
        stream = await trio.open_tcp_stream("relay.test", 80)
        world.note(await stream.receive_some())

    boot(world, wait)
    assert [said[1] for said in world.said] == [b""]
    assert world.of("middlebox.answered") == []
