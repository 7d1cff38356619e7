"""Sockets as trio programs see them."""

import errno
import socket

import pytest
import trio

from harness.worlds.sim.sockets import SimSocket


def _on_client(world, program, until=10.0):
    world.client.boot(program)
    world.sim.run(until=until)
    return world.client.result.unwrap()


def test_trio_makes_our_sockets_and_nothing_but_ipv4_streams(world):
    async def program():
        made = trio.socket.socket()
        with pytest.raises(OSError, match="not supported"):
            trio.socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
        with pytest.raises(OSError, match="not supported"):
            trio.socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        return type(made), made.type, made.family

    assert _on_client(world, program) == (SimSocket, socket.SOCK_STREAM, socket.AF_INET)


def test_listener_accepts_in_order_and_reports_peers(world):
    async def program():
        listener = trio.socket.socket()
        await listener.bind(("", 0))
        listener.listen()
        port = listener.getsockname()[1]
        assert listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        dialled = [await trio.open_tcp_stream("10.0.0.2", port) for _ in range(3)]
        accepted = [await listener.accept() for _ in range(3)]
        return [one.socket.getsockname() for one in dialled] == [peer for _, peer in accepted]

    assert _on_client(world, program)
    assert world.of("socket.listening")[0]["address"].startswith("0.0.0.0:")


def test_second_listener_on_a_port_is_refused(world):
    async def program():
        await trio.open_tcp_listeners(80, host="10.0.0.2")
        with pytest.raises(OSError, match="in use"):
            await trio.open_tcp_listeners(80, host="10.0.0.2")

    _on_client(world, program)


def test_closing_wakes_whoever_waits(world):
    async def program():
        listener = trio.socket.socket()
        await listener.bind(("10.0.0.2", 80))
        listener.listen()
        stream = await trio.open_tcp_stream("10.0.0.2", 80)
        codes = []

        async def wait(doing):
            try:
                await doing()
            except (OSError, trio.ClosedResourceError) as error:
                codes.append(getattr(error, "errno", type(error).__name__))

        async with trio.open_nursery() as nursery:
            await listener.accept()
            nursery.start_soon(wait, listener.accept)
            nursery.start_soon(wait, stream.receive_some)
            await trio.sleep(1)
            listener.close()
            await stream.aclose()
        return sorted(map(str, codes)), listener.fileno()

    assert _on_client(world, program) == ([str(errno.EBADF), "ClosedResourceError"], -1)


def test_cancelled_receive_loses_nothing(world):
    async def program():
        listener = trio.socket.socket()
        await listener.bind(("10.0.0.2", 80))
        listener.listen()
        stream = await trio.open_tcp_stream("10.0.0.2", 80)
        peer, _ = await listener.accept()
        with trio.move_on_after(1) as scope:
            await peer.recv(10)
        assert not peer.is_readable()
        await stream.send_all(b"hello")
        await trio.sleep(1)
        assert peer.is_readable()
        buffer = bytearray(3)
        return scope.cancelled_caught, await peer.recv_into(buffer), bytes(buffer), await peer.recv(10)

    assert _on_client(world, program) == (True, 3, b"hel", b"lo")


def test_unconnected_socket_says_so(world):
    async def program():
        one = trio.socket.socket()
        for call in (one.getpeername, lambda: one.shutdown(socket.SHUT_WR)):
            with pytest.raises(OSError, match="not connected"):
                call()

    _on_client(world, program)
