"""The harness's end of the tap's process: what it says becomes chunks of plaintext in the world's time.

Deliberately absent: what the bytes mean (``harness.sut.tap``).
"""

import base64
import json
import math
import sys
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import trio
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from harness.sut.tap import Chunk
from harness.worlds.wire.attendant import Attendant
from harness.worlds.wire.children import Children

type Place = Literal["link", "machine"]
"""Where bytes stay: on the way, or at a program that does not read."""


@dataclass
class Hold:
    """A span in which a client reads nothing of what the relay sends, although the tap, beside the relay, sees it leave.

    Attributes:
        actor: the client.
        began_at: world seconds.
        lost: what was sent meanwhile never arrives; else it does when the span is over.
        place: where it stays; what the link has let go of may still have to wait for the machine.
        conn: of one connection only.
        ended_at: world seconds; for ever if it does not end.
    """

    actor: str
    began_at: float
    lost: bool
    place: Place = "link"
    conn: int | str | None = None
    ended_at: float = math.inf

    def covers(self, chunk: Chunk) -> bool:
        """Whether a chunk was sent in the span."""
        of_it = chunk.actor == self.actor and self.conn in (None, chunk.conn)
        return of_it and chunk.direction == "in" and self.began_at <= chunk.t < self.ended_at


@dataclass(frozen=True)
class Own:
    """What a machine did at its own end of a connection, in world seconds.

    Attributes:
        said: when it gave bytes, in order.
        over_at: when it let go; for ever if it did not.
    """

    said: Sequence[float] = ()
    over_at: float = math.inf

    def said_before(self, t: float) -> float:
        """When it gave bytes last, up to ``t``; of bytes that came at ``t`` no later than they were said."""
        before = bisect_right(self.said, t)
        return self.said[before - 1] if before else t


type Owns = Mapping[int | str, Own]
"""Connection -> its client's own end, of those that were seen there."""

_UNSEEN = Own()


def delivered(chunks: Iterable[Chunk], holds: Sequence[Hold], owns: Owns = MappingProxyType({})) -> list[Chunk]:
    """What the clients wrote and read, and when.

    What was sent in a hold is lost, or comes at its end, if anybody still reads it there. What was said in one and crossed later was said then.
    """
    found: list[Chunk] = []
    for chunk in chunks:
        own = owns.get(chunk.conn, _UNSEEN)
        one = _said(chunk, holds, own) if chunk.direction == "out" else _read(chunk, holds, own)
        found += [one] if one is not None else []
    return sorted(found, key=lambda chunk: chunk.t)


def _said(chunk: Chunk, holds: Sequence[Hold], own: Own) -> Chunk:
    """Bytes that crossed after a hold in which they were said."""
    said_at = own.said_before(chunk.t)
    late = any(one.actor == chunk.actor and one.began_at <= said_at < one.ended_at <= chunk.t for one in holds)
    return chunk._replace(t=said_at) if late else chunk


def _read(chunk: Chunk, holds: Sequence[Hold], own: Own) -> Chunk | None:
    """Bytes as they are read, first past the link, then by the program; None if they never are."""
    for place in ("link", "machine"):
        hold = next((one for one in holds if one.place == place and one.covers(chunk)), None)
        if hold is None:
            continue
        if hold.lost or hold.ended_at == math.inf or (chunk.data and own.over_at <= hold.ended_at):
            return None
        chunk = chunk._replace(t=hold.ended_at)
    return chunk


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
        certificates: SHA-256 of a certificate's DER, in hexadecimal -> which one of the relay's it is.
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
    certificates: dict[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """What people call it."""
        return "the tap"

    def hold(self, actor: str, at: float, *, lost: bool, place: Place) -> None:
        """From now on a client reads nothing."""
        self.holds.append(Hold(actor, at, lost, place))

    def bury(self, actor: str, conn: int | str, at: float) -> None:
        """From now on a client reads nothing more of one of its connections."""
        self.holds.append(Hold(actor, at, lost=True, conn=conn))

    def release(self, actor: str, at: float, place: Place) -> None:
        """A place holds a client no more, but for what is buried."""
        for hold in self.holds:
            if (hold.actor, hold.place, hold.conn) == (actor, place, None):
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
            how = self.certificates.get(told["sha256"], "unknown")
            self.observe(self.relay, "certificate.shown", {"conn": conn, "how": how}, t)
        elif what == "dropped":
            self.observe(actor, "answer.dropped", {"conn": conn, "path": told["path"]}, t)

    def certify(self, certificate: Path, how: str) -> None:
        """From the next handshake on another certificate is shown; which one it was is told by its fingerprint, not by this wish."""
        self.learn(certificate, how)
        self.say({"certificate": str(certificate)})

    def learn(self, certificate: Path, how: str) -> None:
        """A certificate of the relay's is of this kind; the first word about it stands, or a wish could rename the one that is in place."""
        shown = x509.load_pem_x509_certificate(certificate.read_bytes())
        self.certificates.setdefault(shown.fingerprint(hashes.SHA256()).hex(), how)

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
    tap.learn(folder / "relay.pem", "good")
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
