import socket

import pytest

from harness.worlds.wire.listeners import TABLES, listening, read

TABLE = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 0201010A:A000 0101FA0A:01BB 01 00000000:00000000 00:00000000 00000000     0        0 2 1 0 100 0 0 10 0
   2: 00000000000000000000000000000000:0016 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 3
"""


def test_only_what_listens_is_read():
    assert list(read(TABLE.splitlines())) == ["127.0.0.1:8080", ":::22"]


@pytest.mark.skipif(not TABLES[0].exists(), reason="only Linux has the table")
def test_the_kernel_tells_of_a_listener_while_it_is_there():
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        assert address in listening()
    assert address not in listening()
