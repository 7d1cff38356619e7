"""The null path: what a round trip takes through this machine's own proxies and tap with no system under test at their end.

Before any program runs, a server of ours stands in the relay's place and sends back what it gets; a client of ours stands on each machine. So
the harness's own share of a measured delay is known from the same run. Deliberately absent: what follows from it (``harness.checks.latency``).
"""

import math
import socket
from collections.abc import Sequence

import trio

from harness.base.errors import WorldError
from harness.worlds import pki
from harness.worlds.pki import Authority
from harness.worlds.wire.routed import Routed

SAMPLES = 100
EVERY_S = 0.01
"""True seconds between two intended times; a trip takes 2 ms, so that one does not wait for another."""
MESSAGE = b"x" * 64
CALIBRATION_S = 20.0
"""A calibration takes one second; where it takes this long nothing could be measured."""


def percentile(samples: Sequence[float], rank: float) -> float:
    """The smallest sample that is not below ``rank`` per cent of them (nearest rank)."""
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(len(ordered) * rank / 100) - 1)]


async def calibrate(routed: Routed, authority: Authority, clients: Sequence[str]) -> dict[str, list[float]]:
    """Measure the round trips of each client's path to the relay's place: client -> true seconds.

    Raises:
        WorldError: the path does not carry anything.
    """
    with routed.namespaces.within("relay"):
        made = socket.create_server(routed.relay_at)
    plain = trio.SocketListener(trio.socket.from_stdlib_socket(made))
    context = pki.server_context(authority.leaf_pem(routed.relay_name))
    trips: dict[str, list[float]] = {}
    with trio.move_on_after(CALIBRATION_S) as limit:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.serve_listeners, _echo, [trio.SSLListener(plain, context)])
            async with trio.open_nursery() as measuring:
                for client in clients:
                    trips[client] = []
                    measuring.start_soon(_measure, routed, authority, client, trips[client])
            nursery.cancel_scope.cancel()
    if limit.cancelled_caught:
        raise WorldError(f"the null path carries nothing within {CALIBRATION_S:g} s; nothing can be measured here")
    return trips


async def _echo(stream: "trio.SSLStream[trio.SocketStream]") -> None:
    try:
        async for data in stream:
            await stream.send_all(data)
    except trio.BrokenResourceError:
        pass  # a client of ours hung up


async def _measure(routed: Routed, authority: Authority, client: str, trips: list[float]) -> None:
    """One connection, ``SAMPLES`` round trips; each counts from when it was meant to begin."""
    with routed.namespaces.within(client):
        made = trio.socket.socket()
    with made:
        await made.connect((routed.namespaces.front(client, "relay"), routed.relay_port))
        context = pki.client_context(authority)
        stream = trio.SSLStream(trio.SocketStream(made), context, server_hostname=routed.relay_name)
        await stream.do_handshake()
        began = trio.current_time()
        for number in range(SAMPLES):
            meant = began + number * EVERY_S
            await trio.sleep_until(meant)
            await stream.send_all(MESSAGE)
            left = len(MESSAGE)
            while left:
                left -= len(await stream.receive_some(left))
            trips.append(trio.current_time() - meant)
