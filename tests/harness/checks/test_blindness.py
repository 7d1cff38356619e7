import pytest

from harness.checks.blindness import says_unseen, unseen
from tests.harness.checks.made import case, event, heard_relay, response


def dials(actor="host", conn=1, **data):
    return event(1, actor, "os", "socket.dialled", conn=conn, **data)


def connects(actor="host", conn=1):
    return event(1.1, actor, "os", "socket.connected", conn=conn)


def closes(sent, received, actor="host", conn=1):
    return event(3, actor, "os", "socket.closed", conn=conn, sent=sent, received=received)


def asks(actor="host"):
    return event(2, actor, "wire", "request", conn=1)


def carries(direction, size):
    return event(4, "host", "wire", "carried", conn=1, direction=direction, bytes=size)


TALKS = [dials(), connects(), closes(900, 900)]


@pytest.mark.parametrize(
    ("events", "names"),
    [
        (TALKS, ("host",)),
        ([dials(), connects()], ("host",)),
        ([*TALKS, asks()], ("host",)),
        ([*TALKS, heard_relay(2)], ("host",)),
        ([*TALKS, carries("out", 9), carries("in", 0)], ("host",)),
        ([*TALKS, carries("out", 9), carries("in", 9)], ()),
        ([*TALKS, asks(), heard_relay(2)], ()),
        ([*TALKS, asks("phone"), response(2, 200)], ("host",)),
        ([dials(), closes(0, 0)], ()),
        ([dials(), connects(), closes(517, 0)], ()),
        ([dials(probe=True), connects(), closes(9, 9)], ()),
        ([dials("proxy"), connects("proxy"), closes(9, 9, "proxy")], ()),
        ([*TALKS, dials("phone", 2), connects("phone", 2)], ("host", "phone")),
        ([], ()),
    ],
)
def test_who_is_unseen(events, names):
    assert unseen(case(events)) == names


def test_the_sentence_names_them_and_the_remedy():
    said = says_unseen(("host", "phone"))
    assert "host and phone" in said
    assert "TLS contexts of its own" in said
