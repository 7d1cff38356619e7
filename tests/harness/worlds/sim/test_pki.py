"""Certificates of a world, seen through a real TLS handshake with a real HTTP client."""

import os
import ssl
import tempfile

import pytest

from harness.worlds import pki
from harness.worlds.pki import Authority, server_context


def _get(world, **kwargs):
    answers = []

    async def get():
        answers.append(await world.get(**kwargs))

    if not world.server.alive:
        world.server.boot(world.serve_https)
    world.client.boot(get)
    world.sim.run(until=world.sim.now + 60.0)
    return answers[0]


def test_https_works_end_to_end_and_says_which_certificate_it_showed(world):
    assert _get(world).text == "hello"
    assert world.of("certificate.shown", "server") == [{"conn": 1, "how": "good"}]


@pytest.mark.parametrize(
    ("how", "works"), [("rotated", True), ("expired", False), ("wrong_name", False), ("untrusted", False)]
)
def test_certificate_is_changed_under_a_running_server(world, how, works):
    _get(world)
    world.perform("certify", machine="server", how=how)
    answer = _get(world)
    assert (getattr(answer, "text", None) == "hello") is works
    assert works or answer == "ConnectError"
    assert world.of("certificate.shown")[-1]["how"] == how
    world.perform("certify", machine="server")
    assert _get(world).text == "hello"


def test_keys_come_from_the_seed_and_differ_by_name_and_variant():
    leaves = {
        Authority(seed, name).leaf_pem(host, variant)
        for seed in (1, 2)
        for name in ("public", "corporate")
        for host in ("a.test", "b.test")
        for variant in (None, "rotated", "expired", "wrong_name", "untrusted")
    }
    assert len(leaves) == 40
    pki._leaf_pem.cache_clear()
    assert Authority(1, "public").leaf_pem("a.test") in leaves


def test_context_trusts_its_authorities_only():
    names = [one["subject"][0][0][1] for one in pki.client_context(Authority(1, "public")).get_ca_certs()]
    assert names == ["public authority"]


@pytest.mark.parametrize("how", ["as it is here", "none", "forbidden"])
def test_a_key_is_loaded_where_no_file_can_be_in_memory_too(how, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    if how == "none":
        monkeypatch.delattr(os, "memfd_create", raising=False)
    elif how == "forbidden":
        monkeypatch.setattr(os, "memfd_create", lambda _name: os.close(-1), raising=False)
    assert isinstance(server_context(Authority(0, "public").leaf_pem("localhost")), ssl.SSLContext)
    assert list(tmp_path.iterdir()) == []
