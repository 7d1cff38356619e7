"""One plan, run and judged. Worlds are found by name and imported only when asked for: ``sim`` needs nothing that ``compose`` needs.

Deliberately absent: files. What is kept of a run is ``harness.run.shelf``'s business.
"""

import importlib
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, Protocol, cast

from harness.base.errors import UsageError, WorldError
from harness.history.events import History
from harness.history.plan import Expectation, Plan
from harness.run.interrupt import held_back
from harness.run.judge import judge
from harness.run.judgement import Judgement
from harness.run.trial import programs_for
from harness.run.turns import turn
from harness.scenario.expand import LeftOut
from harness.worlds.wire.linux import why_not_here

WORLDS: dict[str, tuple[str, str]] = {
    "sim": ("harness.worlds.sim.world", "SimWorld"),
    "wire": ("harness.worlds.wire.world", "WireWorld"),
}
"""World name -> module and class. A class takes ``programs``: role -> program that replaces the reference in that role."""

REMEDIES = {"wire": "run `make setup-wire` in a checkout, or install the extra `relayproof[wire]`"}
"""World name -> how to get what it needs beside relayproof itself."""

_OURS = frozenset({"harness", "reference"})
"""A module of ours that is missing is our bug, not something to install."""


class World(Protocol):
    """Anything that turns a plan into a history."""

    def run(self, plan: Plan) -> History:
        """Run the plan to its end; a plan that this world cannot run raises WorldError."""


@dataclass(frozen=True, slots=True)
class Record:
    """A run that ended: what was meant, what happened, what it means, and what it cost.

    Attributes:
        plan: what was meant.
        history: what happened.
        judgement: what it means.
        wall_s: real seconds of running and judging.
    """

    plan: Plan
    history: History
    judgement: Judgement
    wall_s: float


def world_named(name: str, programs: Mapping[str, Any] | None = None) -> World:
    """Make a world.

    Args:
        name: a key of ``WORLDS``.
        programs: role -> program on trial; the reference stands in for roles that are not named.

    Raises:
        UsageError: no such world, or it cannot be had on this machine.
    """
    if name not in WORLDS:
        raise UsageError(f"there is no world {name!r}; choose one of: {', '.join(WORLDS)}")
    if name == "wire" and (why := why_not_here()):
        raise UsageError(why)
    module, attribute = WORLDS[name]
    try:
        cls = getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as missing:
        if str(missing.name).split(".")[0] in _OURS:
            raise
        lack = f"the world {name!r} needs the module {missing.name!r}, which is not installed"
        raise UsageError(f"{lack}: {REMEDIES.get(name, 'install it')}") from missing
    return cast("World", cls(programs) if programs else cls())


def lacking(plan: Plan) -> str:
    """Why the world of a plan cannot play it; empty if it can. Raises as ``world_named``."""
    tell: Callable[[Plan], str] | None = getattr(world_named(plan.world), "lacks", None)
    return tell(plan) if tell else ""


def fitted(plan: Plan) -> tuple[Plan, tuple[LeftOut, ...]]:
    """A plan without what its world cannot judge here, and what that was; one that has nothing else stays as it is. Raises as ``world_named``.

    A requirement is judged by all that a plan expects for it or not at all: with half of that gone it must not pass.
    """
    tell: Callable[[Expectation], str] | None = getattr(world_named(plan.world), "unjudged", None)
    told = {claim.proves: why for claim in plan.expectations if tell and (why := tell(claim))}
    kept = tuple(claim for claim in plan.expectations if claim.proves not in told)
    if not kept:
        return plan, ()
    return replace(plan, expectations=kept), tuple(LeftOut(f"{plan.id}: {row}", why) for row, why in told.items())


def run_plan(plan: Plan, programs: Mapping[str, Any] | None = None) -> Record:
    """Run one plan in its world and judge what happened.

    Args:
        plan: what to run.
        programs: role or actor -> program on trial; it runs only for those of the cast that the plan has on trial.

    Raises:
        WorldError: the world could not do what the plan asks of it.
    """
    return run_in(world_named(plan.world, programs_for(plan, programs or {})), plan)


def run_in(world: World, plan: Plan) -> Record:
    """Run one plan in a given world and judge what happened; raises as ``run_plan``."""
    with _turn(world, plan):
        began = time.perf_counter()
        with held_back():
            history = world.run(plan)
    if (history.plan.id, history.plan.story, history.plan.expectations) != (plan.id, plan.story, plan.expectations):
        raise WorldError(f"{plan.id}: the world answered with the history of another plan")
    history = replace(history, plan=pinned(history))
    judgement = judge(history)
    return Record(history.plan, history, judgement, time.perf_counter() - began)


def _turn(world: World, plan: Plan) -> AbstractContextManager[None]:
    """The turn of a world that shares the machine with others; the simulated one needs none."""
    is_close: Callable[[Plan], bool] | None = getattr(world, "is_close", None)
    return turn(alone=is_close(plan)) if is_close else nullcontext()


def pinned(history: History) -> Plan:
    """The plan of a history with every fault pinned to the moment at which it began: whatever else changes, a replay cuts there."""
    began = {event.data["id"]: event.t for event in history.events if event.kind == "fault" and event.what == "began"}
    return replace(history.plan, pinned=began)
