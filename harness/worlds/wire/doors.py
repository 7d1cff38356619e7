"""Where a host listens, and the control of it: once, by our own hand, it listens and dials past any proxy.

Whatever counts such things has then counted something, so that a later zero means something (design section 6). Deliberately absent: the
kernel's table (``listeners``).
"""

import socket
from collections.abc import Callable
from dataclasses import dataclass, field

import trio

from harness.base.errors import WorldError
from harness.worlds.wire.listeners import listening
from harness.worlds.wire.routed import RELAY_PORT, Routed

PROBE_S = 1.0
"""True seconds that the direct dial may take; a rule that drops never answers."""
SETTLE_S = 0.05
"""True seconds after which the census has heard of the probe's last packet; it takes below one millisecond."""
LOOK_S = 0.2
"""True seconds between two looks; one takes 0.3 ms. A socket that listens for less may go unseen."""

type Record = Callable[..., object]


@dataclass
class Doors:
    """One host's.

    Args:
        routed: the ground.
        host: whose.
        record: takes ``socket.listening``.
        is_shut: a proxy is its only way out.
    """

    routed: Routed
    host: str
    record: Record
    is_shut: bool
    _told: set[str] = field(default_factory=set)

    def look(self) -> None:
        """Tell of what listens and was not told of."""
        with self.routed.namespaces.within(self.host):
            found = listening()
        probe = {"probe": True} if self.routed.census.probing else {}
        for address in sorted(found - self._told):
            self._told.add(address)
            self.record("os", "socket.listening", address=address, **probe)

    async def keep_looking(self) -> None:
        """Look until cancelled."""
        while True:
            self.look()
            await trio.sleep(LOOK_S)

    async def probe(self) -> None:
        """Listen and be seen, then dial the relay and hang up.

        Raises:
            WorldError: the machine is shut, and yet the dial was answered.
        """
        census, namespaces = self.routed.census, self.routed.namespaces
        census.probing = self.host
        with namespaces.within(self.host):
            listener, dialler = socket.socket(), socket.socket()
        with listener:
            listener.bind((namespaces.address(self.host), 0))
            listener.listen(1)
            self.look()
        address = namespaces.front(self.host, "relay"), RELAY_PORT
        with trio.socket.from_stdlib_socket(dialler) as dialling, trio.move_on_after(PROBE_S) as patience:
            await _dial(dialling, address, is_shut=self.is_shut)
        if self.is_shut and not patience.cancelled_caught:
            raise WorldError(
                f"a dial of {self.host} past its proxy was answered by {address[0]}: its way out is not shut"
            )
        await trio.sleep(SETTLE_S)
        census.probing = ""


async def _dial(dialling: trio.socket.SocketType, address: tuple[str, int], *, is_shut: bool) -> None:
    """Dial; where nothing may answer a refusal is an answer, too."""
    try:
        await dialling.connect(address)
    except ConnectionError:
        if not is_shut:
            raise
