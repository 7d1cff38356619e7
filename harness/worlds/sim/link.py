"""A link: the named way between two machines, and the rules in force on it.

A link knows how long things take on it and which of them never arrive; it holds no connections. Directions: 0 goes up (towards the second
machine of its name), 1 comes down. Deliberately absent: retransmission (``tcp``), who may dial whom (``network``).
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from harness.worlds.sim.clocks import NS

MSS = 1_460
"""Payload of a full-size TCP segment on Ethernet: 1500 B less 20 B IPv4 and 20 B TCP header."""

UP, DOWN = 0, 1
DIRECTIONS = ("up", "down")

type Fate = Literal["passes", "lost", "reset"]
type Refusal = Literal["rst", "silence"]


@dataclass(slots=True)
class LinkPolicy:
    """What a link does to segments.

    Attributes:
        latency_s: one way.
        jitter_s: up to so much more, evenly drawn, order kept.
        bytes_per_s: bandwidth in each direction; None is unlimited.
        loss: probability that a segment is lost and has to be sent again.
        segment_bytes: segments with a larger payload never arrive (an MTU hole); None is no limit.
        blocked: by direction, nothing passes.
        refuse: how new connections are answered; None lets them through.
        idle_s: a middlebox forgets flows that were silent for longer; None never.
        idle_notice: whether it then answers with a reset or with silence.
    """

    latency_s: float = 0.02
    jitter_s: float = 0.0
    bytes_per_s: float | None = None
    loss: float = 0.0
    segment_bytes: int | None = None
    blocked: list[bool] = field(default_factory=lambda: [False, False])
    refuse: Refusal | None = None
    idle_s: float | None = None
    idle_notice: Literal["none", "rst"] = "none"


@dataclass(slots=True)
class Passage:
    """What the way remembers of one connection.

    Attributes:
        heard_ns: true time of its last segment.
        forgotten: a middlebox dropped its table entry.
        dark: it leads nowhere any more (an end moved, or it was left half open), and nobody says so.
    """

    heard_ns: int
    forgotten: bool = False
    dark: bool = False


type AttemptCount = Callable[["Link", int, int, bool], None]


class Link:
    """The way between two machines.

    Args:
        name: ``a-b``; b is the end that lies up.
        policy: its rules; also what ``restore`` goes back to.
        rng: its own source of loss and jitter.
        count: told of every segment given to the link: (link, direction, bytes, passed).
    """

    def __init__(self, name: str, policy: LinkPolicy, rng: random.Random, count: AttemptCount) -> None:
        self.name = name
        self.policy = policy
        self.normal_latency_s, self.normal_jitter_s = policy.latency_s, policy.jitter_s
        self.normal_bytes_per_s = policy.bytes_per_s
        self._rng = rng
        self._count = count
        self._busy_until_ns = [0, 0]

    def fate(self, direction: int, size: int, passage: Passage | None, now_ns: int) -> Fate:
        """Decide about one segment that is given to the link now, and count the attempt.

        Args:
            direction: ``UP`` or ``DOWN``.
            size: payload bytes; a burst larger than ``MSS`` travels as full-size segments.
            passage: the connection's entry in the middlebox, None for a SYN.
            now_ns: true time.
        """
        fate = self._judge(direction, size, passage, now_ns)
        self._count(self, direction, size, fate == "passes")
        return fate

    def _judge(self, direction: int, size: int, passage: Passage | None, now_ns: int) -> Fate:
        policy = self.policy
        if policy.blocked[direction] or (passage is not None and passage.dark):
            return "lost"
        if passage is not None and self._forgets(passage, now_ns):
            return "reset" if policy.idle_notice == "rst" else "lost"
        if policy.segment_bytes is not None and min(size, MSS) > policy.segment_bytes:
            return "lost"
        if policy.loss and self._rng.random() < policy.loss:
            return "lost"
        if passage is not None:
            passage.heard_ns = now_ns
        return "passes"

    def _forgets(self, passage: Passage, now_ns: int) -> bool:
        idle_s = self.policy.idle_s
        if idle_s is not None and now_ns - passage.heard_ns > idle_s * NS:
            passage.forgotten = True
        return passage.forgotten

    def arrival_ns(self, direction: int, size: int, now_ns: int) -> int:
        """When a segment given to the link now arrives; bandwidth is taken by what was given before."""
        policy = self.policy
        start_ns = now_ns
        if policy.bytes_per_s is not None:
            start_ns = max(now_ns, self._busy_until_ns[direction]) + round(size / policy.bytes_per_s * NS)
            self._busy_until_ns[direction] = start_ns
        jitter_s = self._rng.random() * policy.jitter_s if policy.jitter_s else 0.0
        return start_ns + round((policy.latency_s + jitter_s) * NS)
