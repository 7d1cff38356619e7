import socket
from types import SimpleNamespace

import pytest

from harness.base.errors import WorldError
from harness.worlds.wire import counters
from harness.worlds.wire.counters import Counters

NEAR = "ESTAB 0 0 127.0.0.1:7001 127.0.0.1:50001\n\t cubic bytes_sent:{} bytes_acked:7 bytes_received:{} segs_out:9\n"
FAR = "ESTAB 0 0 127.0.0.1:50002 127.0.0.1:8001\n\t cubic bytes_sent:{} bytes_received:{}\n"


@pytest.fixture
def says(monkeypatch):
    said = SimpleNamespace(text="", code=0)
    done = lambda *_args, **_named: SimpleNamespace(returncode=said.code, stdout=said.text, stderr="no netlink")  # noqa: E731
    monkeypatch.setattr(counters.shutil, "which", lambda _name, path: "/usr/bin/ss")
    monkeypatch.setattr(counters.subprocess, "run", done)
    return said


def test_what_was_given_and_what_passed(says):
    link = Counters("127.0.0.1:7001", "127.0.0.1:8001")
    says.text = NEAR.format(10, 100) + FAR.format(100, 10)
    assert link.read() == {"up": {"bytes": 100, "passed": 100}, "down": {"bytes": 10, "passed": 10}}
    says.text = NEAR.format(10, 150) + FAR.format(100, 33)
    assert link.read() == {"up": {"bytes": 50, "passed": 0}, "down": {"bytes": 23, "passed": 0}}


def test_a_connection_that_is_gone_takes_its_counts_along(says):
    link = Counters("127.0.0.1:7001", "127.0.0.1:8001")
    says.text = NEAR.format(0, 100)
    link.read()
    says.text = ""
    assert link.read() == {"up": {"bytes": 0, "passed": 0}, "down": {"bytes": 0, "passed": 0}}


def test_a_kernel_that_does_not_tell_is_an_error_of_the_world(says):
    says.code = 1
    with pytest.raises(WorldError, match="no netlink"):
        Counters("127.0.0.1:7001", "127.0.0.1:8001").read()


def test_without_ss_the_remedy_is_said(monkeypatch):
    monkeypatch.setattr(counters.shutil, "which", lambda _name, path: None)
    with pytest.raises(WorldError, match="install iproute2"):
        Counters("127.0.0.1:7001", "127.0.0.1:8001").read()


@pytest.mark.skipif(
    counters.shutil.which("ss", path="/usr/sbin:/usr/bin:/sbin:/bin") is None, reason="ss is of iproute2"
)
def test_the_real_kernel_tells():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client, server.accept()[0] as accepted:
            link = Counters(f"127.0.0.1:{port}", "127.0.0.1:1")
            link.read()
            client.sendall(b"x" * 1000)
            accepted.recv(1000)
            assert link.read()["up"]["bytes"] == 1000
