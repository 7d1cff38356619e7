"""A program of ours that does, once, what a host must never do: it listens, and it dials past the proxy.

Whatever counts such things has then counted something, so that a later zero means something (design section 6). Deliberately absent: traffic.
"""

import trio

PROBE_S = 3.0
"""Longest time that the direct dial may take: a firewall that drops never answers."""


async def probe(address: str, port: int) -> None:
    """Listen for an instant, then dial ``address:port`` directly and hang up."""
    for listener in await trio.open_tcp_listeners(0):
        await listener.aclose()
    with trio.move_on_after(PROBE_S):
        try:
            stream = await trio.open_tcp_stream(address, port)
        except OSError:
            return  # refused by a firewall: it was counted, which is all that is wanted
        await stream.aclose()
