"""Addresses, routes, firewalls and listeners; segments are for the tests of TCP."""

import pytest
import trio

from harness.worlds.sim.link import DOWN, UP


def test_a_name_leads_to_where_its_machine_is_now(world):
    network, server = world.sim.network, world.server
    assert network.address_of("relay.test") == server.address
    assert network.address_of("nowhere.test") is None
    assert network.former_address("relay.test") is None
    old = server.address
    new = network.move(server)
    assert new != old
    assert network.address_of("relay.test") == new
    assert network.former_address("relay.test") == old
    assert (network.owner_of(old), network.owner_of(new)) == (None, server)


def test_a_link_has_an_upper_and_a_lower_end(world):
    network = world.sim.network
    assert network.link_to(world.client, world.server) is world.link
    assert network.direction(world.client, world.server) == UP
    assert network.direction(world.server, world.client) == DOWN
    assert network.uplink(world.client) is world.link


def test_machines_without_a_link_share_a_fast_one_and_nobody_is_up_the_way(world):
    network = world.sim.network
    third = world.sim.machine("third", "10.0.0.3")
    assert network.link_to(third, world.client).policy.latency_s == 0.001
    assert network.link_to(third, third).policy.latency_s == 0.0
    alone = world.sim.machine("alone", "10.0.0.4")
    assert network.link_to(alone, None).name == "alone-nowhere"
    assert network.link_to(alone, None) is network.uplink(alone)


def test_ports_are_each_machines_own(world):
    network = world.sim.network
    taken = [network.ephemeral_port(world.client) for _ in range(3)]
    assert len(set(taken)) == 3
    assert network.ephemeral_port(world.server) == taken[0]


class Firewall:
    def __init__(self, verdict):
        self.verdict = verdict

    def judge(self, _to):
        return self.verdict


@pytest.mark.parametrize(("verdict", "error"), [("pass", ""), ("refuse", "ConnectionRefusedError"), ("drop", "")])
def test_a_firewall_decides_and_every_attempt_is_noted(world, verdict, error):
    async def dial():
        with trio.move_on_after(3):
            try:
                stream = await trio.open_tcp_stream("relay.test", 80)
            except OSError as refused:
                world.note(type(refused.__cause__ or refused).__name__)
            else:
                world.note("connected")
                await stream.aclose()

    async def idle(_stream):
        await trio.sleep(1)

    world.sim.network.egress["client"] = Firewall(verdict)
    world.server.boot(lambda: world.serve_tcp(idle))
    world.sim.run(until=0.1)
    world.client.boot(dial)
    world.sim.run(until=10.0)
    (dialled,) = world.of("socket.dialled", "client")
    assert (dialled["to"], dialled["via"], dialled["allowed"]) == ("server", "direct", verdict == "pass")
    assert bool(world.of("socket.connected", "client")) is (verdict == "pass")
    assert bool(error) is (len(world.said) == 1 and verdict == "refuse")


def test_a_machine_that_moves_leaves_its_connections_dark(world):
    async def hold(stream):
        await stream.receive_some()

    async def dial():
        await trio.open_tcp_stream("relay.test", 80)
        await trio.sleep_forever()

    world.server.boot(lambda: world.serve_tcp(hold))
    world.sim.run(until=0.1)
    world.client.boot(dial)
    world.sim.run(until=1.0)
    (connection,) = world.sim.network.crossing(world.link)
    world.sim.network.move(world.client)
    assert connection.passage.forgotten == "moved"


def test_power_takes_listeners_and_connections_along(world):
    async def hold(stream):
        await stream.receive_some()

    world.server.boot(lambda: world.serve_tcp(hold))
    world.sim.run(until=0.1)
    assert world.sim.network.listener(world.server, (world.server.address, 80)) is not None
    world.perform("kill", machine="server", how="power")
    assert world.sim.network.listener(world.server, (world.server.address, 80)) is None
