"""Faults in which a program ends: killed, out of power, restarted, deployed, upgraded.

Deliberately absent: freezing, where the program goes on afterwards as if nothing had been.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf
from typing import ClassVar

from harness.faults.model import Evidence, Operation, Window
from harness.faults.proof import Traces, judged
from harness.faults.shapes import MachineFault, demand
from harness.history.events import Event


@dataclass(frozen=True, kw_only=True)
class EndingFault(MachineFault):
    """A program ends without notice and is started again, written ``{host.killed: 10s}``.

    Attributes:
        down_s: seconds until it is started again.
    """

    primary: ClassVar[str] = "down_s"
    ends_by: ClassVar[str] = "process"
    """``how`` of the ``kill`` operation."""
    reason: ClassVar[str] = "killed"
    """``reason`` of the ``process.exited`` event that such an end leaves."""

    down_s: float = 10.0

    def __post_init__(self) -> None:
        demand(self.down_s > 0, "a program is down for longer than nothing")

    @property
    def lasts_s(self) -> float:
        """From the beginning until the new start."""
        return self.down_s

    @property
    def comes_back(self) -> bool:
        """Whether a new start belongs to the fault."""
        return True

    def begin(self) -> Sequence[Operation]:
        """End the program."""
        return (self.op("kill", how=self.ends_by),)

    def heal(self) -> Sequence[Operation]:
        """Start it again."""
        return (self.op("start"),)

    def restarted_right(self, started: Event) -> bool:
        """Whether the new start is the one that was asked for."""
        return started.actor == self.machine

    def evidence(self, window: Window, events: Iterable[Event]) -> Evidence:
        """The process ended as meant, did nothing while down, and started anew if that belongs to the fault."""
        traces = Traces.of(events)
        ended = traces.first("process.exited", actor=self.machine, since=window.began_at, until=window.healed_at)
        if ended is None or ended.data.get("code") is not None or ended.data.get("reason") != self.reason:
            return judged(window, 0, 0, f"{self.machine} was not ended by this fault")
        started = traces.first("process.started", actor=self.machine, since=ended.t)
        passed = traces.activity(self.machine, ended.t, started.t if started else inf)
        right = (
            self.restarted_right(started) if self.comes_back and started else started is None and not self.comes_back
        )
        note = f"{self.machine} ended at {ended.t:.3f} s and " + (
            f"started at {started.t:.3f} s" if started else "stayed down"
        )
        return judged(window, 1, passed, note, sure=right)
