import base64
import hashlib
import json
import socket
import ssl
import subprocess
import sys
import warnings
from types import SimpleNamespace

import pytest

pytest.importorskip("mitmproxy", reason="the extra `wire` is not installed; `make setup-wire` installs it")

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of mitmproxy's own libraries
    from harness.worlds.wire import tap_process
    from harness.worlds.wire.tap_process import Tap, is_at

from harness.worlds.pki import Authority
from harness.worlds.wire.ports import free_port


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


SWITCHING = """
import asyncio, json, sys
from harness.worlds.wire import tap_process
true_update = tap_process.options.Options.update
def update(self, **what):
    if sys.argv[2] == "works" or list(what) != ["certs"]:
        true_update(self, **what)
    print(json.dumps({"what": "updated"}), flush=True)
tap_process.options.Options.update = update
asyncio.run(tap_process.main(json.loads(sys.argv[1])))
"""
"""The tap, with mitmproxy's update of its options, of which it tells, in order or switched off."""


def setting(folder, port, leaf):
    """What the tap is told at its start: it listens at one port, before a relay that is not there."""
    told = {"confdir": str(folder), "name": "localhost", "relay": ("127.0.0.1", 1), "certificate": str(leaf)}
    return json.dumps(told | {"taps": [{"listens": port, "actor": "host"}], "authorities": str(leaf)})


def certificate(folder, variant=None):
    """A file of key and certificate, and the certificate's SHA-256."""
    path = folder / f"{variant}.pem"
    path.write_bytes(Authority(0, "public").leaf_pem("localhost", variant))
    alone = path.read_text().partition("-----END PRIVATE KEY-----\n")[2]
    return path, hashlib.sha256(ssl.PEM_cert_to_DER_cert(alone)).hexdigest()


def received(port):
    """SHA-256 of the certificate that a client gets there."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", port), timeout=30) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as tls,
    ):
        return hashlib.sha256(tls.getpeercert(binary_form=True)).hexdigest()


@pytest.mark.parametrize("switch", ["works", "is off"])
def test_each_handshake_says_which_certificate_a_client_got(switch, tmp_path):
    (good, good_sha256), (rotated, rotated_sha256) = certificate(tmp_path), certificate(tmp_path, "rotated")
    port = free_port()
    command = [sys.executable, "-P", "-c", SWITCHING, setting(tmp_path, port, good), switch]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def until(wanted):
            return next(one for one in map(json.loads, process.stdout) if wanted.items() <= one.items())

        try:
            until({"ready": True})
            got = [received(port)]
            shown = [until({"what": "shown"})["sha256"]]
            process.stdin.write(json.dumps({"certificate": str(rotated)}) + "\n")
            process.stdin.flush()
            until({"what": "updated"})
            got.append(received(port))
            shown.append(until({"what": "shown"})["sha256"])
        finally:
            process.terminate()
    assert shown == got == [good_sha256, rotated_sha256 if switch == "works" else good_sha256]


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
    leaf, _ = certificate(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-P", tap_process.__file__, setting(tmp_path, port, leaf)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "address already in use" in done.stderr
    assert str(port) in done.stderr
