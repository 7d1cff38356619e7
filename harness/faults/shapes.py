"""The few shapes that faults come in, so that a file of the catalogue holds only what is its own.

Deliberately absent: registered faults; those are in ``harness.faults.catalogue``, one file each.
"""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from harness.faults.model import Fault, Operation


def demand(holds: bool, sentence: str) -> None:  # noqa: FBT001  reads as `demand(x > 0, "...")`
    """Refuse a parameter.

    Raises:
        ValueError: with ``sentence``, unless ``holds``.
    """
    if not holds:
        raise ValueError(sentence)


@dataclass(frozen=True, kw_only=True)
class LinkFault(Fault):
    """A fault of a link for a time, written ``{cut: host-relay, for: 10m}``.

    Attributes:
        link: the two names of the cast, the dialling one first: ``host-relay``.
        for_s: how long, seconds.
    """

    subject: ClassVar[Literal["link", "machine"]] = "link"
    primary: ClassVar[str] = "link"

    link: str
    for_s: float = 60.0

    def __post_init__(self) -> None:
        ends = self.link.split("-")
        demand(
            len(ends) == 2 and all(ends) and ends[0] != ends[1],
            f"{self.link!r} is not a link; write it like host-relay",
        )
        demand(self.for_s > 0, "`for` must be longer than nothing")

    @property
    def lasts_s(self) -> float:
        """``for_s``."""
        return self.for_s

    def op(self, name: str, after_s: float = 0.0, **args: Any) -> Operation:
        """One operation on this link."""
        return Operation(name, {"link": self.link, **args}, after_s)


@dataclass(frozen=True, kw_only=True)
class MachineFault(Fault):
    """A fault of a machine, written ``{host.sleeps: 8h}``; ``machine`` is the actor."""

    subject: ClassVar[Literal["link", "machine"]] = "machine"
    example: ClassVar[str] = "host"
    """A name of the usual cast that it makes sense for; only docs/spec/faults.md uses it."""

    machine: str

    def op(self, name: str, after_s: float = 0.0, **args: Any) -> Operation:
        """One operation on this machine."""
        return Operation(name, {"machine": self.machine, **args}, after_s)


@dataclass(frozen=True, kw_only=True)
class TimedFault(MachineFault):
    """A fault of a machine for a time, written ``{host.sleeps: 8h}``.

    Attributes:
        for_s: how long, seconds.
    """

    primary: ClassVar[str] = "for_s"

    for_s: float = 60.0

    def __post_init__(self) -> None:
        demand(self.for_s > 0, "`for` must be longer than nothing")

    @property
    def lasts_s(self) -> float:
        """``for_s``."""
        return self.for_s


@dataclass(frozen=True, kw_only=True)
class LastingChange(MachineFault):
    """A change at one moment that stays, e.g. another address: nothing to heal."""

    @property
    def lasts_s(self) -> float:
        """No time at all: it is a moment."""
        return 0.0

    def heal(self) -> Sequence[Operation]:
        """Nothing: the change stays."""
        return ()


@dataclass(frozen=True, kw_only=True)
class WayOutFault(TimedFault):
    """A change of the middlebox that is a machine's only way out; the scenario's ``given`` must have put one there."""

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """Settings of the ``middlebox`` operation (``MIDDLEBOX_SETTINGS``) that hold while the fault is in force."""

    def begin(self) -> Sequence[Operation]:
        """Change the settings."""
        return (self.op("middlebox", 0.0, **self.settings()),)

    def heal(self) -> Sequence[Operation]:
        """Restore the settings."""
        return (self.op("middlebox", 0.0, **dict.fromkeys(self.settings())),)
