"""A captive portal for machines without a proxy: plain HTTP is redirected, TLS is met with a certificate that nobody trusts.

Deliberately absent: the hijacked name resolution and the closed firewall; ``middlebox.CaptivePortal`` sees to them.
"""

from functools import partial
from typing import TYPE_CHECKING

import trio

from harness.worlds import pki
from harness.worlds.sim.http_wire import Reader
from harness.worlds.way_out import PORTAL_NAME, TO_PORTAL

if TYPE_CHECKING:
    from harness.worlds.sim.middlebox import Middlebox


class Portal:
    """The portal's program."""

    def __init__(self, box: "Middlebox") -> None:
        self._box = box

    async def run(self) -> None:
        """Serve HTTP and HTTPS until the machine is killed."""
        async with trio.open_nursery() as nursery:
            for port, serve in ((80, self._redirect), (443, self._meet)):
                listeners = await trio.open_tcp_listeners(port, host=self._box.address)
                nursery.start_soon(partial(trio.serve_listeners, serve, listeners))

    async def _redirect(self, client: trio.SocketStream) -> None:
        async with client:
            await self._answer(client, client)

    async def _answer(self, client: trio.SocketStream, stream: trio.abc.Stream) -> None:
        try:
            with trio.move_on_after(30):
                if await Reader(stream).head() is not None:
                    self._box.note("answered", conn=client.socket.connection_number, status=TO_PORTAL.status)  # type: ignore[attr-defined]
                    await stream.send_all(TO_PORTAL.raw)
        except trio.BrokenResourceError:
            pass  # the client did not like the certificate

    async def _meet(self, client: trio.SocketStream) -> None:
        self._box.note("inspected", conn=client.socket.connection_number, ca="untrusted")  # type: ignore[attr-defined]
        context = pki.server_context(self._box.sim.corporate_authority.leaf_pem(PORTAL_NAME, "untrusted"))
        async with client:
            await self._answer(client, trio.SSLStream(client, context, server_side=True, https_compatible=True))
