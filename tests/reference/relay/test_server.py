import math
import random

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair

from reference.platform import Platform
from reference.protocol import limits
from reference.protocol.instant import Instant
from reference.protocol.relay import RelayMachine, Terms
from reference.protocol.relay_io import Issue
from reference.relay.server import serve_stream
from reference.relay.service import RelayService

GET = b"GET /v1/sessions HTTP/1.1\r\nHost: a\r\n\r\n"


class Disk:
    """A disk that answers at once."""

    def __init__(self):
        self.records = []
        self.broken = False

    async def load(self):
        return list(self.records)

    async def commit(self, records):
        await trio.lowlevel.checkpoint()
        if self.broken:
            raise OSError("disk")
        self.records += records

    async def aclose(self):
        await trio.lowlevel.checkpoint()


class Edge:
    """A relay and dialled connections to it, in memory, in virtual time."""

    def __init__(self, nursery, disk):
        def instant():
            return Instant(trio.current_time(), trio.current_time(), 1e9 + trio.current_time())

        platform = Platform(instant, random.Random(1), {}, None, None, None, lambda: disk, None, print)
        self.nursery = nursery
        self.service = RelayService(platform, RelayMachine(Terms(), platform.entropy))

    async def dial(self):
        ours, theirs = memory_stream_pair()
        self.nursery.start_soon(serve_stream, theirs, self.service)
        return ours

    async def token(self, scope, role):
        issue = Issue(self.service.next_ask(), role, role, "a", (), 1e6, None, "max", "account")
        credential = (await self.service.ask(issue))["credential"]
        body = f"grant_type=refresh_token&refresh_token={credential}&scope={scope}".encode()
        stream = await self.dial()
        await stream.send_all(b"POST /v1/token HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        head = await until(stream, b'"scope"')
        await stream.aclose()
        return head.split(b'"access_token":"')[1].split(b'"')[0]


def edge(story, disk=None):
    async def main():
        async with trio.open_nursery() as nursery:
            relay = Edge(nursery, disk or Disk())
            await nursery.start(relay.service.run)
            await story(relay)
            nursery.cancel_scope.cancel()

    trio.run(main, clock=MockClock(autojump_threshold=0))


async def until(stream, mark):
    data = b""
    while mark not in data:
        more = await stream.receive_some()
        assert more, data
        data += more
    return data


async def rest(stream):
    data = b""
    while more := await stream.receive_some():
        data += more
    return data


def statuses(data):
    return [int(part[:3]) for part in data.split(b"HTTP/1.1 ")[1:]]


def test_answers_keep_the_connection_and_the_order():
    async def story(relay):
        stream = await relay.dial()
        await stream.send_all(GET * 3 + GET.replace(b"/v1/sessions", b"/nothing"))
        data = await until(stream, b"not-found")
        assert statuses(data) == [401, 401, 401, 404]
        await stream.send_all(GET)
        assert statuses(await until(stream, b"token-missing")) == [401]

    edge(story)


@pytest.mark.parametrize(
    ("sent", "status", "after_s"),
    [
        (b"", None, limits.HEAD_S),
        (b"GET / HT", 408, limits.HEAD_S),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc", 408, limits.BODY_SILENCE_S),
        (GET, 401, limits.KEEP_ALIVE_S),
        (b"GET / HTTP/1.1\r\n\r\n", 400, 0.0),
        (b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 404, 0.0),
        (b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", 404, 0.0),
        (GET * 40, 401, limits.KEEP_ALIVE_S),
    ],
)
def test_patience_has_an_end(sent, status, after_s):
    async def story(relay):
        stream = await relay.dial()
        began = trio.current_time()
        if sent:
            await stream.send_all(sent)
        data = await rest(stream)
        assert set(statuses(data)) == ({status} if status else set())
        assert math.isclose(trio.current_time() - began, after_s + limits.LINGER_S, abs_tol=0.01)

    edge(story)


def test_a_head_that_drips_is_not_waited_for():
    async def story(relay):
        stream = await relay.dial()
        with trio.CancelScope() as dripping:
            for byte in GET * 10:
                try:
                    await stream.send_all(bytes([byte]))
                except trio.BrokenResourceError:
                    dripping.cancel()
                await trio.sleep(1)
        assert dripping.cancelled_caught
        assert trio.current_time() < limits.HEAD_S + limits.LINGER_S + 2

    edge(story)


async def drip(stream, pieces, every_s):
    """Send pieces at a steady pace until the peer closes or there are no more."""
    for piece in pieces:
        try:
            await stream.send_all(piece)
        except trio.BrokenResourceError:
            return
        await trio.sleep(every_s)


@pytest.mark.parametrize(
    "head", [b"Content-Length: 262144", b"Transfer-Encoding: chunked"], ids=["with a length", "chunked"]
)
def test_a_body_that_drips_is_not_waited_for(head):
    async def story(relay):
        stream = await relay.dial()
        began = trio.current_time()
        await stream.send_all(b"POST /v1/token HTTP/1.1\r\nHost: a\r\n%b\r\n\r\n" % head)
        relay.nursery.start_soon(drip, stream, [b"1\r\na\r\n"] * 40, limits.BODY_SILENCE_S - 1)
        data = await rest(stream)
        assert statuses(data) == [408]
        assert b'"urn:relayproof:timeout"' in data
        assert math.isclose(trio.current_time() - began, limits.BODY_S + limits.LINGER_S, abs_tol=0.01)

    edge(story)


def test_a_slow_phone_gets_its_largest_body_through():
    async def story(relay):
        stream = await relay.dial()
        for _ in range(2):
            await stream.send_all(
                b"POST /v1/token HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % limits.BODY_BYTES_MAX
            )
            await drip(stream, [b"a" * 8192] * (limits.BODY_BYTES_MAX // 8192), 0.8192 * 2)
            assert statuses(await until(stream, b"urn:relayproof:")) == [400]

    edge(story)


async def open_session(relay):
    """Register a host; returns the session's path."""
    register, stream = await relay.token("host:register", "host"), await relay.dial()
    body = b'{"instance":"i","incarnation":"1"}'
    head = b"POST /v1/sessions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %b\r\nContent-Length: %d\r\n\r\n"
    await stream.send_all(head % (register, len(body)) + body)
    answer = await until(stream, b'"url"')
    await stream.aclose()
    return b"/v1/sessions/" + answer.split(b'"session":"')[1].split(b'"')[0]


def test_a_stream_opens_at_once_beats_and_ends_with_its_reader():
    async def story(relay):
        path, read = await open_session(relay), await relay.token("device:read", "device")
        stream = await relay.dial()
        await stream.send_all(b"GET %b/events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %b\r\n\r\n" % (path, read))
        opened = await until(stream, b"event: hello")
        assert b"transfer-encoding: chunked" in opened.lower()
        assert b"no-store" in opened
        began = trio.current_time()
        await until(stream, b"6\r\n: hb\n\n\r\n")
        assert math.isclose(trio.current_time() - began, 15.0, abs_tol=0.01)
        assert len(relay.service.machine.streams) == 1
        await stream.aclose()
        await trio.testing.wait_all_tasks_blocked()
        assert relay.service.machine.streams == {}

    edge(story)


def test_a_request_behind_an_open_stream_ends_it():
    async def story(relay):
        path, read = await open_session(relay), await relay.token("device:read", "device")
        stream = await relay.dial()
        await stream.send_all(b"GET %b/events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %b\r\n\r\n" % (path, read))
        await until(stream, b"event: hello")
        await stream.send_all(GET)
        await rest(stream)
        assert relay.service.machine.streams == {}

    edge(story)


def test_a_broken_disk_is_told_and_nothing_is_acknowledged():
    async def story(relay):
        path, send = await open_session(relay), await relay.token("device:send", "device")
        disk.broken = True
        stream = await relay.dial()
        body = b'{"msg_id":"m","title":"t"}'
        head = b"POST %b/title HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %b\r\nContent-Length: %d\r\n\r\n"
        await stream.send_all(head % (path, send, len(body)) + body)
        assert statuses(await until(stream, b"storage-failed")) == [503]

    disk = Disk()
    edge(story, disk)
