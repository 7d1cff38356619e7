"""Dialling a small server on loopback, in the clear: what is sent, when a connection is trusted, what an error says."""

import ssl
from functools import partial
from types import SimpleNamespace

import pytest
import trio

from reference import dial
from reference.dial import Dialler, Unreached
from reference.protocol.client_io import Call

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Kept: Yes\r\n\r\nok"


class Server:
    """Answers every request in turn with what it was given; keeps heads and counts connections."""

    def __init__(self, answers, ends=b"\r\n\r\n"):
        self.ends = ends
        self.answers, self.heads, self.connections = list(answers), [], 0

    async def serve(self, stream):
        self.connections += 1
        async with stream:
            while self.answers:
                head = b""
                while b"\r\n\r\n" not in head or (head.startswith(b"POST") and not head.endswith(self.ends)):
                    part = await stream.receive_some()
                    if not part:
                        return
                    head += part
                self.heads.append(head)
                await stream.send_all(self.answers.pop(0))


def machine(**environ):
    files = {}
    home = SimpleNamespace(read=files.get, files=files)
    return SimpleNamespace(environ=environ, home=home, client_tls=ssl.create_default_context)


def talking(story, *answers, platform=None, ends=b"\r\n\r\n"):
    """Run ``story(dialler, server)`` against a server that gives these answers."""
    server = Server(answers, ends)

    async def main():
        async with trio.open_nursery() as nursery:
            listeners = await nursery.start(partial(trio.serve_tcp, server.serve, 0, host="127.0.0.1"))
            port = listeners[0].socket.getsockname()[1]
            dialler = Dialler(platform or machine(), f"http://127.0.0.1:{port}")
            with trio.fail_after(10):
                await story(dialler, server)
                await dialler.aclose()
            nursery.cancel_scope.cancel()

    trio.run(main)
    return server


def call(method="GET", path="/v1/x", headers=(), body=b""):
    return Call(1, method, path, headers, body, 10.0)


def test_a_call_says_what_it_was_given_and_nothing_else():
    async def story(dialler, _server):
        asked = call("POST", headers=(("Authorization", "Bearer t"),), body=b"{}")
        assert await dialler.call(asked) == (200, {"content-length": "2", "x-kept": "Yes"}, b"ok")

    (head,) = talking(story, ANSWER, ends=b"{}").heads
    lines = [line.split(b":")[0] for line in head.split(b"\r\n\r\n")[0].split(b"\r\n")]
    assert lines == [b"POST /v1/x HTTP/1.1", b"Host", b"Authorization", b"Content-Length"]
    assert head.endswith(b"\r\n\r\n{}")


def test_a_post_without_a_body_says_so():
    async def story(dialler, _server):
        await dialler.call(call("POST"))
        await dialler.call(call("GET"))

    post, get = talking(story, ANSWER, ANSWER).heads
    assert b"Content-Length: 0\r\n" in post
    assert b"Content-Length" not in get


def test_a_connection_is_kept_until_it_is_retired():
    async def story(dialler, server):
        await dialler.call(call())
        await dialler.call(call())
        assert server.connections == 1
        dialler.retire()
        await dialler.call(call())
        assert server.connections == 2

    talking(story, ANSWER, ANSWER, ANSWER)


def test_a_redirect_is_not_followed():
    async def story(dialler, _server):
        assert (await dialler.call(call()))[0] == 302

    moved = b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n"
    assert len(talking(story, moved).heads) == 1


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", b"SSH-2.0-x\r\n\r\n"])
def test_no_complete_answer_is_one_kind_of_error(answer):
    async def story(dialler, _server):
        with pytest.raises(Unreached):
            await dialler.call(call())

    talking(story, answer)


def test_nobody_there_is_the_same_kind_of_error():
    async def story(dialler, _server):
        with pytest.raises(Unreached, match="ConnectError"):
            await Dialler(dialler.platform, "http://127.0.0.1:1").call(call())

    talking(story)


# The client library leaves its own generators to the collector when an answer is not read to its end.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_endless_answer_is_not_the_relays(monkeypatch):
    monkeypatch.setattr(dial, "ANSWER_BYTES_MAX", 10)

    async def story(dialler, _server):
        with pytest.raises(Unreached, match="too long"):
            await dialler.call(call())

    talking(story, b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n" + b"x" * 11)


def test_a_stream_tells_when_its_request_has_left_and_is_read_as_it_comes():
    told = []

    async def story(dialler, _server):
        async with dialler.stream("/v1/events", (), lambda: told.append("sent")) as response:
            assert told == ["sent"]
            assert b"".join([part async for part in response.aiter_raw()]) == b"onetwo"

    talking(story, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")


def test_a_stream_that_breaks_is_unreached_from_within():
    async def story(dialler, _server):
        async def read():
            async with dialler.stream("/v1/events", (), lambda: None) as response:
                async for _ in response.aiter_raw():
                    pass

        with pytest.raises(Unreached):
            await read()

    talking(story, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\non")


def test_another_way_out_is_taken_after_a_failure_only():
    platform = machine()

    async def story(dialler, server):
        await dialler.call(call())
        platform.home.files["proxy"] = b"http://127.0.0.1:1"
        await dialler.call(call())
        dialler.check_route()
        with pytest.raises(Unreached):
            await dialler.call(call())
        assert server.connections == 1

    # Names on loopback go past a proxy of the environment; one that was kept for this machine holds for every name.
    talking(story, ANSWER, ANSWER, platform=platform)
