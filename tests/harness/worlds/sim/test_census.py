import errno
from types import SimpleNamespace

import pytest

from harness.worlds.sim.census import Census

HOST = SimpleNamespace(name="host")


@pytest.fixture
def told():
    return []


@pytest.fixture
def census(told):
    return Census(SimpleNamespace(now=7.0), lambda *what: told.append(what))


def test_a_connection_from_dial_to_end(census, told):
    census.dialled(HOST, 3, "host-relay", "relay", ("203.0.113.1", 443), via="proxy", allowed=True)
    census.connected(HOST, 3, "host-relay")
    census.closed(HOST, 3, "host-relay", sent=10, received=20, code=None, by_peer=False)
    assert [(actor, what, t) for actor, what, _, t in told] == [
        ("host", "socket.dialled", 7.0),
        ("host", "socket.connected", 7.0),
        ("host", "socket.closed", 7.0),
    ]
    dialled = {"conn": 3, "link": "host-relay", "to": "relay", "address": "203.0.113.1", "port": 443}
    assert told[0][2] == dialled | {"via": "proxy", "allowed": True}
    assert told[2][2] == {"conn": 3, "link": "host-relay", "sent": 10, "received": 20, "error": None}


@pytest.mark.parametrize(
    ("first", "tls"), [(b"\x16\x03\x01", True), (b"GET / HTTP/1.1", False), (b"CONNECT relay", False)]
)
def test_how_a_connection_begins(census, told, first, tls):
    census.spoke(HOST, 3, "host-relay", first)
    assert [what[1:3] for what in told] == [("socket.spoke", {"conn": 3, "link": "host-relay", "tls": tls})]


@pytest.mark.parametrize(
    ("code", "by_peer", "error"),
    [
        (None, False, None),
        (None, True, "fin"),
        (errno.ECONNRESET, True, "reset"),
        (errno.ECONNREFUSED, False, "refused"),
        (errno.ETIMEDOUT, False, "timeout"),
        (errno.EHOSTUNREACH, False, "unreachable"),
    ],
)
def test_how_a_connection_ended(census, told, code, by_peer, error):
    census.closed(HOST, 3, "host-relay", sent=0, received=0, code=code, by_peer=by_peer)
    assert told[0][2]["error"] == error


def test_who_listens_and_who_asks(census, told):
    census.listening(HOST, "0.0.0.0:80")
    census.asked(HOST, "relay.test", "nxdomain")
    assert [(what, data) for _, what, data, _ in told] == [
        ("socket.listening", {"address": "0.0.0.0:80"}),
        ("dns.asked", {"name": "relay.test", "answer": "nxdomain"}),
    ]
