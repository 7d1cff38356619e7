"""What a plan asks for that this world cannot do; it, or an expectation of it, is left out, with the reason, before anything runs.

Deliberately absent: Go, which is looked for when it is wanted, with the remedy.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import harness.faults.catalogue  # noqa: F401  fills FAULTS
from harness.faults.model import FAULTS, Operation
from harness.history.plan import Expectation, Plan, Step, every_step
from harness.worlds.wire import syscalls
from harness.worlds.wire.namespaces import unavailable
from harness.worlds.wire.operations import PERFORM
from harness.worlds.wire.real_time import why_not_in_real_time
from harness.worlds.wire.realised import is_hold, is_routed
from harness.worlds.wire.warp import why_no_shim

_GIVEN = frozenset(
    {"starts", "token", "enrolment", "account", "instance", "title", "history", "permissions", "version"}
    | {"capacity", "retention", "secrets_in", "network", "clock"}
)
"""What may be given here; a disk cannot be made slow."""

_NETWORK = frozenset({"rtt", "jitter", "rate", "loss", "only_way_out"})
_COUNTED = ("direct_attempts", "listens", "attempts")
"""Expectations that rest on the census of connections."""

_BY_PROGRAM = frozenset({"start", "call"})


def lacks(plan: Plan) -> str:
    """The first thing that cannot be done, as a sentence; empty if all can."""
    return next(every_lack(plan), "")


def every_lack(plan: Plan) -> Iterator[str]:
    """All that cannot be done, a sentence each."""
    roles = {actor.name: actor.role for actor in plan.cast}
    for name, given in plan.given.items():
        yield from _not_given(name, given)
    for step in every_step(plan.story):
        if step.do == "fault":
            fault = FAULTS[step.verb](**step.args)
            for operation in (*fault.begin(), *fault.heal()):
                why = _refused(operation, roles) or _behind_proxy(operation, plan)
                if why:
                    yield f"fault `{step.verb}`: {why}"
            yield from _clashes(step)
    yield from filter(None, [_too_long_without_shim(plan)])
    if syscalls.wanted(plan) and syscalls.lacking():
        yield syscalls.lacking()
    if any(map(unjudged, plan.expectations)):
        yield f"an expectation needs the census of connections: {unavailable()}"


def unjudged(claim: Expectation) -> str:
    """Why an expectation cannot be judged here, though its plan may be played; empty if it can."""
    if unavailable() and claim.verb in _COUNTED:
        return f"`{claim.actor}.{claim.verb}` needs the census of connections: {unavailable()}"
    return ""


def _too_long_without_shim(plan: Plan) -> str:
    """Without the clock library nobody is hurried."""
    why = why_no_shim()
    return why_not_in_real_time(plan, dict.fromkeys((actor.name for actor in plan.cast), why)) if why else ""


def _not_given(name: str, given: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"given `{name}.{key}` is not laid in the wire world" for key in given if key not in _GIVEN)
    network, clock = given.get("network", {}), given.get("clock", {})
    yield from (
        f"given `{name}.network.{key}` is not laid in the wire world yet" for key in network if key not in _NETWORK
    )
    if clock.get("drift_ppm"):
        yield "a clock cannot be made to drift"
    if "loss" in network and unavailable():
        yield f"given `{name}.network.loss`: {unavailable()}"


def _behind_proxy(operation: Operation, plan: Plan) -> str:
    """Where in a stream a client stopped reading is told by the bytes between its link's proxy and the tap."""
    client = str(operation.args.get("link", "")).partition("-")[0]
    has_proxy = "only_way_out" in plan.given.get(client, {}).get("network", {})
    return f"{client} has a proxy between its link and the tap" if operation.name == "truncate" and has_proxy else ""


class _Demands(NamedTuple):
    """What a fault wants of the links' proxies: links whose proxy is told something, stands held, or stands with its machine."""

    told: set[str]
    held: set[str]
    asleep: set[str]


def _demands(step: Step) -> _Demands:
    fault = FAULTS[step.verb](**step.args)
    operations = [*fault.begin(), *fault.heal()]

    def links(of: Callable[[Operation], bool]) -> set[str]:
        return {str(one.args.get("link") or f"{one.args.get('machine')}-relay") for one in operations if of(one)}

    return _Demands(
        told=links(lambda one: one.name in _TOLD or (one.name == "reset" and one.args.get("how") == "fin")),
        held=links(is_hold),
        asleep=links(lambda one: one.name == "suspend"),
    )


_TOLD = frozenset({"block", "unblock", "delay", "rate", "truncate"})


def _clashes(step: Step) -> Iterator[str]:
    """Faults under a fault that its proxy cannot make as well: one that stands takes no orders."""
    outer = _demands(step)
    for under in (one for one in every_step(step.during) if one.do == "fault"):
        inner = _demands(under)
        both = outer.held & inner.told | outer.told & inner.held | outer.asleep & inner.told
        if both:
            yield f"fault `{under.verb}` in `{step.verb}`: the one proxy of {min(both)} cannot make both at once"


def _refused(operation: Operation, roles: Mapping[str, str]) -> str:
    name, args = operation.name, operation.args
    if name not in PERFORM and name not in _BY_PROGRAM:
        return f"the wire world has no operation `{name}` yet"
    if is_routed(operation) and unavailable():
        return unavailable()
    if name == "kill" and args.get("how") == "power":
        return "a real disk loses nothing when only a program is killed"
    if name == "step_clock" and args.get("drift_ppm") is not None:
        return "a clock cannot be made to drift"
    if name == "suspend" and roles.get(args["machine"]) == "relay":
        return "a relay that sleeps has more than one link"
    return ""
