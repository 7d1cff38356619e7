"""Whether a plan from a file can be acted out: every word in it is of the tables that the language itself reads.

A plan that was expanded from a scenario need not be asked. Deliberately absent: the shape of the file (``harness.history.plan_json``), and
whether the plan is what its scenario says; its digest tells that.
"""

import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec

import harness.faults.catalogue  # noqa: F401  fills FAULTS
from harness.base.errors import PlanError
from harness.base.span import SPAN_S_MAX
from harness.checks.requirements import load_requirements
from harness.faults.model import FAULTS
from harness.history.plan import Expectation, Plan, Step, every_step
from harness.scenario.verbs import EXPECT, STORY, ExpectVerb, StoryVerb

_STORY: dict[tuple[str, str], StoryVerb] = {(row.role, row.name): row for row in STORY}
_EXPECT: dict[tuple[str, str], ExpectVerb] = {(row.role, row.name): row for row in EXPECT}
_TYPES: dict[str, tuple[type, ...]] = {
    "nothing": (type(None),),
    "text": (str,),
    "word": (str,),
    "texts": (list,),
    "text_or_lines": (str, dict),
    "texts_or_every_line": (str, list),
    "span": (int, float),
    "count": (int,),
    "object": (dict,),
    "budget": (str,),
}
"""Kind of value -> what its reader makes of it."""


def admitted(plan: Plan) -> Plan:
    """The plan, if each of its words is known.

    Raises:
        PlanError: naming the first that is not, and where it stands.
    """
    strange = next(_strange(plan), "")
    if strange:
        raise PlanError(f"{strange}; the plan was edited or damaged, run the scenario again")
    return plan


def _strange(plan: Plan) -> Iterator[str]:
    roles: dict[str, str] = {actor.name: actor.role for actor in plan.cast}
    if len(roles) < len(plan.cast) or "relay" not in roles.values() or not plan.suts:
        yield "cast: a name stands there twice, or there is no relay, or nobody is on trial"
    yield from (f"given.{name}: not an object" for name, what in plan.given.items() if not isinstance(what, dict))
    steps = list(every_step(plan.story))
    yield from (
        f"{name}: there are two of it" for name, count in Counter(step.id for step in steps).items() if count > 1
    )
    for step in steps:
        yield from (f"{step.id}: {why}" for why in _strange_step(step, roles))
    if not plan.expectations:
        yield "expect: nothing is expected"
    for entry in plan.expectations:
        yield from (f"{entry.id}: {why}" for why in _strange_claim(entry, roles | {"wire": "wire"}))


def _strange_step(step: Step, roles: dict[str, str]) -> Iterator[str]:
    yield from (f"{span_s:g} s is no span" for span_s in _spans(step) if abs(span_s) > SPAN_S_MAX)
    if step.do == "verb":
        row = _STORY.get((roles.get(step.actor, ""), step.verb))
        if row is None or not _fits(step.args.get("value"), row):
            yield f"nobody can do {step.actor}.{step.verb}: {step.args!r}"
    elif step.do == "fault":
        yield from _strange_fault(step)
    elif step.do == "wait" and step.until is None and not isinstance(step.args.get("for_s"), (int, float)):
        yield "a wait for nothing"


def _fits(value: Any, row: StoryVerb | ExpectVerb) -> bool:
    is_empty = isinstance(value, (str, list, dict)) and not value
    return isinstance(value, _TYPES[row.arg]) and not is_empty and (not row.words or value in row.words)


def _spans(step: Step) -> Iterator[float]:
    values = [step.deadline_s, *(value for name, value in step.args.items() if name.endswith("_s"))]
    yield from (
        float(value) if math.isfinite(value) else math.inf for value in values if isinstance(value, (int, float))
    )


def _strange_fault(step: Step) -> Iterator[str]:
    try:
        msgspec.convert(step.args, FAULTS[step.verb])
    except (KeyError, msgspec.ValidationError, ArithmeticError, RecursionError) as error:
        yield f"there is no fault {step.verb!r} with {step.args!r} ({error})"


def _strange_claim(entry: Expectation, roles: dict[str, str]) -> Iterator[str]:
    row = _EXPECT.get((roles.get(entry.actor, ""), entry.verb))
    value: Any = entry.args.get("value")
    if row is None or not _fits(value, row):
        yield f"nothing can be expected of {entry.actor}.{entry.verb}: {entry.args!r}"
    elif row.required and not (isinstance(value, dict) and set(row.required) <= set(value)):
        yield f"{entry.actor}.{entry.verb} needs {', '.join(row.required)}"
    if entry.proves not in load_requirements():
        yield f"no requirement has the id {entry.proves!r}"
