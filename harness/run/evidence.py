"""What shows that the faults of a run bit, worked out anew from everything that was observed.

Deliberately absent: what follows from it for a finding (``temper``), and what each fault takes for evidence (``harness.faults``).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import harness.faults.catalogue  # noqa: F401  fills FAULTS
from harness.base.rank import Rank
from harness.checks.model import Case
from harness.faults.model import FAULTS, Evidence, Fault, Window
from harness.faults.shapes import LinkFault, WayOutFault
from harness.history.events import Event
from harness.history.plan import Step


@dataclass(frozen=True, slots=True)
class FaultEvidence:
    """A planned fault and what shows that it bit; None if it never began.

    ``realised_by`` is the world's own book-keeping and no evidence: by what it carried the fault out, empty if it did not.
    """

    id: str
    name: str
    evidence: Evidence | None
    realised_by: tuple[str, ...] = ()

    @property
    def bit(self) -> bool:
        """Whether the fault is proven: something was attempted, and what was seen is no mere claim."""
        found = self.evidence
        return found is not None and found.bit and found.attempted > 0 and found.rank >= Rank.PEER


def _fault_steps(steps: Iterable[Step]) -> Iterator[Step]:
    for step in steps:
        if step.do == "fault":
            yield step
        yield from _fault_steps(step.during)


def evidence_of(case: Case) -> Iterator[FaultEvidence]:
    """What shows that each planned fault bit, from everything but the fault's own book-keeping."""
    observed = [event for event in case.events if event.kind not in ("fault", "story")]
    windows, realised = _windows(case), _realised(case)
    for step in _fault_steps(case.plan.story):
        window = windows.get(step.id)
        found = None
        if window is not None and step.verb in FAULTS:
            found = _weigh(FAULTS[step.verb](**step.args), window, observed)
        yield FaultEvidence(step.id, step.verb, found, realised.get(step.id, ()))


def _weigh(fault: Fault, window: Window, observed: Sequence[Event]) -> Evidence:
    try:
        return _ranked(fault, fault.evidence(window, observed), observed)
    except Exception as error:  # noqa: BLE001 - evidence that cannot be read proves nothing
        note = f"the evidence could not be read: {type(error).__name__}: {error}"
        return Evidence(Rank.HARNESS, window, 0, 0, bit=False, note=note)


def _ranked(fault: Fault, found: Evidence, observed: Sequence[Event]) -> Evidence:
    """Where the machines of a world share one loopback, a program may go around what is done to its way."""
    is_shared = any(event.what == "ground.shared" for event in observed)
    if not is_shared or not isinstance(fault, LinkFault | WayOutFault):
        return found
    note = f"{found.note}; all machines share one loopback, on which there may have been another way"
    return replace(found, rank=min(found.rank, Rank.PEER), note=note)


def _windows(case: Case) -> dict[str, Window]:
    """Fault step -> when it was in force, as begun and healed by the director."""
    healed = {str(event.data.get("id")): event for event in case.of("fault", "healed")}
    end_at = case.events[-1].t if case.events else 0.0
    return {
        str(event.data.get("id")): _window(event.t, healed.get(str(event.data.get("id"))), end_at)
        for event in case.of("fault", "began")
    }


def _window(began_at: float, healed: Event | None, end_at: float) -> Window:
    """A history is anybody's: what is no time within the window, or is not there, counts as no time for healing."""
    if healed is None:
        return Window(began_at, end_at)
    from_s = healed.data.get("heal_began_at")
    is_time = isinstance(from_s, int | float) and began_at <= from_s <= healed.t
    return Window(began_at, healed.t, from_s if is_time else None)


def _realised(case: Case) -> dict[str, tuple[str, ...]]:
    """Fault step -> by what the world says that it carried it out; a history of before says nothing."""
    began = {str(event.data.get("id")): event.data.get("realised_by") for event in case.of("fault", "began")}
    return {step: tuple(map(str, by)) for step, by in began.items() if isinstance(by, list)}
