"""Name resolution of a machine."""

import socket

import pytest
import trio

from harness.worlds.sim.resolver import NOBODY


def _ask(world, name="relay.test"):
    answers = []

    async def ask():
        try:
            found = await trio.socket.getaddrinfo(name, 443)
            answers.append((round(world.sim.now, 3), found[0][4]))
        except socket.gaierror as error:
            answers.append((round(world.sim.now, 3), error.errno))

    began = world.sim.now
    world.client.boot(ask)
    world.sim.run(until=began + 60.0)
    at, answer = answers[0]
    return round(at - began, 3), answer


def test_names_resolve_and_questions_are_noted(world):
    assert _ask(world) == (0.005, ("10.0.0.1", 443))
    assert world.of("dns.asked", "client") == [{"name": "relay.test", "answer": "10.0.0.1"}]


@pytest.mark.parametrize(
    ("how", "took_s", "answer"),
    [("nxdomain", 0.005, socket.EAI_NONAME), ("timeout", 10.0, socket.EAI_AGAIN), ("stale", 0.005, (NOBODY, 443))],
)
def test_faults(world, how, took_s, answer):
    world.perform("resolve", machine="client", how=how)
    assert _ask(world) == (took_s, answer)
    assert world.of("dns.asked")[-1]["answer"] == how
    world.perform("resolve", machine="client")
    assert _ask(world)[1] == ("10.0.0.1", 443)


def test_stale_answer_is_the_former_address(world):
    world.perform("move", machine="server")
    world.perform("resolve", machine="client", how="stale")
    assert _ask(world)[1] == ("10.0.0.1", 443)


def test_unknown_name(world):
    assert _ask(world, "nowhere.test")[1] == socket.EAI_NONAME
