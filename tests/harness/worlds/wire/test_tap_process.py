import base64
import json
import socket
import subprocess
import sys
import warnings
from types import SimpleNamespace

import pytest

pytest.importorskip("mitmproxy", reason="the extra `wire` is not installed; `make wire` installs it")

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of mitmproxy's own libraries
    from harness.worlds.wire import tap_process
    from harness.worlds.wire.tap_process import Tap, is_at

from harness.worlds.pki import Authority


def client(name, port):
    return SimpleNamespace(id=name, sockname=("127.0.0.1", port), peername=("127.0.0.1", 50_000 + port))


class Crossing:
    """One connection through a tap."""

    def __init__(self, tap, port=7001, name="a"):
        self._tap, self._client = tap, client(name, port)
        tap.client_connected(self._client)

    def say(self, data, *, from_client=True):
        """Pass a message and return what came out on the other side."""
        message = SimpleNamespace(from_client=from_client, content=data)
        flow = SimpleNamespace(client_conn=self._client, messages=[message])
        self._tap.tcp_message(flow)
        assert flow.messages == []
        return message.content

    def hear(self, data):
        return self.say(data, from_client=False)


@pytest.fixture
def tap():
    return Tap({7001: "host", 7002: "phone"}, ("127.0.0.1", 8443))


def told(capsys):
    return list(map(json.loads, capsys.readouterr().out.splitlines()))


def test_what_crosses_is_told_with_who_dialled(tap, capsys):
    host, _ = Crossing(tap), Crossing(tap, 7002, "b")
    host.say(b"GET")
    host.hear(b"200")
    tap.client_disconnected(client("a", 7001))
    assert [(one["actor"], one["conn"], one["what"], base64.b64decode(one.get("data", ""))) for one in told(capsys)] == [
        ("host", 1, "open", b""),
        ("phone", 2, "open", b""),
        ("host", 1, "out", b"GET"),
        ("host", 1, "in", b"200"),
        ("host", 1, "closed", b""),
    ]  # fmt: skip


def test_the_relay_is_dialled_where_it_is_said_to_be(tap):
    data = SimpleNamespace(server=SimpleNamespace(address=("relay.test", 443)))
    tap.server_connect(data)
    assert data.server.address == ("127.0.0.1", 8443)


def test_each_handshake_says_which_certificate_was_shown(tap, capsys):
    shown = SimpleNamespace(context=SimpleNamespace(client=client("a", 7001)))
    tap.tls_start_client(shown)
    tap.certified("expired")
    tap.tls_start_client(shown)
    assert [one["how"] for one in told(capsys)] == ["good", "expired"]


def test_an_answer_that_is_to_vanish_leaves_the_connection_silent(tap, capsys):
    tap.drop("host", "/v1/token", 1)
    host, other = Crossing(tap), Crossing(tap, name="other")
    assert host.say(b"POST /v1/token?x=1 HTTP/1.1\r\n\r\n") != b""
    assert [host.hear(b"HTTP/1.1 200 OK"), host.hear(b"more")] == [b"", b""]
    assert other.say(b"POST /v1/token HTTP/1.1\r\n\r\n") != b""
    assert other.hear(b"HTTP/1.1 200 OK") == b"HTTP/1.1 200 OK"
    assert [one["path"] for one in told(capsys) if one["what"] == "dropped"] == ["/v1/token"]


def test_answers_to_others_and_of_other_paths_come(tap):
    tap.drop("host", "/v1/token", 5)
    host, phone = Crossing(tap), Crossing(tap, 7002, "b")
    phone.say(b"POST /v1/token HTTP/1.1\r\n\r\n")
    assert phone.hear(b"200") == b"200"
    host.say(b"POST /v1/sessions HTTP/1.1\r\n\r\n")
    host.say(b"a body that says /v1/token")
    assert host.hear(b"200") == b"200"
    tap.drop("host", "/v1/token", 0)
    host.say(b"POST /v1/token HTTP/1.1\r\n\r\n")
    assert host.hear(b"200") == b"200"


@pytest.mark.parametrize(
    ("path", "template", "is_it"),
    [
        ("/v1/token", "/v1/token", True),
        ("/v1/sessions/s1/events", "/v1/sessions/{session}/events", True),
        ("/v1/sessions/s1", "/v1/sessions/{session}/events", False),
        ("/v1/tokens", "/v1/token", False),
    ],
)
def test_a_template_stands_for_its_paths(path, template, is_it):
    assert is_at(path, template) is is_it


def test_a_tap_that_cannot_listen_says_where(tmp_path):
    leaf = tmp_path / "leaf.pem"
    leaf.write_bytes(Authority(0, "public").leaf_pem("localhost"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        setting = {"confdir": str(tmp_path), "name": "localhost", "relay": ("127.0.0.1", 1), "certificate": str(leaf)}
        setting |= {"taps": [{"listens": port, "actor": "host"}], "authorities": str(leaf)}
        command = [sys.executable, "-P", tap_process.__file__, json.dumps(setting)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "address already in use" in done.stderr
    assert str(port) in done.stderr
