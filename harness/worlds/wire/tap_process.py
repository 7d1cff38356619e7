"""The tap: mitmproxy beside the relay, in a process of its own; what crosses it goes as JSON lines to standard output.

Run as ``python tap_process.py '{"confdir", "certificate", "authorities", "name", "relay": [address, port], "taps": [{"actor", "listens"}]}'``. TLS
ends here with the relay's own certificate and begins anew towards the relay; what is inside passes as bytes, so nothing is buffered, rewritten or
understood: decoding is ``harness.sut.tap``'s. It says ``{"ready": true}``, then ``{"ns", "actor", "conn", "what", ...}`` with the true MONOTONIC:
``what`` is open (``port``: of the dialling side), dialled (``port``: from which), shown (``sha256``: of which certificate), out and in (``data``:
base64), dropped (``path``), closed, failed or unserved. It is told ``{"certificate": path}`` and ``{"drop": {"actor", "path", "count"}}``.
Deliberately absent: HTTP, but for the first line of a request whose answer is to be dropped.
"""

import asyncio
import base64
import json
import sys
import time
from typing import Any

from cryptography.hazmat.primitives import hashes
from mitmproxy import connection, ctx, options, tcp, tls
from mitmproxy.proxy import server_hooks
from mitmproxy.tools.dump import DumpMaster

LINE_BYTES = 65_536
"""Of what the tap is told; a path and a number are below 500."""


class Tap:
    """The addon: tells what crosses, shows the certificate of the moment, and lets answers vanish.

    Args:
        actors: port that is listened on -> who dials it.
        relay: address and port of the relay; its name is not asked for.
    """

    def __init__(self, actors: dict[int, str], relay: tuple[str, int]) -> None:
        self._actors, self._relay = actors, relay
        self._numbers: dict[str, int] = {}
        self._drops: dict[tuple[str, str], int] = {}
        self._muted: dict[str, str] = {}
        self._hearing: asyncio.Task[None] | None = None

    def _tell(self, client: connection.Client, what: str, **data: Any) -> None:
        number = self._numbers.setdefault(client.id, len(self._numbers) + 1)
        actor = self._actors[client.sockname[1]]
        told: dict[str, Any] = {"ns": time.monotonic_ns(), "actor": actor, "conn": number, "what": what}
        print(json.dumps(told | data), flush=True)  # noqa: T201 - standard output is what this program is for

    def running(self) -> None:
        """All ports are open."""
        self._hearing = asyncio.create_task(self._hear())
        print(json.dumps({"ready": True}), flush=True)  # noqa: T201 - same

    async def _hear(self) -> None:
        """Take what standard input says."""
        lines = asyncio.StreamReader(limit=LINE_BYTES)
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
        while line := await lines.readline():
            told = json.loads(line)
            if "drop" in told:
                self.drop(**told["drop"])
            else:
                ctx.options.update(  # type: ignore[no-untyped-call]
                    certs=[f"*={told['certificate']}"]
                )

    def drop(self, actor: str, path: str, count: int) -> None:
        """The next answers to an actor's requests of a path vanish; 0 disarms."""
        self._drops[actor, path] = count

    def client_connected(self, client: connection.Client) -> None:
        """Somebody dialled."""
        self._tell(client, "open", port=client.peername[1])

    def server_connect(self, data: server_hooks.ServerConnectionHookData) -> None:
        """The relay is where it was said to be, whatever its name."""
        data.server.address = self._relay

    def tls_start_client(self, data: tls.TlsData) -> None:
        """A certificate is shown: tell which one OpenSSL holds for this very connection, whatever the options say."""
        assert data.ssl_conn is not None  # mitmproxy's own addon, which stands before this one, has made it
        certificate = data.ssl_conn.get_certificate(as_cryptography=True)
        assert certificate is not None
        self._tell(data.context.client, "shown", sha256=certificate.fingerprint(hashes.SHA256()).hex())

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
        self._tell(data.client, "dialled", port=data.server.sockname[1])

    def server_connect_error(self, data: server_hooks.ServerConnectionHookData) -> None:
        """The relay does not answer."""
        self._tell(data.client, "unserved")

    def tcp_message(self, flow: tcp.TCPFlow) -> None:
        """Bytes crossed, or the answer that was to vanish."""
        message, client = flow.messages[-1], flow.client_conn
        if message.from_client:
            self._arm(client, message.content)
        if not message.from_client and client.id in self._muted:
            if path := self._muted[client.id]:
                self._tell(client, "dropped", path=path)
                self._muted[client.id] = ""
            message.content = b""
        else:
            what = "out" if message.from_client else "in"
            self._tell(client, what, data=base64.b64encode(message.content).decode())
        flow.messages.clear()

    def _arm(self, client: connection.Client, data: bytes) -> None:
        """From this request on a connection is silent, if the answer to it is to vanish."""
        words = data.split(b"\r\n", 1)[0].split(b" ")
        if not words[-1].startswith(b"HTTP/"):
            return
        path, actor = words[1].split(b"?")[0].decode("ascii", "replace"), self._actors[client.sockname[1]]
        for (who, template), count in self._drops.items():
            if who == actor and count and is_at(path, template):
                self._drops[who, template] = count - 1
                self._muted[client.id] = path
                return


def is_at(path: str, template: str) -> bool:
    """Whether a path is one of a template's; ``{...}`` in it stands for any one part."""
    parts, wanted = path.split("/"), template.split("/")
    same = (want == part or want.startswith("{") for part, want in zip(parts, wanted, strict=False))
    return len(parts) == len(wanted) and all(same)


async def main(setting: dict[str, Any]) -> None:
    """Tap until the process is ended."""
    name, relay = setting["name"], tuple(setting["relay"])
    modes = [f"reverse:tls://{name}:{relay[1]}@127.0.0.1:{one['listens']}" for one in setting["taps"]]
    master: Any = DumpMaster(
        options.Options(confdir=setting["confdir"], mode=modes), with_termlog=False, with_dumper=False
    )
    master.addons.get("errorcheck").repeat_errors_on_stderr = True  # else it keeps to itself why it does not start
    master.addons.add(Tap({one["listens"]: one["actor"] for one in setting["taps"]}, relay))
    master.options.update(
        certs=[f"*={setting['certificate']}"],
        ssl_verify_upstream_trusted_ca=setting["authorities"],
        connection_strategy="lazy",
        tcp_timeout=86_400,
    )
    await master.run()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
