"""The harness's end of the tap's process: what it says becomes chunks of plaintext in the world's time.

Deliberately absent: what the bytes mean (``harness.sut.tap``).
"""

import base64
import json
import math
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trio

from harness.sut.tap import Chunk
from harness.worlds.wire.attendant import Attendant
from harness.worlds.wire.children import Children


@dataclass
class Hold:
    """A span in which a client reads nothing of what the relay sends, although the tap, beside the relay, sees it leave.

    Attributes:
        actor: the client.
        began_at: world seconds.
        lost: what was sent meanwhile never arrives; else it does when the span is over.
        conn: of one connection only.
        ended_at: world seconds; for ever if it does not end.
    """

    actor: str
    began_at: float
    lost: bool
    conn: int | str | None = None
    ended_at: float = math.inf

    def covers(self, chunk: Chunk) -> bool:
        """Whether a chunk was sent in the span."""
        of_it = chunk.actor == self.actor and self.conn in (None, chunk.conn)
        return of_it and chunk.direction == "in" and self.began_at <= chunk.t < self.ended_at


def delivered(chunks: Iterable[Chunk], holds: Sequence[Hold]) -> list[Chunk]:
    """What the clients read, and when: what was sent in a hold is lost, or comes at its end."""
    found: list[Chunk] = []
    for chunk in chunks:
        hold = next((hold for hold in holds if hold.covers(chunk)), None)
        if hold is None:
            found.append(chunk)
        elif not hold.lost and hold.ended_at < math.inf:
            found.append(chunk._replace(t=hold.ended_at))
    return sorted(found, key=lambda chunk: chunk.t)


@dataclass
class Tap(Attendant):
    """One run's tap.

    Attributes:
        listens: actor -> port at which the tap takes its connections.
        time_of: true MONOTONIC nanoseconds -> the world's seconds.
        observe: takes what else it saw: actor, what, data, the world's seconds.
        relay: who shows the certificate.
        chunks: what the tap saw so far.
        ports: connection -> the port from which the tap speaks for it with the relay.
        holds: spans in which clients read nothing.
        order: actor -> its connections, in order of their beginning.
        sources: connection -> port of its dialling side.
    """

    listens: Mapping[str, int]
    time_of: Callable[[int], float]
    observe: Callable[[str, str, dict[str, Any], float], None]
    relay: str
    chunks: list[Chunk] = field(default_factory=list)
    ports: dict[int, int] = field(default_factory=dict)
    holds: list[Hold] = field(default_factory=list)
    order: "defaultdict[str, list[int]]" = field(default_factory=lambda: defaultdict(list))
    sources: dict[int, int] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """What people call it."""
        return "the tap"

    def hold(self, actor: str, at: float, *, lost: bool) -> None:
        """From now on a client reads nothing."""
        self.holds.append(Hold(actor, at, lost))

    def bury(self, actor: str, conn: int | str, at: float) -> None:
        """From now on a client reads nothing more of one of its connections."""
        self.holds.append(Hold(actor, at, lost=True, conn=conn))

    def release(self, actor: str, at: float) -> None:
        """A client reads again, but for what is buried."""
        for hold in self.holds:
            if hold.actor == actor and hold.conn is None:
                hold.ended_at = min(hold.ended_at, at)

    def take(self, told: dict[str, Any]) -> None:
        """Take one thing that the process said."""
        if told.get("ready"):
            self.ready.set()
            return
        t, actor, conn, what = round(self.time_of(told["ns"]), 9), told["actor"], told["conn"], told["what"]
        if what in ("out", "in"):
            self.chunks.append(Chunk(t, actor, conn, what, base64.b64decode(told["data"])))
        elif what == "dialled":
            self.ports[conn] = told["port"]
        elif what == "closed":
            self.chunks.append(Chunk(t, actor, conn, "in", b""))
        elif what == "open":
            self.order[actor].append(conn)
            self.sources[conn] = told["port"]
        elif what == "shown":
            self.observe(self.relay, "certificate.shown", {"conn": conn, "how": told["how"]}, t)
        elif what == "dropped":
            self.observe(actor, "answer.dropped", {"conn": conn, "path": told["path"]}, t)

    def certify(self, certificate: Path, how: str) -> None:
        """From the next handshake on another certificate is shown."""
        self.say({"certificate": str(certificate), "how": how})

    def drop(self, actor: str, path: str, count: int) -> None:
        """The next answers to an actor's requests of a path vanish; 0 disarms."""
        self.say({"drop": {"actor": actor, "path": path, "count": count}})


async def start(children: Children, nursery: trio.Nursery, tap: Tap, *, name: str, relay: tuple[str, int]) -> None:
    """Start the tap's process and wait until it listens.

    Args:
        children: who starts processes; its folder holds ``ca.pem`` and ``relay.pem``.
        nursery: where it is listened to.
        tap: takes what it says.
        name: in the relay's certificate.
        relay: where the relay will listen.

    Raises:
        WorldError: it does not start.
    """
    folder = children.folder
    setting = {
        "confdir": str(folder / "mitmproxy"),
        "certificate": str(folder / "relay.pem"),
        "authorities": str(folder / "ca.pem"),
        "name": name,
        "relay": relay,
        "taps": [{"actor": one, "listens": port} for one, port in tap.listens.items()],
    }
    script = Path(__file__).with_name("tap_process.py")
    command = [sys.executable, "-P", str(script), json.dumps(setting)]
    await tap.start(children, nursery, "tap", command, {"HOME": str(folder), "PATH": ""})
