"""The harness's end of what stands in a machine's way out: a corporate proxy, or a portal, each a process of its own.

What it did becomes the events ``middlebox.*`` of docs/spec/history.md, what was heard in tunnels that it opened becomes chunks of plaintext. Times
are the world's, so it is decided here when a tunnel was idle for too long. Deliberately absent: what a middlebox does (``proxy_process``), and
how the machine's packets come to it (``ground``).
"""

import base64
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import trio

from harness.base.errors import WorldError
from harness.sut.tap import Chunk
from harness.worlds.way_out import Settings
from harness.worlds.wire.attendant import Attendant
from harness.worlds.wire.children import Children
from harness.worlds.wire.warp import WorldClock

IDLE_POLL_S = 0.02
"""True seconds between two looks for idle tunnels at most: 1.2 s of the world at x60."""

type Observe = Callable[[str, str, dict[str, Any], float], None]
"""Takes an observation: actor, what, data, the world's seconds."""

_PLAIN = ("passed", "answered", "inspected", "rewrote")
"""What is told as it comes."""


@dataclass
class Middlebox(Attendant):
    """What stands in one machine's way out.

    Attributes:
        machine: whose.
        kind: which of the two it is.
        given: how it behaves without any fault; of a proxy only.
        clock: of the world.
        observe: takes what it did.
        hear: takes what the machine's client said and read where its TLS ended here.
        names: name of a relay -> the actor that it is.
        settings: how it behaves now.
        listens: the port of its first place, once it is ready.
        order: its connections, in order of their beginning.
        leads: own port of the middlebox towards the tap -> the connections that it was used for, in order.
    """

    machine: str
    kind: Literal["proxy", "portal"]
    given: Settings
    clock: WorldClock
    observe: Observe
    hear: Callable[[Chunk], None]
    names: Mapping[str, str]
    settings: Settings = field(init=False)
    listens: int = 0
    order: list[str] = field(default_factory=list)
    leads: "defaultdict[int, list[str]]" = field(default_factory=lambda: defaultdict(list))
    _opened: set[int] = field(default_factory=set)
    _moved: dict[int, int] = field(default_factory=dict)
    _asked: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.settings = self.given

    def tunnels(self, ports: Iterable[tuple[int, int]]) -> dict[int | str, str]:
        """The tap's connections and their ports on this side, in order -> the machine's connections that led there."""
        left = {port: iter(labels) for port, labels in self.leads.items()}
        found = {conn: next(left.get(port, iter(())), None) for conn, port in ports}
        return {conn: label for conn, label in found.items() if label is not None}

    # --- settings

    def change(self, wanted: Mapping[str, Any]) -> None:
        """The operation ``middlebox``: an absent setting stays, None is what was given; ``drop_tunnels`` is done once.

        Raises:
            WorldError: an unknown setting.
        """
        own = {name: to for name, to in wanted.items() if name != "drop_tunnels"}
        self.settings = self.settings.changed(self.given, own)
        self.say({"settings": asdict(self.settings), "drop": bool(wanted.get("drop_tunnels"))})

    @property
    def title(self) -> str:
        """What people call it."""
        return f"the {self.kind} of {self.machine}"

    def label(self, conn: int) -> str:
        """A connection's name in the history: its own, for the tap numbers others."""
        return f"{self.machine}.{self.kind}/{conn}"

    def _onward(self, conn: int) -> str:
        """The name of the connection that the middlebox itself makes for one."""
        return f"{self.label(conn)}/onward"

    # --- what it says

    def take(self, told: dict[str, Any]) -> None:
        """Take one thing that the process said; raises as ``Attendant.take``."""
        if "error" in told:
            raise WorldError(f"{self.title} broke: {told['error']}")
        if told.get("ready"):
            self.listens = told["listens"]
            self.ready.set()
            return
        conn, what, ns = told.pop("conn"), told.pop("what"), told.pop("ns")
        t = round(self.clock.of(ns), 9)
        if what in ("out", "in"):
            self.hear(Chunk(t, self.machine, self.label(conn), what, base64.b64decode(told["data"])))
        elif what in _PLAIN:
            self._observe(conn, what, told, t)
        _KEPT.get(what, _nothing)(self, conn, told, t)
        if what in ("passed", "moved"):
            self._moved[conn] = ns

    def _observe(self, conn: int, what: str, data: dict[str, Any], t: float) -> None:
        self.observe(self.machine, f"middlebox.{what}", {"conn": self.label(conn)} | data, t)

    def _began(self, conn: int, _told: dict[str, Any], _t: float) -> None:
        self.order.append(self.label(conn))

    def _open(self, conn: int, _told: dict[str, Any], _t: float) -> None:
        self._opened.add(conn)

    def _held(self, conn: int, told: dict[str, Any], t: float) -> None:
        self._observe(conn, "held", {"bytes": told["bytes"], "held_s": t - self.clock.of(told["since_ns"])}, t)

    def _cut(self, conn: int, told: dict[str, Any], t: float) -> None:
        self._observe(conn, "cut", {"idle_s": t - self.clock.of(told["last_ns"])}, t)

    def _dialled(self, conn: int, told: dict[str, Any], t: float) -> None:
        if told["by"]:
            self.leads[told["by"]].append(self.label(conn))
        to = {"to": self.names.get(told["host"], told["host"]), "address": told["host"], "port": told["port"]}
        told = {"conn": self._onward(conn), "link": f"{self.machine}-relay"} | to | {"via": "direct", "allowed": True}
        self.observe(f"{self.machine}.{self.kind}", "socket.dialled", told, t)

    def _spoke(self, conn: int, told: dict[str, Any], t: float) -> None:
        data = {"conn": self._onward(conn), "link": f"{self.machine}-relay", "tls": told["tls"]}
        self.observe(f"{self.machine}.{self.kind}", "socket.spoke", data, t)

    def _closed(self, conn: int, _told: dict[str, Any], t: float) -> None:
        self._moved.pop(conn, None)
        if conn in self._opened:
            self.hear(Chunk(t, self.machine, self.label(conn), "in", b""))

    # --- time

    async def cut_idle(self) -> None:
        """Have tunnels that are idle for too long ended, until cancelled; whatever moves in between saves them."""
        while True:
            wait_s = IDLE_POLL_S
            if self.settings.idle_s is not None:
                for conn, last_ns in self._moved.items():
                    due = self.clock.of(last_ns) + self.settings.idle_s
                    if self.clock.now < due:
                        wait_s = min(wait_s, max(self.clock.true_s_until(due), 0.0))
                    elif self._asked.get(conn) != last_ns:
                        self._asked[conn] = last_ns
                        self.say({"cut": conn, "last_ns": last_ns})
            await trio.sleep(wait_s + 0.001)


