import base64
import json
import warnings
from types import SimpleNamespace

import pytest

pytest.importorskip("mitmproxy", reason="the extra `wire` is not installed; `make wire` installs it")

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of mitmproxy's own libraries
    from harness.worlds.wire.tap_process import Tap


def client(name, port):
    return SimpleNamespace(id=name, sockname=("127.0.0.1", port))


def test_what_crosses_is_told_with_who_dialled(capsys):
    tap = Tap({7001: "host", 7002: "phone"})
    tap.running()
    tap.client_connected(client("a", 7001))
    tap.client_connected(client("b", 7002))
    flow = SimpleNamespace(client_conn=client("a", 7001), messages=[SimpleNamespace(from_client=True, content=b"GET")])
    tap.tcp_message(flow)
    flow.messages.append(SimpleNamespace(from_client=False, content=b"200"))
    tap.tcp_message(flow)
    tap.client_disconnected(client("a", 7001))
    ready, *told = map(json.loads, capsys.readouterr().out.splitlines())
    assert ready == {"ready": True}
    assert [(one["actor"], one["conn"], one["what"], base64.b64decode(one.get("data", ""))) for one in told] == [
        ("host", 1, "open", b""),
        ("phone", 2, "open", b""),
        ("host", 1, "out", b"GET"),
        ("host", 1, "in", b"200"),
        ("host", 1, "closed", b""),
    ]
    assert flow.messages == []
