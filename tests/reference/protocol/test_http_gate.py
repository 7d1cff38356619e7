import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.protocol.http_gate import HttpGate, Refusal
from tests.reference.protocol.hostile_bytes import BAD, CHUNKED, GOOD, HOST, LARGE, LINE, POST


@pytest.mark.parametrize(("data", "bodies"), GOOD.values(), ids=GOOD)
def test_takes(data, bodies):
    assert [request.body for request in HttpGate().feed(data)] == bodies


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_refuses(data):
    gate = HttpGate()
    assert gate.feed(data) == [Refusal("bad-request")]
    assert gate.feed(GOOD["counted"][0]) == []


@pytest.mark.parametrize(("code", "data"), [(code, data) for code, many in LARGE.items() for data in many])
def test_refuses_what_is_too_large(code, data):
    assert HttpGate().feed(data) == [Refusal(code)]


def test_after_connection_close_nothing_more_is_taken():
    data = LINE + HOST + b"Connection: close\r\n\r\n" + LINE + HOST + b"\r\n"
    answers = HttpGate().feed(data)
    assert (answers[0].path, answers[1:]) == ("/", [Refusal("bad-request")])


def test_says_what_was_asked():
    (request,) = HttpGate().feed(b"GET /a/b?c=d HTTP/1.1\r\nHost: a\r\nX-Y:  z \r\n\r\n")
    assert (request.method, request.path, request.query) == ("GET", "/a/b", "c=d")
    assert request.headers == {"host": "a", "x-y": "z"}


VECTORS = [data for data, _ in GOOD.values()] + [data for data in BAD.values() if len(data) < 1000]


@given(st.lists(st.sampled_from(VECTORS), min_size=1, max_size=3), st.data())
def test_how_the_bytes_are_cut_does_not_matter(vectors, data):
    stream = b"".join(vectors)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    whole, cut = HttpGate(), HttpGate()
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert [item for piece in pieces for item in cut.feed(piece)] == whole.feed(stream)


@given(st.binary(max_size=300), st.sampled_from([b"", LINE, POST, CHUNKED]))
def test_no_bytes_break_it(noise, lead):
    data = lead + noise
    whole, single = HttpGate().feed(data), HttpGate()
    assert [item for at in range(len(data)) for item in single.feed(data[at : at + 1])] == whole


def test_a_large_head_is_refused_in_pieces_too():
    gate, out = HttpGate(), []
    for piece in (LARGE["head-too-large"][0][at : at + 1000] for at in range(0, 70_000, 1000)):
        out += gate.feed(piece)
    assert out == [Refusal("head-too-large")]
