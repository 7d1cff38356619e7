"""Which plans can be played in real time, for programs that cannot be hurried; the others are not assessable, and the remedy is said.

Deliberately absent: whether a program can be hurried (``preflight``).
"""

from collections.abc import Mapping

from harness.faults.model import FAULTS, Operation
from harness.history.plan import Plan, Step, every_step

REAL_S_MAX = 180.0
"""The longest plan that is played in real time: outages of two minutes, and nobody waits an hour for a file."""

QUIET_S = 20.0
"""The final quiet of every story."""

REMEDY = (
    "have the program tell its clocks by the verb `clock` (docs/spec/sut.md), link it with the system's C library, build Go with an overlay "
    "(docs/guide/test-your-own.md), or choose scenarios that need neither sleep nor many minutes"
)


def why_not_in_real_time(plan: Plan, unhurried: Mapping[str, str]) -> str:
    """Why a plan cannot be played in real time; empty if it can.

    Args:
        plan: what is to be played.
        unhurried: name of the cast -> why its program cannot be hurried.
    """
    for name, why in unhurried.items():
        if "clock" in plan.given.get(name, {}) or any(
            one.name in ("suspend", "step_clock") and one.args.get("machine") == name for one in _operations(plan)
        ):
            return f"{name} cannot sleep, and its clock cannot be set: {why}"
    least_s = least_s_of(plan)
    if not unhurried or least_s <= REAL_S_MAX:
        return ""
    name, why = next(iter(unhurried.items()))
    return f"{name} cannot be hurried: {why}; the story takes {least_s:.0f} s at least, and in real time {REAL_S_MAX:.0f} s are the most"


def least_s_of(plan: Plan) -> float:
    """World seconds that a plan takes at least: its waits, its faults, lives that it waits for, and the final quiet."""
    waited = {step.until.of for step in every_step(plan.story) if step.until is not None}
    lives = [given.get("token", {}).get("lives", 0.0) for given in plan.given.values()]
    expiry_s = max(lives, default=0.0) if "token.expiry" in waited else 0.0
    return sum(map(_least_s, plan.story)) + expiry_s + QUIET_S


def _least_s(step: Step) -> float:
    if step.do == "fault":
        return FAULTS[step.verb](**step.args).lasts_s
    return float(step.args.get("for_s", 0.0)) if step.do == "wait" and step.until is None else 0.0


def _operations(plan: Plan) -> list[Operation]:
    faults = [FAULTS[step.verb](**step.args) for step in every_step(plan.story) if step.do == "fault"]
    return [operation for fault in faults for operation in fault.begin()]
