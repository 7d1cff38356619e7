from itertools import count

import pytest

from harness.worlds.way_out import PAGES, Settings
from harness.worlds.wire.exchange import OWN, Exchange, Policy

REQUEST = b"POST /v1/x?after=1 HTTP/1.1\r\nHost: relay\r\nauthorization: Bearer mine\r\nContent-Length: 4\r\n\r\nbody"
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
STREAM = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n: hi\n\r\n"


class Told(list):
    def __call__(self, what, **data):
        self.append((what, data))


def exchange(**settings):
    told = Told()
    return Exchange(Policy(Settings(inspects="trusted", **settings)), told, count(1).__next__), told


def pieces(data, size):
    return [data[at : at + size] for at in range(0, len(data), size)]


SIZES = pytest.mark.parametrize("size", [1, 7, 1000])


@SIZES
def test_without_a_wish_everything_passes_as_it_is(size):
    one, told = exchange()
    assert b"".join(map(one.ask, pieces(REQUEST, size))) == REQUEST
    assert b"".join(map(one.answer, pieces(ANSWER, size))) == ANSWER
    assert told == []


@SIZES
@pytest.mark.parametrize(
    ("how", "line"), [("strip", b""), ("replace", OWN + b"\r\n"), ("mix_up", b"authorization: Bearer mine\r\n")]
)
def test_the_credential_of_each_request_is_changed(size, how, line):
    one, told = exchange(rewrites_auth=how)
    for _ in range(2):
        passed = b"".join(map(one.ask, pieces(REQUEST, size)))
        assert passed == b"POST /v1/x?after=1 HTTP/1.1\r\nHost: relay\r\nContent-Length: 4\r\n" + line + b"\r\nbody"
        assert b"".join(map(one.answer, pieces(ANSWER, size))) == ANSWER
    assert told == [("rewrote", {"path": "/v1/x"})] * 2


def test_what_is_mixed_up_is_the_first_that_any_tunnel_of_the_proxy_showed():
    policy = Policy(Settings(inspects="trusted", rewrites_auth="mix_up"))
    first, second = (Exchange(policy, Told(), count(1).__next__) for _ in range(2))
    first.ask(REQUEST)
    assert b"Authorization: Bearer other" not in second.ask(b"GET / HTTP/1.1\r\nAuthorization: Bearer other\r\n\r\n")
    assert policy.first_seen == b"authorization: Bearer mine"


def test_a_request_without_a_credential_is_given_none_of_another():
    one, _ = exchange(rewrites_auth="mix_up")
    one.ask(REQUEST)
    one.answer(ANSWER)
    assert one.ask(b"GET / HTTP/1.1\r\nHost: relay\r\n\r\n") == b"GET / HTTP/1.1\r\nHost: relay\r\n\r\n"


@SIZES
def test_an_answer_is_held_until_it_is_whole(size):
    one, told = exchange(buffers=True)
    whole = STREAM + b"5\r\n: ho\n\r\n0\r\n\r\n"
    *parts, last = pieces(whole, size)
    assert b"".join(map(one.answer, parts)) == b""
    assert one.answer(last) == whole
    assert told == [("held", {"bytes": len(whole), "since_ns": 1})]


def test_what_is_held_is_released_when_the_proxy_buffers_no_more():
    one, told = exchange(buffers=True)
    assert one.answer(STREAM) == b""
    one.policy.settings = Settings(inspects="trusted")
    assert one.answer(b"") == STREAM
    assert told == [("held", {"bytes": len(STREAM), "since_ns": 1})]
    assert one.answer(b"5\r\n: ho\n\r\n") == b"5\r\n: ho\n\r\n"


def test_what_is_still_held_when_the_client_leaves_is_accounted_for_once():
    one, told = exchange(buffers=True)
    one.answer(STREAM)
    one.account()
    one.account()
    assert told == [("held", {"bytes": len(STREAM), "since_ns": 1})]


@SIZES
@pytest.mark.parametrize("answers", PAGES)
def test_a_request_is_answered_in_the_relays_place_and_the_next_one_too(size, answers):
    one, told = exchange(answers=answers)
    for _ in range(2):
        assert b"".join(map(one.ask, pieces(REQUEST, size))) == b""
        assert one.has_page
        assert one.answer(b"") == PAGES[answers].raw
        assert not one.has_page
    assert told == [("answered", {"status": PAGES[answers].status})] * 2


def test_a_proxy_that_stops_answering_passes_the_next_request():
    one, _ = exchange(answers="html")
    one.ask(REQUEST)
    one.answer(b"")
    one.policy.settings = Settings(inspects="trusted")
    assert one.ask(REQUEST) == REQUEST


def test_after_a_change_of_protocol_nothing_is_looked_at():
    one, told = exchange(rewrites_auth="strip", buffers=True)
    one.ask(b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n")
    switched = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
    assert one.answer(switched) == switched
    assert one.ask(b"\x81\x02hi") == b"\x81\x02hi"
    assert one.answer(b"\x81\x02ho") == b"\x81\x02ho"
    assert told == [("rewrote", {"path": "/ws"})]


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_an_answer_without_a_body_is_whole_with_its_head(status):
    one, _ = exchange(buffers=True)
    whole = f"HTTP/1.1 {status}\r\n\r\n".encode()
    assert one.answer(whole) == whole
