"""What the relay can truthfully say about a host: a transition table over what is known of the two directions.

Sleep and outage look alike from here: both are ``offline``, and neither ends a session.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Phase(StrEnum):
    """Where a session's host is; ``ended`` is final."""

    CONNECTING = "connecting"
    ONLINE = "online"
    DEGRADED = "degraded"
    OFFLINE = "offline"
    ENDED = "ended"


class Sign(StrEnum):
    """What is known of a host at one moment."""

    BOTH = "both directions work"
    SETTLING = "just registered, or the relay just started: not yet known"
    ONE = "one direction only"
    NEITHER = "nothing heard within the silence limit"
    END = "the session has ended"


TRANSITIONS: dict[Phase, dict[Sign, Phase]] = {
    Phase.CONNECTING: {
        Sign.BOTH: Phase.ONLINE,
        Sign.SETTLING: Phase.CONNECTING,
        Sign.ONE: Phase.DEGRADED,
        Sign.NEITHER: Phase.OFFLINE,
        Sign.END: Phase.ENDED,
    },
    Phase.ONLINE: {
        Sign.BOTH: Phase.ONLINE,
        Sign.SETTLING: Phase.DEGRADED,
        Sign.ONE: Phase.DEGRADED,
        Sign.NEITHER: Phase.OFFLINE,
        Sign.END: Phase.ENDED,
    },
    Phase.DEGRADED: {
        Sign.BOTH: Phase.ONLINE,
        Sign.SETTLING: Phase.DEGRADED,
        Sign.ONE: Phase.DEGRADED,
        Sign.NEITHER: Phase.OFFLINE,
        Sign.END: Phase.ENDED,
    },
    Phase.OFFLINE: {
        Sign.BOTH: Phase.ONLINE,
        Sign.SETTLING: Phase.CONNECTING,
        Sign.ONE: Phase.DEGRADED,
        Sign.NEITHER: Phase.OFFLINE,
        Sign.END: Phase.ENDED,
    },
    Phase.ENDED: {Sign.END: Phase.ENDED},
}
"""Phase -> sign -> phase. A miss is a bug of ours: an ended session is not looked at again."""


@dataclass(frozen=True, slots=True)
class Presence:
    """A phase, why, and since when (wall seconds)."""

    phase: Phase
    reason: str | None
    since: float

    def to_json(self) -> dict[str, Any]:
        """The object of docs/spec/protocol.md."""
        return {"state": self.phase.value, "reason": self.reason, "since": self.since}


@dataclass(slots=True)
class Liveness:
    """Evidence about one host, in awake seconds of the relay; never stored, because a restart makes all of it stale.

    Attributes:
        settles_at: until then silence means nothing yet.
        up_at: an outbox or a registration was received.
        inbox_at: the inbox was asked for, or a bounded poll of it ended.
        inbox: request id of the open inbox, a stream or a poll, or None.
        polling: the inbox is asked for by bounded polls; between two of them nothing is open.
        beat: the highest that an outbox carried.
        heard_s: how long the host had not heard the relay, by its own account.
        closed: the last inbox was closed by the peer, rather than going silent.
    """

    settles_at: float
    up_at: float = float("-inf")
    inbox_at: float = float("-inf")
    inbox: int | None = None
    polling: bool = False
    beat: int = 0
    heard_s: float = 0.0
    closed: bool = False

    def sign(self, now_s: float, silence_s: float) -> Sign:
        """Weigh the evidence: an open inbox proves nothing when nothing was heard for so long (a half-open connection)."""
        up = now_s - self.up_at < silence_s
        is_open = self.inbox is not None
        seen = max(self.inbox_at, self.up_at) if is_open else self.inbox_at
        down = (is_open or self.polling) and now_s - seen < silence_s and self.heard_s < silence_s
        if up and down:
            return Sign.BOTH
        if not down and now_s < self.settles_at:
            return Sign.SETTLING
        return Sign.ONE if up or down else Sign.NEITHER

    def next_change(self, now_s: float, silence_s: float) -> float | None:
        """When the sign may change although nothing happens, or None."""
        moments = (self.settles_at, self.up_at + silence_s, self.inbox_at + silence_s)
        return min((at for at in moments if at > now_s), default=None)
