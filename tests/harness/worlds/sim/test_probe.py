"""The probe makes the counters count: whatever must stay zero is made one by us first."""

from functools import partial

import pytest
import trio

from harness.worlds.sim.probe import PROBE_S, probe


def run(world, port):
    world.client.boot(partial(probe, world.server.address, port))
    world.sim.run(until=world.sim.now + PROBE_S + 1.0)


@pytest.mark.parametrize("answers", [True, False])
def test_it_listens_and_dials_whether_or_not_anybody_answers(world, answers):
    async def hang_up(_stream):
        await trio.lowlevel.checkpoint()

    if answers:
        world.server.boot(lambda: world.serve_tcp(hang_up))
        world.sim.run(until=0.1)
    run(world, 80)
    assert len(world.of("socket.listening", "client")) == 1
    assert [data["via"] for data in world.of("socket.dialled", "client")] == ["direct"]
    assert not world.client.alive


def test_a_firewall_that_drops_does_not_hold_it_up(world):
    world.sim.only_way_out("client", "plain")
    run(world, 443)
    assert [data["allowed"] for data in world.of("socket.dialled", "client")] == [False]
    assert not world.client.alive


def test_it_leaves_nothing_open(world):
    run(world, 80)
    assert world.sim.network.connections == {}
    assert world.sim.network.listener(world.client, (world.client.address, 0)) is None
