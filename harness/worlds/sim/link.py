"""A link: the named way between two machines, and the rules in force on it.

A link knows how long things take on it, which of them never arrive and which it keeps back; it knows no connections. Directions: 0 goes up
(towards the second machine of its name), 1 comes down. Deliberately absent: retransmission (``tcp``), who may dial whom (``network``).
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from harness.worlds.sim.clocks import NS
from harness.worlds.sim.traffic import Traffic

MSS = 1_460
"""Payload of a full-size TCP segment on Ethernet: 1500 B less 20 B IPv4 and 20 B TCP header."""

UP, DOWN = 0, 1

type Fate = Literal["passes", "lost", "held", "reset"]
type Refusal = Literal["rst", "silence"]
type Notice = Literal["none", "rst"]
type Came = Callable[[], None]
"""To be called when something that a link had kept has come to the other side's machine."""


@dataclass(slots=True)
class LinkPolicy:
    """What a link does to segments.

    Attributes:
        latency_s: one way.
        jitter_s: up to so much more, evenly drawn, order kept.
        bytes_per_s: bandwidth in each direction; None is unlimited.
        loss: probability that a segment is lost and has to be sent again.
        segment_bytes: segments with a larger payload never arrive (an MTU hole); None is no limit.
        limit_bytes: by direction, what a new connection may carry before it is ended; None is no limit.
        blocked: by direction, nothing passes.
        held: by direction, whatever comes is taken in the other side's place, and kept.
        refuse: how new connections are answered; None lets them through.
        idle_s: a middlebox forgets flows that were silent for longer; None never.
        idle_notice: whether it then answers with a reset or with silence.
    """

    latency_s: float = 0.02
    jitter_s: float = 0.0
    bytes_per_s: float | None = None
    loss: float = 0.0
    segment_bytes: int | None = None
    limit_bytes: list[int | None] = field(default_factory=lambda: [None, None])
    blocked: list[bool] = field(default_factory=lambda: [False, False])
    held: list[bool] = field(default_factory=lambda: [False, False])
    refuse: Refusal | None = None
    idle_s: float | None = None
    idle_notice: Notice = "none"


@dataclass(slots=True)
class Passage:
    """What the way remembers of one connection.

    Attributes:
        connection: its number.
        heard_ns: true time of its last segment.
        forgotten: why nothing of it passes any more: ``idle``, ``moved``, ``half_open``, ``limited``; empty while it does.
        notice: whether its segments are then answered with a reset.
        mute: a direction in which an answer is to vanish.
        on_muted: called once, when it did.
    """

    connection: int
    heard_ns: int
    forgotten: str = ""
    notice: Notice = "none"
    mute: int | None = None
    on_muted: Callable[[], None] | None = None


