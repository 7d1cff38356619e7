import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from harness.base.errors import WorldError
from harness.worlds.wire import ports
from harness.worlds.wire.ports import FIRST, HELD_MAX, LAST, free_port


def test_a_free_port_can_be_bound():
    with socket.create_server(("127.0.0.1", free_port())) as server:
        assert server.getsockname()[1] > 0


def test_no_outgoing_connection_can_stand_on_it():
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert FIRST <= free_port() <= LAST < lowest


def test_no_port_is_given_twice_before_it_is_bound_nor_to_another_process():
    ours = [free_port() for _ in range(HELD_MAX)]
    asked = f"import os; os.getpid = lambda: {ours[0] - FIRST}; from harness.worlds.wire import ports; ports.STRIDE = 1"
    script = f"{asked}; print([ports.free_port() for _ in range(3)])"
    theirs = json.loads(subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout)
    assert len(set(ours)) == HELD_MAX
    assert not {*ours} & {*theirs}


def test_where_none_is_left_the_remedy_is_said(monkeypatch):
    port = free_port()
    monkeypatch.setattr(ports, "FIRST", port)
    monkeypatch.setattr(ports, "LAST", port)
    with pytest.raises(WorldError, match="end what listens there"):
        free_port()
