"""What a plan asks for that this world cannot do; such a plan is left out, with the reason, before anything runs.

Deliberately absent: what this machine lacks (a compiler, Go); that is found out when it is wanted, with the remedy.
"""

from collections.abc import Iterator, Mapping

import harness.faults.catalogue  # noqa: F401  fills FAULTS
from harness.faults.model import FAULTS, Operation
from harness.history.plan import Plan, every_step
from harness.worlds.wire import syscalls
from harness.worlds.wire.operations import PERFORM

_GIVEN = frozenset(
    {"starts", "token", "enrolment", "account", "instance", "title", "history", "permissions", "version"}
)
"""What may be given here; networks, clocks, disks and planted secrets are not laid yet."""

_BY_PROGRAM = frozenset({"start", "call"})


def lacks(plan: Plan) -> str:
    """The first thing that cannot be done, as a sentence; empty if all can."""
    return next(_missing(plan), "")


def _missing(plan: Plan) -> Iterator[str]:
    roles = {actor.name: actor.role for actor in plan.cast}
    for name, given in plan.given.items():
        yield from (f"given `{name}.{key}` is not laid in the wire world yet" for key in given if key not in _GIVEN)
    for step in every_step(plan.story):
        if step.do == "fault":
            fault = FAULTS[step.verb](**step.args)
            for operation in (*fault.begin(), *fault.heal()):
                why = _refused(operation, roles)
                if why:
                    yield f"fault `{step.verb}`: {why}"
    if syscalls.wanted(plan) and syscalls.lacking():
        yield syscalls.lacking()
    if any(claim.verb in ("direct_attempts", "listens", "carries", "attempts", "delay") for claim in plan.expectations):
        yield "an expectation needs counters of the kernel that are not read in the wire world yet"


def _refused(operation: Operation, roles: Mapping[str, str]) -> str:
    name, args = operation.name, operation.args
    if name in ("refuse", "reset"):
        return "a refused dial leaves no trace that could be counted without the kernel's counters"
    if name not in PERFORM and name not in _BY_PROGRAM:
        return f"the wire world has no operation `{name}` yet"
    if name == "kill" and args.get("how") == "power":
        return "a real disk loses nothing when only a program is killed"
    if name == "step_clock" and args.get("drift_ppm") is not None:
        return "a clock cannot be made to drift"
    if name == "suspend" and roles.get(args["machine"]) == "relay":
        return "a relay that sleeps has more than one link"
    return ""
