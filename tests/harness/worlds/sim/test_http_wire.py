"""Just enough HTTP: where messages end, however the bytes are cut."""

import pytest
import trio
import trio.testing

from harness.worlds.sim.http_wire import Reader, has_no_body, parse_head


def _read(wire, *, step, until_end=False):
    async def main():
        send, receive = trio.testing.memory_stream_one_way_pair()
        reader, messages = Reader(receive), []

        async def feed():
            for at in range(0, len(wire), step):
                await send.send_all(wire[at : at + step])
                await trio.lowlevel.checkpoint()
            await send.aclose()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(feed)
            while (head := await reader.head()) is not None:
                body = [part async for part in reader.body(head, until_end=until_end)]
                messages.append((head.first[0], b"".join(body)))
        return messages

    return trio.run(main)


CHUNKED = b"4;x=y\r\nabcd\r\n0\r\n\r\n"


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_messages_end_where_they_end(step):
    wire = (
        b"A / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"
        b"B / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKED + b"C / HTTP/1.1\r\n\r\n"
    )
    assert _read(wire, step=step) == [(b"A", b"abc"), (b"B", CHUNKED), (b"C", b"")]


def test_response_without_a_length_lasts_until_the_end():
    assert _read(b"HTTP/1.1 200 OK\r\n\r\nabc", step=4, until_end=True) == [(b"HTTP/1.1", b"abc")]


def test_truncated_messages_end_with_the_stream():
    assert _read(b"A / HTTP/1.1\r\ncontent-length: 9\r\n\r\nabc", step=5) == [(b"A", b"abc")]
    assert _read(b"A / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n9\r\nabc", step=5) == [(b"A", b"")]
    assert _read(b"A / HT", step=5) == []
    assert _read(b"x" * 100_000, step=50_000) == []


def test_head_is_taken_apart():
    head = parse_head(b"GET /a?b=c HTTP/1.1\r\nX-One: 1\r\nAuthorization:  Bearer t \r\n\r\n")
    assert head.path == "/a"
    assert head.headers == {b"x-one": b"1", b"authorization": b"Bearer t"}
    assert head.without(b"authorization") == [b"GET /a?b=c HTTP/1.1", b"X-One: 1"]


@pytest.mark.parametrize(
    ("method", "status", "bare"), [("GET", 200, 0), ("HEAD", 200, 1), ("GET", 204, 1), ("GET", 304, 1)]
)
def test_bodyless_responses(method, status, bare):
    request = parse_head(f"{method} / HTTP/1.1\r\n\r\n".encode())
    assert has_no_body(request, parse_head(f"HTTP/1.1 {status} x\r\n\r\n".encode())) is bool(bare)
