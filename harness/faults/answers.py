"""Faults in which a request is served and its answer vanishes.

Deliberately absent: lost requests; those are cuts. An answer that vanished leaves the asker in doubt, and that is the point.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.faults.model import Evidence, Operation, Window
from harness.faults.proof import Traces, judged
from harness.faults.shapes import MachineFault, demand
from harness.history.events import Event

ANY = "{s}"
"""Stands for one part of a path, as docs/spec/protocol.md writes a session's id, which no scenario can know."""


def is_at(path: str, template: str) -> bool:
    """Whether a request's path is the one that a fault names."""
    parts, wanted = path.split("/"), template.split("/")
    return len(parts) == len(wanted) and all(want in (part, ANY) for part, want in zip(parts, wanted, strict=True))


@dataclass(frozen=True, kw_only=True)
class AnswerFault(MachineFault):
    """The next answers to a machine's requests of one path vanish.

    Attributes:
        path: of the request, without query: ``/v1/token``; ``{s}`` stands for any session: ``/v1/sessions/{s}/messages``.
        count: how many answers.
        for_s: after so many seconds the fault is over even if fewer were asked for; 0 = it waits for them.
    """

    path: str = "/v1/token"
    count: int = 1
    for_s: float = 0.0

    def __post_init__(self) -> None:
        demand(self.path.startswith("/"), f"{self.path!r} is not a path; write it like /v1/token")
        demand(self.count >= 1, "`count` must be at least 1")
        demand(self.for_s >= 0, "`for` must not be negative")

    @property
    def lasts_s(self) -> float:
        """``for_s``; 0 for a fault that waits for its requests."""
        return self.for_s

    def begin(self) -> Sequence[Operation]:
        """Arm."""
        return (self.op("drop_answer", path=self.path, count=self.count),)

    def heal(self) -> Sequence[Operation]:
        """Disarm, where the fault has an end of its own."""
        return (self.op("drop_answer", path=self.path, count=0),) if self.for_s else ()

    def enough(self, dropped: int) -> bool:
        """Whether so many vanished answers are what was meant."""
        return dropped == self.count

    def evidence(self, window: Window, events: Iterable[Event]) -> Evidence:
        """The answers vanished, and until the last of them no answer of that path reached the machine."""
        traces = Traces.of(events)
        vanished = traces.named("answer.dropped", actor=self.machine, since=window.began_at)
        dropped = [event for event in vanished if is_at(str(event.data.get("path")), self.path)]
        if not dropped:
            return judged(window, 0, 0, f"{self.machine} asked for no answer of {self.path} that could vanish")
        answers = traces.named("response", kind="wire", actor=self.machine, since=dropped[0].t, until=dropped[-1].t)
        passed = sum(is_at(str(event.data.get("path")), self.path) for event in answers)
        note = f"{len(dropped)} answers of {self.path} to {self.machine} vanished, {passed} arrived between them"
        return judged(window, len(dropped), passed, note, sure=self.enough(len(dropped)))
