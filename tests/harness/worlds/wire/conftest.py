import pytest

from harness.base.errors import HarnessError
from harness.worlds.wire.toxiproxy_server import server_program


@pytest.fixture
def toxiproxy_server():
    """What a whole run needs beside the extra: the real server, from PATH, from the cache, or built here."""
    try:
        server_program()
    except HarnessError as error:
        pytest.skip(str(error))
