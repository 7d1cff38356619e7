"""Hostile bytes over real loopback and real TLS: refused with the right status, and never more memory than the limits allow."""

import tracemalloc
from itertools import repeat
from urllib.parse import urlsplit

import pytest
import trio

from reference.protocol import limits
from reference.protocol.errors import ERRORS
from tests.reference.protocol.hostile_bytes import BAD, CHUNKED, HOST, LARGE, LINE, POST

FLOOD_BYTES = 24 * 1024 * 1024
GROWS_BYTES_MAX = 4 * 1024 * 1024
"""Far above every limit of one connection together, far below the flood."""

GET = LINE + HOST + b"\r\n"


async def dialled(stage, platform):
    where = urlsplit(stage.url)
    stream = await trio.open_ssl_over_tcp_stream(
        where.hostname, where.port, https_compatible=True, ssl_context=platform.client_tls()
    )
    await stream.do_handshake()
    return stream


async def status_of(stream, data):
    """The status of the last answer to these bytes, sent as one piece."""
    await stream.send_all(data)
    heard = b""
    while b"\r\n\r\n" not in heard:
        part = await stream.receive_some()
        if not part:
            break
        heard += part
    await trio.aclose_forcefully(stream)
    return int(heard.split(b" ")[1])


@pytest.mark.slow
def test_each_is_refused_with_its_status_and_the_relay_serves_on(on_stage):
    asked = [(name, data, "bad-request") for name, data in BAD.items()]
    asked += [(f"{code} {n}", data, code) for code, several in LARGE.items() for n, data in enumerate(several)]

    async def story(stage):
        platform = stage.platform(99)
        found = {name: await status_of(await dialled(stage, platform), data) for name, data, _ in asked}
        assert found == {name: ERRORS[code].status for name, _, code in asked}
        assert await status_of(await dialled(stage, platform), GET) == 404

    on_stage(story)


FLOODS = {
    "a head": (LINE + HOST, b"X: " + b"a" * 4096 + b"\r\n"),
    "a header line": (LINE + HOST + b"X: ", b"a" * 4096),
    "a request line": (b"GET /", b"a" * 4096),
    "an empty start": (b"", b"\r\n" * 2048),
    "a counted body": (POST + b"Content-Length: 99999999\r\n\r\n", b"a" * 4096),
    "a chunked body": (CHUNKED, b"1000\r\n" + b"a" * 4096 + b"\r\n"),
    "a chunk extension": (CHUNKED + b"1;", b"a" * 4096),
    "requests without listening": (b"", GET * 100),
    "noise": (b"", bytes(range(256)) * 16),
}


async def flood(stream, lead, piece):
    """Send until it is refused, hung up on, or not taken any more."""
    try:
        await stream.send_all(lead)
        for part in repeat(piece, FLOOD_BYTES // len(piece)):
            with trio.move_on_after(1) as patience:
                await stream.send_all(part)
            if patience.cancelled_caught:
                break
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        pass
    await trio.aclose_forcefully(stream)


@pytest.mark.slow
@pytest.mark.parametrize(("lead", "piece"), FLOODS.values(), ids=FLOODS)
def test_a_flood_costs_no_memory(on_stage, lead, piece):
    async def story(stage):
        stream = await dialled(stage, stage.platform(99))
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        await flood(stream, lead, piece)
        _, peak = tracemalloc.get_traced_memory()
        assert peak - before < GROWS_BYTES_MAX

    tracemalloc.start()
    try:
        on_stage(story)
    finally:
        tracemalloc.stop()


def test_the_limits_of_one_connection_lie_below_the_bound():
    kept = limits.HEAD_BYTES_MAX + limits.BODY_BYTES_MAX + limits.CHUNK_OVERHEAD_BYTES_MAX
    assert kept * 2 < GROWS_BYTES_MAX < FLOOD_BYTES
