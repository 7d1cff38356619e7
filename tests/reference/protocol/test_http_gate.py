import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.protocol.http_gate import HttpGate, Refusal

LINE = b"GET / HTTP/1.1\r\n"
HOST = b"Host: a\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"

GOOD = {
    "counted": (POST + b"Content-Length: 2\r\n\r\nhi", [b"hi"]),
    "no body": (LINE + HOST + b"\r\n", [b""]),
    "chunked": (CHUNKED + b"2\r\nhi\r\n1\r\n!\r\n0\r\n\r\n", [b"hi!"]),
    "chunk extension": (CHUNKED + b"2;a=b\r\nhi\r\n0\r\n\r\n", [b"hi"]),
    "pipelined": (POST + b"Content-Length: 2\r\n\r\nhi" + LINE + HOST + b"\r\n", [b"hi", b""]),
    "chunked, pipelined": (CHUNKED + b"2\r\nhi\r\n0\r\n\r\n" + LINE + HOST + b"\r\n", [b"hi", b""]),
    "absolute form": (b"GET http://a/x HTTP/1.1\r\nHost: A\r\n\r\n", [b""]),
    "repeated harmless header": (LINE + HOST + b"Accept: a\r\nAccept: b\r\n\r\n", [b""]),
    "empty line first": (b"\r\n" + LINE + HOST + b"\r\n", [b""]),
    "host with port": (LINE + b"Host: a.b:8443\r\n\r\n", [b""]),
}

BAD = {
    "TE and CL": POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "CL and TE": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",
    "CL twice": POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi",
    "CL list": POST + b"Content-Length: 2, 2\r\n\r\nhi",
    "CL with sign": POST + b"Content-Length: +2\r\n\r\nhi",
    "CL negative": POST + b"Content-Length: -2\r\n\r\nhi",
    "CL hex": POST + b"Content-Length: 0x2\r\n\r\nhi",
    "CL empty": POST + b"Content-Length: \r\n\r\nhi",
    "bare LF": b"POST / HTTP/1.1\nHost: a\nContent-Length: 2\n\nhi",
    "bare LF at the end": LINE + HOST + b"\n",
    "bare CR": LINE + HOST + b"X: a\rb\r\n\r\n",
    "folded": LINE + HOST + b"X: a\r\n b\r\n\r\n",
    "space before colon": LINE + b"Host : a\r\n\r\n",
    "space before name": LINE + b" Host: a\r\n\r\n",
    "two hosts": LINE + HOST + b"Host: b\r\n\r\n",
    "no host": LINE + b"\r\n",
    "empty host": LINE + b"Host: \r\n\r\n",
    "host with a path": LINE + b"Host: a/b\r\n\r\n",
    "two credentials": LINE + HOST + b"Authorization: a\r\nAuthorization: b\r\n\r\n",
    "absolute form elsewhere": b"GET http://evil/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "absolute form, user": b"GET http://a@evil/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "fragment": b"GET /#x HTTP/1.1\r\nHost: a\r\n\r\n",
    "star": b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    "connect": b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n",
    "TE xchunked": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "TE twice in one": POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "TE identity": POST + b"Transfer-Encoding: identity\r\n\r\n",
    "TE gzip": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "TE twice": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "TE obscured": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "TE on 1.0": b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "1.0": b"GET / HTTP/1.0\r\nHost: a\r\n\r\n",
    "1.10": b"GET / HTTP/1.10\r\nHost: a\r\n\r\n",
    "0.9": b"GET /\r\n\r\n",
    "h2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "junk method": b"FOO / HTTP/1.1\r\nHost: a\r\n\r\n",
    "NUL": LINE + HOST + b"X: a\x00b\r\n\r\n",
    "upgrade": LINE + HOST + b"Connection: upgrade\r\nUpgrade: h2c\r\n\r\n",
    "upgrade, unconnected": LINE + HOST + b"Upgrade: h2c\r\n\r\n",
    "CL that overflows": POST + b"Content-Length: 99999999999999999999\r\n\r\n",
    "TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "chunk with LF": CHUNKED + b"2\nhi\r\n0\r\n\r\n",
    "chunk with 0x": CHUNKED + b"0x2\r\nhi\r\n0\r\n\r\n",
    "chunk with sign": CHUNKED + b"+2\r\nhi\r\n0\r\n\r\n",
    "chunk with space": CHUNKED + b" 2\r\nhi\r\n0\r\n\r\n",
    "chunk without CRLF": CHUNKED + b"2\r\nhi0\r\n\r\n",
    "chunk size overflow": CHUNKED + b"100000000000000002\r\nhi\r\n0\r\n\r\n",
    "trailer": CHUNKED + b"0\r\nHost: b\r\n\r\n",
    "chunk extension of 70 kB": CHUNKED + b"2;" + b"a" * 70_000 + b"\r\nhi\r\n0\r\n\r\n",
}

LARGE = {
    "head-too-large": [LINE + HOST + b"X: " + b"a" * 70_000 + b"\r\n\r\n", LINE + HOST + b"X: a\r\n" * 100 + b"\r\n"],
    "uri-too-long": [b"GET /" + b"a" * 2048 + b" HTTP/1.1\r\nHost: a\r\n\r\n", b"GET /" + b"a" * 70_000],
    "too-large": [
        POST + b"Content-Length: 262145\r\n\r\n",
        POST + b"Content-Length: 999999999\r\n\r\n",
        CHUNKED + b"40001\r\n",
        CHUNKED + b"1\r\na\r\n" * 20_000,
    ],
}


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
