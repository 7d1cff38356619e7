"""The tap: mitmproxy beside the relay, in a process of its own; what crosses it goes as JSON lines to standard output.

Run as ``python tap_process.py '{"confdir", "certificate", "authorities", "taps": [{"actor", "listens", "upstream"}]}'``. TLS ends here with
the relay's own certificate and begins anew towards the relay; what is inside passes as bytes, so nothing is buffered, rewritten or understood:
decoding is ``harness.sut.tap``'s. Lines: ``{"ready": true}``, then ``{"ns", "actor", "conn", "what", "data"}`` with the true MONOTONIC and base64;
``what`` is open, dialled (``data``: from
which port), out, in, closed, failed or unserved. Deliberately absent: HTTP.
"""

import asyncio
import base64
import json
import sys
import time
from typing import Any

from mitmproxy import connection, options, tcp, tls
from mitmproxy.proxy import server_hooks
from mitmproxy.tools.dump import DumpMaster


class Tap:
    """The addon: tells what crosses.

    Args:
        actors: port that is listened on -> who dials it.
    """

    def __init__(self, actors: dict[int, str]) -> None:
        self._actors = actors
        self._numbers: dict[str, int] = {}

    def _tell(self, client: connection.Client, what: str, data: bytes = b"") -> None:
        number = self._numbers.setdefault(client.id, len(self._numbers) + 1)
        port = client.sockname[1]
        told: dict[str, Any] = {"ns": time.monotonic_ns(), "actor": self._actors[port], "conn": number, "what": what}
        if data:
            told["data"] = base64.b64encode(data).decode()
        print(json.dumps(told), flush=True)  # noqa: T201 - standard output is what this program is for

    def running(self) -> None:
        """All ports are open."""
        print(json.dumps({"ready": True}), flush=True)  # noqa: T201 - same

    def client_connected(self, client: connection.Client) -> None:
        """Somebody dialled."""
        self._tell(client, "open")

    def client_disconnected(self, client: connection.Client) -> None:
        """The dialling side is gone."""
        self._tell(client, "closed")

    def tls_failed_client(self, data: tls.TlsData) -> None:
        """The dialling side did not take the certificate, or spoke no TLS."""
        if isinstance(data.conn, connection.Client):
            self._tell(data.conn, "failed")

    def server_connected(self, data: server_hooks.ServerConnectionHookData) -> None:
        """The relay took the connection: tell from which port."""
        assert data.server.sockname is not None
        self._tell(data.client, "dialled", str(data.server.sockname[1]).encode())

    def server_connect_error(self, data: server_hooks.ServerConnectionHookData) -> None:
        """The relay does not answer."""
        self._tell(data.client, "unserved")

    def tcp_message(self, flow: tcp.TCPFlow) -> None:
        """Bytes crossed."""
        message = flow.messages[-1]
        self._tell(flow.client_conn, "out" if message.from_client else "in", message.content)
        flow.messages.clear()


async def main(setting: dict[str, Any]) -> None:
    """Tap until the process is ended."""
    modes = [f"reverse:tls://localhost:{one['upstream']}@127.0.0.1:{one['listens']}" for one in setting["taps"]]
    master: Any = DumpMaster(
        options.Options(confdir=setting["confdir"], mode=modes), with_termlog=False, with_dumper=False
    )
    master.addons.add(Tap({one["listens"]: one["actor"] for one in setting["taps"]}))
    master.options.update(
        certs=[f"*={setting['certificate']}"],
        ssl_verify_upstream_trusted_ca=setting["authorities"],
        connection_strategy="lazy",
        tcp_timeout=86_400,
    )
    await master.run()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
