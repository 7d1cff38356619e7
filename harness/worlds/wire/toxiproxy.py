"""The real toxiproxy-server on a link, one process for each, by way of toxiproxy-python, which is repaired here.

Measured (November 2026, 2.12.0): the client has no time-out, keeps one address for the whole Python process, honours HTTP_PROXY, swallows a 500 and
believes what it asked for. Deliberately absent: which toxics make which fault (``operations``), where the server comes from
(``toxiproxy_server``).
"""

import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import requests
import toxiproxy
import toxiproxy.api
import trio

from harness.base.errors import WorldError
from harness.worlds.wire.children import Child, Children
from harness.worlds.wire.ports import free_port
from harness.worlds.wire.toxiproxy_server import VERSION, server_program

CALL_S = 5.0
"""A call takes 1 ms; one that a wedged server does not answer would hang for ever."""
START_S = 10.0
"""From start to the first answer it takes 11 ms."""

REFUSED = frozenset({400, 404, 409})
"""What the client makes errors of its own of: a value that the server does not take, what is not there, what is there already."""


class _Session:
    """What toxiproxy-python takes for the module ``requests``: with a time-out, without the environment, and not silent about a 500."""

    def __init__(self) -> None:
        session = requests.Session()
        session.trust_env = False

        def ask(method: str, url: str, **given: Any) -> requests.Response:
            try:
                answer = session.request(method, url, timeout=CALL_S, **given)
            except requests.RequestException as error:
                raise WorldError(f"toxiproxy does not answer {method} {url}: {type(error).__name__}") from error
            if answer.status_code >= 500 or answer.status_code in REFUSED:
                raise WorldError(f"toxiproxy cannot {method} {url}: {answer.text.strip()[:200]}")
            return answer

        self.module = SimpleNamespace(
            get=lambda url, **given: ask("GET", url, **given),
            post=lambda url, **given: ask("POST", url, **given),
            delete=lambda url, **given: ask("DELETE", url, **given),
        )


STREAMS = ("upstream", "downstream")


@dataclass(frozen=True, slots=True)
class Shape:
    """What a line is like; absent = as the machine gives it.

    Attributes:
        latency_s: one way, world seconds.
        jitter_s: up to so much more, one way.
        bytes_per_s: each way, of the world's seconds.
    """

    latency_s: float = 0.0
    jitter_s: float = 0.0
    bytes_per_s: float | None = None

    def toxics(self, rate: float) -> dict[str, dict[str, int]]:
        """Kind -> attributes that make it so while the world gains ``rate`` seconds a second.

        The server counts in whole milliseconds and kilobytes; its jitter goes both ways, ours only adds.
        """
        found: dict[str, dict[str, int]] = {}
        if self.latency_s or self.jitter_s:
            half_s = self.jitter_s / 2
            found["latency"] = {
                "latency": max(1, round((self.latency_s + half_s) * 1000 / rate)),
                "jitter": round(half_s * 1000 / rate),
            }
        if self.bytes_per_s is not None:
            found["bandwidth"] = {"rate": max(1, round(self.bytes_per_s * rate / 1000))}
        return found


