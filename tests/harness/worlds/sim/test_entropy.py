"""Randomness comes from the machine that runs, and from nowhere else."""

import os
import random
import secrets
import uuid

from harness.worlds.sim import entropy


def _draws():
    return (
        os.urandom(8),
        random.random(),
        random.getrandbits(32),
        secrets.token_hex(8),
        uuid.uuid4(),
        random.SystemRandom().random(),
        random.choice("abcdefghijklmnop"),
    )


def _draw_on(world, machine):
    drawn = []

    async def program():
        drawn.extend(_draws())

    machine.boot(program)
    world.sim.run(until=world.sim.now + 1.0)
    return tuple(drawn)


def test_draws_follow_the_seed_and_the_machine(make_world):
    first = make_world(seed=1)
    client, server = _draw_on(first, first.client), _draw_on(first, first.server)
    first.sim.close()
    again = make_world(seed=1)
    server_again = _draw_on(again, again.server)
    client_again = _draw_on(again, again.client)
    again.sim.close()
    other = make_world(seed=2)
    assert client == client_again
    assert server == server_again
    assert client != server
    assert _draw_on(other, other.client) != client


def test_second_boot_draws_anew(world):
    assert _draw_on(world, world.client) != _draw_on(world, world.client)


def test_harness_keeps_real_entropy_and_gets_its_functions_back(make_world):
    before = os.urandom, random.random, random.SystemRandom().random()
    world = make_world()
    assert os.urandom(16) != os.urandom(16)
    world.sim.close()
    assert (os.urandom, random.random) == before[:2]


def test_openssl_is_reached(world):
    assert world.sim.entropy_tier == "bytes"


def test_tier_is_declared_where_no_libcrypto_is_to_be_seen(tmp_path, monkeypatch):
    maps = tmp_path / "maps"
    maps.write_text("7f00-7f01 r-xp 00000000 00:00 1 /usr/lib/libc.so.6\n7f02-7f03 rw-p 00000000 00:00 0\n")
    assert entropy.libcrypto_path(maps) is None
    assert entropy.libcrypto_path(tmp_path / "absent") is None
    monkeypatch.setattr(entropy, "libcrypto_path", lambda: None)
    with entropy.machine_entropy() as tier:
        assert tier == "lengths"
