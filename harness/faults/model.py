"""What a fault is: parameters, operations for the worlds, and the evidence that it bit.

Adding a fault is one file: a frozen dataclass that subclasses ``Fault`` and is decorated with ``@fault``. The scenario
language, the schema, the worlds and ``--faults-off`` need no change as long as it is made of the operations below.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from harness.base.rank import Rank
from harness.history.events import Event

OPERATIONS: dict[str, str] = {
    "block": "stop a link, {link, direction: both|up|down, how: drop|hold}; hold: it passes at unblock; up is towards the relay",
    "unblock": "undo block, {link}",
    "delay": "a segment takes latency_s one way and up to jitter_s more, {link, latency_s, jitter_s}; absent restores",
    "rate": "set a link's bandwidth, {link, bytes_per_s}; absent restores",
    "lose": "lose segments so that they are retransmitted, {link, probability}; absent restores",
    "cap": "never deliver segments with more payload than this, {link, segment_bytes}; absent restores",
    "truncate": "end a link's connections after so many more bytes one way, {link, direction: up|down, bytes}; absent bytes restores this way",
    "reset": "end a link's live connections, {link, how: rst|fin|half_open, side: both|up|down}; half_open: side is gone",
    "refuse": "answer new connections of a link, {link, how: rst|silence}; absent how restores",
    "forget": "drop idle flows from a middlebox table, {link, idle_s, notice: none|rst}; absent idle_s restores",
    "move": "give a machine another address; its flows go dark, {machine}",
    "resolve": "answer a machine's name resolution so, {machine, how: nxdomain|timeout|stale}; absent how restores",
    "middlebox": "change the middlebox in a machine's way out, {machine, any of MIDDLEBOX_SETTINGS}; null restores",
    "suspend": "sleep: awake clock stands, others run on, network dark, {machine}",
    "resume": "wake, {machine}",
    "freeze": "stop running while all clocks run on (SIGSTOP), {machine}",
    "thaw": "undo freeze, {machine}",
    "step_clock": "move a machine's calendar, {machine, by_s}, or its rate, {machine, drift_ppm}; drift_ppm 0 restores",
    "kill": "end a machine's program without notice, {machine, how: process|power}",
    "start": "start a machine's program again, {machine, version?}",
    "fill_disk": "leave no room where a machine's program keeps its state, {machine}",
    "free_disk": "undo fill_disk, {machine}",
    "certify": "change a server's certificate, {machine, how: rotated|expired|wrong_name|untrusted}; absent how restores",
    "drop_answer": "let the next answers to a machine's requests of a path vanish, {machine, path, count}; 0 disarms",
    "call": "call a verb of a role, {actor, verb, args}; the way to revoke or to drain",
}
"""Operation name -> what it does and its fields. Worlds implement exactly these; a test holds both to this."""

MIDDLEBOX_SETTINGS: dict[str, str] = {
    "password": "text that the proxy wants from now on; dials with another one get 407",
    "drop_tunnels": "true: end the tunnels that are open now, once",
    "buffers": "true: hold an answer back until it is complete",
    "idle_s": "end a tunnel that was idle for so many seconds",
    "answers": "forbidden|html|redirect: answer every new request or tunnel so instead of passing it on",
    "inspects": "trusted|untrusted: end TLS here with a certificate of a CA that the machine trusts or does not",
    "rewrites_auth": "strip|replace|mix_up: drop Authorization, put the proxy's own there, or the first seen; needs inspects",
    "portal": "true: answer TLS with an untrusted certificate and plain HTTP with 302 until it is null again",
}
"""Settings of the ``middlebox`` operation: an absent one stays as it is, null is what ``given`` made of it."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing for a world to do: ``name`` is a key of ``OPERATIONS``, ``args`` its JSON fields.

    ``after_s`` is the offset from the fault's beginning.
    """

    name: str
    args: dict[str, Any] = field(default_factory=dict)
    after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Window:
    """When a fault was meant to be in force: true seconds, ``healed_at`` after ``began_at``.

    ``heal_began_at``: when the world began to heal it, which no real one does in an instant; None for ``healed_at``.
    """

    began_at: float
    healed_at: float
    heal_began_at: float | None = None

    @property
    def meant_s(self) -> float:
        """For how long it was meant to be in force: until its healing began."""
        return self.healed_at - self.began_at - self.heal_s

    @property
    def heal_s(self) -> float:
        """How long the world took to heal it."""
        return 0.0 if self.heal_began_at is None else self.healed_at - self.heal_began_at

    def covers(self, t: float) -> bool:
        """Whether an event at ``t`` lies in the window."""
        return self.began_at <= t <= self.healed_at


@dataclass(frozen=True, slots=True)
class Evidence:
    """What shows whether a fault bit.

    Attributes:
        rank: of the weakest event the conclusion rests on.
        window: when.
        attempted: how often the faulted thing was tried; zero means nothing was proven.
        passed: how often it got through although the fault should have stopped it.
        bit: the conclusion.
        note: one sentence for people.
    """

    rank: Rank
    window: Window
    attempted: int
    passed: int
    bit: bool
    note: str


@dataclass(frozen=True, kw_only=True)
class Fault(ABC):
    """Base of all faults. Fields are the YAML parameters; spans are already seconds.

    Class attributes:
        name: what a scenario writes, e.g. ``cut`` or ``sleeps``.
        subject: ``link`` if written ``cut: host-relay``; ``machine`` if written ``host.sleeps: 8h``
            (then ``machine`` is the actor).
        primary: the field that takes the value written after the fault's name.
        worlds: world -> how it is realised there, or why it cannot be.
    """

    name: ClassVar[str]
    subject: ClassVar[Literal["link", "machine"]]
    primary: ClassVar[str]
    worlds: ClassVar[dict[str, str]]

    @property
    @abstractmethod
    def lasts_s(self) -> float:
        """Seconds from beginning to healing; 0 for a fault that is a moment, e.g. a clock step."""

    @abstractmethod
    def begin(self) -> Sequence[Operation]:
        """Operations from the beginning on, ``after_s`` within ``lasts_s``."""

    @abstractmethod
    def heal(self) -> Sequence[Operation]:
        """Operations at the end; they undo what ``begin`` did."""

    @abstractmethod
    def evidence(self, window: Window, events: Iterable[Event]) -> Evidence:
        """Judge from the run's events (the whole history) whether the fault bit in its window."""


FAULTS: dict[str, type[Fault]] = {}
"""Every fault by its name; filled by ``@fault`` when ``harness.faults.catalogue`` imports the files."""


def fault[F: type[Fault]](cls: F) -> F:
    """Register a fault class under its name; a second one of the same name is our bug."""
    assert cls.name not in FAULTS, cls.name
    FAULTS[cls.name] = cls
    return cls


type FaultFactory = Callable[..., Fault]
