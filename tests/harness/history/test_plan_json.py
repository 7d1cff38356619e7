import json
from dataclasses import asdict
from pathlib import Path

import pytest

from harness.base.errors import PlanError
from harness.history.plan_json import plan_of
from harness.scenario.expand import plans

SCENARIOS = Path(__file__).parents[3] / "scenarios"
PLANS = plans(SCENARIOS / "outage" / "ten-minute-outage.yaml")


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.id)
def test_a_plan_comes_back_equal(plan):
    assert plan_of(json.loads(json.dumps(asdict(plan)))) == plan


@pytest.mark.parametrize(
    "edit",
    [
        lambda plan: plan.pop("story"),
        lambda plan: plan.update(extra=1),
        lambda plan: plan.update(cast=[{"name": "host"}]),
        lambda plan: plan.update(story=[{"id": "story.0"}]),
        lambda plan: plan.update(contract=7),
        lambda plan: plan["expectations"][0].update(verb=["sees"]),
        lambda plan: plan["story"][0].update(extra=1),
    ],
    ids=["field gone", "field too many", "actor", "step", "contract", "verb", "field of a step too many"],
)
def test_an_object_of_another_shape_is_no_plan(edit):
    data = json.loads(json.dumps(asdict(PLANS[0])))
    edit(data)
    with pytest.raises(PlanError, match="no plan of version"):
        plan_of(data)
