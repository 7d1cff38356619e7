"""The harness does, once, in a host's namespace what a host must never do: it listens, and it dials the relay past any proxy.

Whatever counts such things has then counted something, so that a later zero means something (design section 6). Deliberately absent: traffic.
"""

import socket
from collections.abc import Callable

import trio

from harness.worlds.wire.namespaces import Namespaces
from harness.worlds.wire.routed import RELAY_PORT

PROBE_S = 1.0
"""True seconds that the direct dial may take; a rule that drops never answers."""


async def probe(namespaces: Namespaces, host: str, look: Callable[[], None]) -> None:
    """Listen, let ``look`` see it, then dial and hang up."""
    with namespaces.within(host):
        listener, dialler = socket.socket(), socket.socket()
        with listener:
            listener.bind((namespaces.address(host), 0))
            listener.listen(1)
            look()
    with trio.socket.from_stdlib_socket(dialler) as dialling, trio.move_on_after(PROBE_S):
        await dialling.connect((namespaces.front(host, "relay"), RELAY_PORT))
