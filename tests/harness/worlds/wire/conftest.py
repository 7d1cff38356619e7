import pytest

from harness.base.errors import HarnessError
from harness.worlds.wire import namespaces
from harness.worlds.wire.toxiproxy_server import server_program


@pytest.fixture
def toxiproxy_server():
    """What a whole run needs beside the extra: the real server, from PATH, from the cache, or built here."""
    try:
        server_program()
    except HarnessError as error:
        pytest.skip(str(error))


@pytest.fixture
def rootless(monkeypatch):
    """As if root were not there: the one function that everybody asks says so, and what it said before is forgotten."""
    monkeypatch.setattr(namespaces.os, "geteuid", lambda: 1000)
    namespaces.unavailable.cache_clear()
    yield
    monkeypatch.undo()
    namespaces.unavailable.cache_clear()
