from pathlib import Path

import pytest

from harness.base.errors import HarnessError
from harness.worlds.wire import namespaces
from harness.worlds.wire.toxiproxy_server import server_program
from tests.harness.worlds.wire.home import AT_HOME

NETWORK = Path("/proc/thread-self/ns/net")
"""The network namespace in which this thread is."""


@pytest.fixture
def toxiproxy_server():
    """What a whole run needs beside the extra: the real server, from PATH, from the cache, or built here."""
    try:
        server_program()
    except HarnessError as error:
        pytest.skip(str(error))


@pytest.fixture
def rootless(monkeypatch):
    """As if root were not there: the one function that everybody asks says so, and what it said before is forgotten.

    Threads of a world with namespaces before this one may still be in them, so processes are put where they belong, as there.
    """
    monkeypatch.setattr("harness.worlds.wire.ground.Loopback.inside", lambda *_: AT_HOME)
    monkeypatch.setattr(namespaces.os, "geteuid", lambda: 1000)
    namespaces.unavailable.cache_clear()
    yield
    monkeypatch.undo()
    namespaces.unavailable.cache_clear()


@pytest.fixture(autouse=True)
def at_home():
    """A test whose world leaves its thread in another network would be blamed on those after it."""
    before = NETWORK.readlink()
    yield
    assert NETWORK.readlink() == before, "the world left its thread in another network"
