"""Faults while they are in force: begun at once, healed when their time is over, booked as both.

Deliberately absent: when a fault is due (``director`` by a story, ``live`` by whoever asks), and what shows that it bit.
"""

from collections.abc import Callable
from dataclasses import asdict
from functools import partial

import harness.faults.catalogue  # noqa: F401  fills FAULTS
from harness.faults.model import FAULTS, Fault
from harness.history.plan import Plan, Step
from harness.worlds.pace import Pace


class InForce:
    """The faults of one run.

    Attributes:
        count: how many have begun and not healed.
    """

    def __init__(self, plan: Plan, pace: Pace) -> None:
        self._plan, self._stage, self._pace = plan, pace.stage, pace
        self.count = 0

    def begin(self, step: Step, when_healed: Callable[[], None] = lambda: None) -> float:
        """Begin the fault of a step.

        Args:
            step: of a fault.
            when_healed: is called when it has healed.

        Returns:
            True seconds at which it heals.
        """
        fault, began_at = FAULTS[step.verb](**step.args), self._stage.now
        self.count += 1
        meant = {"id": step.id, "name": step.verb, "effect": not self._plan.faults_off}
        meant |= {"realised_by": self._realised_by(fault)}
        self._stage.record(_subject(step), "fault", "began", **meant, **asdict(fault))
        self._schedule(fault, began_at)
        self._pace.at(began_at + fault.lasts_s, lambda: self._heal(step, fault, when_healed))
        return began_at + fault.lasts_s

    def _realised_by(self, fault: Fault) -> list[str]:
        """By what the world carries the fault out, each named once; by nothing where effects are off."""
        operations = () if self._plan.faults_off else (*fault.begin(), *fault.heal())
        return list(dict.fromkeys(by for operation in operations for by in self._stage.realised_by(operation)))

    def _schedule(self, fault: Fault, began_at: float) -> None:
        for operation in fault.begin():
            if not self._plan.faults_off:
                self._pace.at(began_at + operation.after_s, partial(self._stage.perform, operation))

    def _heal(self, step: Step, fault: Fault, when_healed: Callable[[], None]) -> None:
        self.count -= 1
        heal_began_at = round(self._stage.now, 9)
        if not self._plan.faults_off:
            for operation in fault.heal():
                self._stage.perform(operation)
        self._stage.record(_subject(step), "fault", "healed", id=step.id, name=step.verb, heal_began_at=heal_began_at)
        self._pace.moment("wake" if step.verb in ("sleeps", "dark_wakes") else "heal", id=step.id)
        when_healed()


def _subject(step: Step) -> str:
    return str(step.args.get("link") or step.args.get("machine") or "harness")
