"""A plan survives its file exactly, and a file that anybody touched is refused."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.base.errors import PlanError
from harness.history.plan import PLAN_VERSION, Contract
from harness.scenario import plan_file
from harness.scenario.expand import plans

SCENARIOS = Path(__file__).parents[3] / "scenarios"
FOUR = ("outage/ten-minute-outage", "sleep/laptop-sleeps", "credentials/token-expires", "proxy/only-a-proxy")
PLANS = [plan for name in FOUR for plan in plans(SCENARIOS / f"{name}.yaml")]


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.id)
def test_every_plan_comes_back_equal(plan, tmp_path):
    path = tmp_path / "plan.json"
    plan_file.save(plan, path)
    again = plan_file.load(path)
    assert again == plan
    assert isinstance(again.story, tuple)
    assert isinstance(again.contract, Contract)
    assert [file.name for file in tmp_path.iterdir()] == ["plan.json"]


@pytest.mark.slow
@settings(deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False), st.text(), st.dictionaries(st.text(), st.floats(0, 1e9)))
def test_odd_values_come_back_equal(seconds, text, pinned):
    plan = replace(
        PLANS[0],
        about=text,
        contract=replace(PLANS[0].contract, outage_limit_s=seconds),
        pinned=pinned,
        faults_off=True,
    )
    assert plan_file.from_text(plan_file.to_text(plan)) == plan


def test_the_same_plan_gives_the_same_bytes():
    assert plan_file.to_text(PLANS[0]) == plan_file.to_text(plan_file.from_text(plan_file.to_text(PLANS[0])))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_truncated_plan_is_refused(share):
    text = plan_file.to_text(PLANS[0])
    with pytest.raises(PlanError, match="truncated or no plan at all"):
        plan_file.from_text(text[: int(len(text) * share)])


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda data: data["plan"].update(seed=2), "was edited after it was saved"),
        (lambda data: data["plan"]["story"].pop(), "was edited after it was saved"),
        (lambda data: data.pop("sha256"), "was edited after it was saved"),
        (lambda data: data.update(relayproof_plan=PLAN_VERSION + 1), "is of version"),
        (lambda data: data.pop("relayproof_plan"), "is JSON but no plan"),
        (lambda data: data.update(plan=[]), "is JSON but no plan"),
    ],
    ids=["seed", "step gone", "digest gone", "version", "version gone", "plan gone"],
)
def test_an_edited_plan_is_refused(edit, message):
    data = json.loads(plan_file.to_text(PLANS[0]))
    edit(data)
    with pytest.raises(PlanError, match=message):
        plan_file.from_text(json.dumps(data))


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_refused_by_a_plan_error(noise):
    with pytest.raises(PlanError):
        plan_file.from_text(noise)


def test_deep_json_is_refused():
    with pytest.raises(PlanError):
        plan_file.from_text("[" * 100_000)


def test_a_missing_file_and_an_unwritable_place_are_plan_errors(tmp_path):
    with pytest.raises(PlanError, match="cannot be read"):
        plan_file.load(tmp_path / "none.json")
    with pytest.raises(PlanError, match="cannot be written"):
        plan_file.save(PLANS[0], tmp_path / "none" / "plan.json")