_KEPT: dict[str, Callable[[Middlebox, int, dict[str, Any], float], None]] = {
    "open": Middlebox._began,  # noqa: SLF001 - the table belongs to the class
    "inspected": Middlebox._open,  # noqa: SLF001
    "held": Middlebox._held,  # noqa: SLF001
    "cut": Middlebox._cut,  # noqa: SLF001
    "dialled": Middlebox._dialled,  # noqa: SLF001
    "spoke": Middlebox._spoke,  # noqa: SLF001
    "closed": Middlebox._closed,  # noqa: SLF001
}
"""What more is made of what it says."""


def _nothing(_box: Middlebox, _conn: int, _told: dict[str, Any], _t: float) -> None:
    """Most of it is nothing more."""


async def start(
    children: Children,
    nursery: trio.Nursery,
    box: Middlebox,
    *,
    seed: int,
    places: Sequence[str],
    upstreams: Mapping[str, tuple[str, int]],
) -> None:
    """Start a middlebox's process and wait until it listens.

    Args:
        children: who starts processes; its folder holds ``ca.pem``.
        nursery: where it is listened to.
        box: takes what it says.
        seed: of the corporate authority.
        places: ``address:port`` at which it listens; port 0 is any.
        upstreams: where tunnels lead that are ``raw``, and those that are ``opened``.

    Raises:
        WorldError: it does not start.
    """
    folder = children.folder
    setting = {
        "kind": box.kind,
        "places": places,
        "confdir": str(folder / f"mitmproxy.{box.machine}.{box.kind}"),
        "authorities": str(folder / "ca.pem"),
        "seed": seed,
        "upstreams": upstreams,
        "settings": asdict(box.settings),
    }
    command = [sys.executable, "-P", "-m", "harness.worlds.wire.proxy_process", json.dumps(setting)]
    environ = {"HOME": str(folder), "PATH": ""}
    await box.start(children, nursery, f"{box.machine}.{box.kind}", command, environ)
    nursery.start_soon(box.cut_idle)