class Link:
    """The way between two machines.

    Args:
        name: ``a-b``; b is the end that lies up.
        policy: its rules.
        rng: its own source of loss and jitter.
        traffic: counts what is given to the link.

    Attributes:
        normal: latency, jitter, bandwidth and loss without any fault; faults restore them. Set it with ``become``.
    """

    def __init__(self, name: str, policy: LinkPolicy, rng: random.Random, traffic: Traffic) -> None:
        self.name, self.policy, self.traffic = name, policy, traffic
        self.normal = LinkPolicy(policy.latency_s, policy.jitter_s, policy.bytes_per_s, policy.loss)
        self.counted: set[str] = set()
        self._rng = rng
        self._busy_until_ns = [0, 0]
        self._kept: list[tuple[int, int, Callable[[Came], None]]] = []

    def become(self, normal: LinkPolicy) -> None:
        """Change what the link is like without any fault."""
        self.normal = normal
        policy = self.policy
        policy.latency_s, policy.jitter_s = normal.latency_s, normal.jitter_s
        policy.bytes_per_s, policy.loss = normal.bytes_per_s, normal.loss

    def fate(self, direction: int, size: int, passage: Passage, now_ns: int) -> Fate:
        """Decide about one segment of a connection that is given to the link now, and count it.

        Args:
            direction: ``UP`` or ``DOWN``.
            size: payload bytes; a burst larger than ``MSS`` travels as full-size segments.
            passage: the connection's entry.
            now_ns: true time.
        """
        fate = self._judge(direction, size, passage, now_ns)
        if fate in ("passes", "held"):
            passage.heard_ns = now_ns
        elif passage.forgotten:
            self.traffic.flow_lost(self.name, passage.connection, size)
        self._count(direction, size, fate)
        return fate

    def syn_fate(self, direction: int, now_ns: int) -> Fate:
        """Decide about a SYN: refused ones never pass."""
        refuse = self.policy.refuse
        if refuse is None:
            return self.fate(direction, 0, Passage(0, now_ns), now_ns)
        fate: Fate = "reset" if refuse == "rst" and not self.policy.blocked[direction] else "lost"
        self._count(direction, 0, fate)
        return fate

    def _count(self, direction: int, size: int, fate: Fate) -> None:
        segments = -(-size // MSS) or 1
        self.traffic.given(self.name, direction, segments, size, min(size, MSS), passed=fate == "passes")

    def _judge(self, direction: int, size: int, passage: Passage, now_ns: int) -> Fate:
        policy = self.policy
        if policy.blocked[direction]:
            return "lost"
        if passage.mute == direction:
            if passage.on_muted is not None:
                passage.on_muted()
                passage.on_muted = None
            return "lost"
        if policy.idle_s is not None and not passage.forgotten and now_ns - passage.heard_ns > policy.idle_s * NS:
            self.forget(passage, "idle", policy.idle_notice)
        if passage.forgotten:
            return "reset" if passage.notice == "rst" else "lost"
        if policy.segment_bytes is not None and min(size, MSS) > policy.segment_bytes:
            self.traffic.held("link.capped", self.name, direction, None)
            return "lost"
        if policy.loss and self._rng.random() < policy.loss:
            self.traffic.held("link.lost", self.name, direction, 0.2)
            return "lost"
        return "held" if policy.held[direction] else "passes"

    def keep(self, direction: int, now_ns: int, go_on: Callable[[Came], None]) -> None:
        """Take something whose fate is ``held``; ``go_on`` is called when the link lets go of it, and is to call what it is given on arrival."""
        self._kept.append((direction, now_ns, go_on))

    def let_go(self, now_ns: int) -> None:
        """Keep nothing back any more; what was kept goes on in the order in which it came."""
        self.policy.held[:] = [False, False]
        kept, self._kept = self._kept, []
        for direction, since_ns, go_on in kept:
            go_on(partial(self.traffic.held, "link.kept", self.name, direction, (now_ns - since_ns) / NS))

    def forget(self, passage: Passage, why: str, notice: Notice = "none") -> None:
        """Let nothing of a connection pass any more."""
        passage.forgotten, passage.notice = why, notice
        self.traffic.forgotten(self.name, passage.connection, why, notice)

    def limit(self, passage: Passage, direction: int, passed: int, lost: int, *, ended: bool) -> None:
        """A connection has carried what it may: nothing more passes, and whoever sends is told so. Not ``ended`` there: it carried more."""
        passage.forgotten, passage.notice = "limited", "rst"
        self.traffic.limited(self.name, passage.connection, direction, passed, lost, ended=ended)

    def arrival_ns(self, direction: int, size: int, now_ns: int) -> int:
        """When a segment given to the link now arrives; bandwidth is taken by what was given before."""
        policy = self.policy
        start_ns = now_ns
        if policy.bytes_per_s is not None:
            start_ns = max(now_ns, self._busy_until_ns[direction]) + round(size / policy.bytes_per_s * NS)
            self._busy_until_ns[direction] = start_ns
            if "rate" in self.counted:
                self.traffic.held("link.throttled", self.name, direction, (start_ns - now_ns) / NS)
        delay_s = policy.latency_s + (self._rng.random() * policy.jitter_s if policy.jitter_s else 0.0)
        if "delay" in self.counted:
            self.traffic.held("link.delayed", self.name, direction, delay_s)
        return start_ns + round(delay_s * NS)
