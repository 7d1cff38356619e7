"""JSON of saved files read strictly, and a plan from the object that it was saved as, every field of the type that it has in Python.

Deliberately absent: files, their digests and their versions (``journal``, ``harness.scenario.plan_file``), and what the values mean.
"""

import json
from dataclasses import asdict
from typing import Any

import msgspec

from harness.base.errors import PlanError
from harness.history.plan import PLAN_VERSION, Plan

AGAIN = "plan the scenario again"
"""What to do with a plan that cannot be read."""


def strict(text: str | bytes) -> Any:
    """The value of a JSON text as RFC 8259 has it: no NaN, no number beyond a float, no half of a surrogate pair, not nested too deep.

    Raises:
        ValueError: it is something else.
    """
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(str(error)) from None


def plan_of(data: Any) -> Plan:
    """The plan that ``dataclasses.asdict`` made this object of.

    Raises:
        PlanError: a field is missing, unknown or of another type.
    """
    try:
        plan = msgspec.convert(data, Plan)
        again = json.loads(json.dumps(asdict(plan)))
    except (msgspec.ValidationError, RecursionError) as error:
        raise PlanError(f"this is no plan of version {PLAN_VERSION} ({error}); {AGAIN}") from None
    if again != data:
        # A dataclass takes the fields that it knows and is silent about the rest.
        raise PlanError(f"this is no plan of version {PLAN_VERSION} (a field is missing or unknown); {AGAIN}")
    return plan