@dataclass
class LinkProxy:
    """One link's server and its one proxy.

    Attributes:
        child: the server's process.
        port: of its API.
        listens: ``address:port`` at which the dialling side finds the other.
        leads: ``address:port`` of the other.
        shape: what the line is like.
    """

    child: Child
    port: int
    listens: str = ""
    leads: str = ""
    shape: Shape = Shape()
    _standing: set[str] = field(default_factory=set)
    _proxy: Any = None
    _toxics: list[str] = field(default_factory=list)
    _shaped: dict[str, dict[str, int]] = field(default_factory=dict)

    def lay(self, listen: str, upstream: str) -> None:
        """Make the proxy between two addresses with ports.

        Raises:
            WorldError: the server cannot listen there.
        """
        self._here()
        self._proxy = toxiproxy.Toxiproxy().create(upstream=upstream, name="link", listen=listen)
        self.listens, self.leads, self._shaped = str(self._proxy.listen), upstream, {}

    def lead(self, upstream: str) -> None:
        """Lead to somebody else from now on; what is open ends."""
        self._here()
        self._proxy.destroy()
        self.lay(self.listens, upstream)

    @property
    def stands(self) -> bool:
        """Whether the server is stopped: the kernel takes what both sides say, new connections too, and nothing passes (measured, lossless)."""
        return bool(self._standing)

    def stand(self, why: str) -> None:
        """Stop the server; its interface answers no more. ``why`` tells one reason from another."""
        self._standing.add(why)
        self.child.signal(signal.SIGSTOP)
        # It may serve another request in the meantime (measured: 2 of 40), and takes 2 ms at most to stand.
        with suppress(ChildProcessError):  # it is gone, which the vigil tells
            os.waitid(os.P_PID, self.child.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def go_on(self, why: str) -> None:
        """A reason is gone; with the last one the server passes on at once what was kept."""
        if self._standing == {why}:
            self.child.signal(signal.SIGCONT)
        self._standing.discard(why)

    def add(self, kind: str, stream: str, **attributes: int) -> None:
        """Add a toxic; ``stream`` is one of ``STREAMS``.

        Raises:
            WorldError: the server does not have it afterwards.
        """
        self._here()
        self._toxics.append(self._added(kind, stream, attributes))

    def _added(self, kind: str, stream: str, attributes: dict[str, int]) -> str:
        name = f"{kind}_{stream}"
        self._proxy.add_toxic(type=kind, stream=stream, name=name, attributes=attributes)
        self._check(name, attributes)
        return name

    def _check(self, name: str, attributes: dict[str, int]) -> None:
        has = self._proxy.get_toxic(name)
        if has is None or any(has.attributes.get(key) != value for key, value in attributes.items()):
            raise WorldError(f"toxiproxy took the toxic {name} for something else: {has and has.attributes}")

    def clear(self, *kinds: str, streams: Sequence[str] = STREAMS) -> None:
        """Remove what ``add`` added of some kinds, last first: a time-out that goes before its slow close leaves a dead connection (measured).

        Raises:
            WorldError: the server still has one of them.
        """
        self._here()
        wanted = {f"{kind}_{stream}" for kind in kinds for stream in streams}
        for name in [name for name in reversed(self._toxics) if name in wanted]:
            self._removed(name)
            self._toxics.remove(name)

    def keep_shape(self, rate: float) -> None:
        """Have the line be of its shape while the world gains ``rate`` seconds a second; nothing is lost by a change (measured)."""
        wanted = self.shape.toxics(rate)
        if wanted == self._shaped:
            return
        self._here()
        for kind, attributes in wanted.items():
            for stream in STREAMS:
                if kind in self._shaped:
                    self._update(f"{kind}_{stream}", attributes)
                else:
                    self._added(kind, stream, attributes)
        for kind in self._shaped.keys() - wanted.keys():
            for stream in STREAMS:
                self._removed(f"{kind}_{stream}")
        self._shaped = wanted

    def _removed(self, name: str) -> None:
        self._proxy.destroy_toxic(name)
        if self._proxy.get_toxic(name) is not None:
            raise WorldError(f"toxiproxy kept the toxic {name}")

    def _update(self, name: str, attributes: dict[str, int]) -> None:
        url = f"http://127.0.0.1:{self.port}/proxies/link/toxics/{name}"
        toxiproxy.api.requests.post(url, json={"attributes": attributes})
        self._check(name, attributes)

    def drop_connections(self) -> None:
        """End what is open: FIN to both sides, RST where something unread was left (measured)."""
        self._here()
        self._proxy.disable()
        self._proxy.enable()
        self._proxy = toxiproxy.Toxiproxy().get_proxy("link")
        if not self._proxy.enabled:
            raise WorldError("toxiproxy did not open its port again")

    def _here(self) -> None:
        """The client has one address for the whole process: it is this link's from here to the end of the call."""
        toxiproxy.Toxiproxy().update_api_consumer("127.0.0.1", self.port)


async def start(children: Children, name: str) -> LinkProxy:
    """Start the server of one link and wait until it answers.

    Raises:
        WorldError: it cannot be had, or does not answer.
    """
    toxiproxy.api.requests = _Session().module
    port = free_port()
    command = [str(server_program()), "-host", "127.0.0.1", "-port", str(port)]
    child = await children.start(f"toxiproxy.{name}", command, {"LOG_LEVEL": "error"}, talks=False)
    with trio.move_on_after(START_S):
        while child.process.returncode is None:
            try:
                stream = await trio.open_tcp_stream("127.0.0.1", port)
            except OSError:
                await trio.sleep(0.005)
            else:
                await stream.aclose()
                _check_server(port)
                return LinkProxy(child, port)
    left = child.process.returncode
    how = f"it does not answer within {START_S:g} s" if left is None else f"it left with {left}"
    raise WorldError(f"toxiproxy for {name} does not start: {how}: {child.last_words() or 'without a word'}")


def _check_server(port: int) -> None:
    """Whoever had the port before is no server of ours, which starts with no proxy; ours could not start then."""
    answer = toxiproxy.api.requests.get(f"http://127.0.0.1:{port}/version")
    if VERSION not in answer.text or toxiproxy.api.requests.get(f"http://127.0.0.1:{port}/proxies").json():
        raise WorldError(f"somebody else answers at port {port}, not our toxiproxy-server {VERSION}; try again")
