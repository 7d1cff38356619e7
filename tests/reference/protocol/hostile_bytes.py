"""Requests for the relay's edge: some that are right, some that smuggle, break the grammar or are too large."""

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
