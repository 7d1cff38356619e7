from dataclasses import replace
from pathlib import Path

import pytest

from harness.base.errors import PlanError
from harness.history.plan import Moment
from harness.run.admission import admitted
from harness.scenario.discover import discover
from harness.scenario.expand import plans

SCENARIOS = Path(__file__).parents[3] / "scenarios"
PLAN = plans(SCENARIOS / "outage" / "ten-minute-outage.yaml")[0]
SAYS, FAULT = PLAN.story[0], next(step for step in PLAN.story if step.do == "fault")
CLAIM = PLAN.expectations[0]


def test_every_plan_of_ours_is_admitted():
    found = [plan for file in discover([SCENARIOS]) for plan in plans(file)]
    assert found
    assert all(admitted(plan) is plan for plan in found)


def story(*steps):
    return replace(PLAN, story=steps)


def claim(**changed):
    return replace(PLAN, expectations=(replace(CLAIM, **changed),))


@pytest.mark.parametrize(
    ("plan", "told"),
    [
        (replace(PLAN, cast=()), "cast:"),
        (replace(PLAN, cast=(*PLAN.cast, PLAN.cast[0])), "cast:"),
        (replace(PLAN, given={"host": 7}), "given.host: not an object"),
        (story(SAYS, SAYS), "there are two of it"),
        (story(replace(SAYS, verb="nope")), "nobody can do host.nope"),
        (story(replace(SAYS, actor="nope")), "nobody can do nope.says"),
        (story(replace(SAYS, args={})), "nobody can do host.says"),
        (story(replace(SAYS, args={"value": 7})), "nobody can do host.says"),
        (story(replace(SAYS, deadline_s=float("inf"))), "inf s is no span"),
        (story(replace(SAYS, do="wait", args={})), "a wait for nothing"),
        (story(replace(FAULT, verb="nope")), "there is no fault 'nope'"),
        (story(replace(FAULT, args=FAULT.args | {"how": "nope"})), "there is no fault 'cut'"),
        (story(replace(FAULT, args=FAULT.args | {"how": ["reset"]})), "there is no fault 'cut'"),
        (story(replace(FAULT, args=FAULT.args | {"for_s": -5.0})), "there is no fault"),
        (story(replace(FAULT, args=FAULT.args | {"for_s": 1e300})), "no span"),
        (story(replace(FAULT, during=(replace(SAYS, verb="nope", id="x"),))), "x: nobody can do"),
        (replace(PLAN, expectations=()), "nothing is expected"),
        (claim(verb="nope"), "nothing can be expected of phone.nope"),
        (claim(args={}), "nothing can be expected of phone.sees"),
        (claim(actor="host", verb="exits", args={"value": "soon"}), "nothing can be expected of host.exits"),
        (claim(verb="message", args={"value": {"of": "one"}}), "needs of, reaches"),
        (claim(proves="RC-OUT-999.nope"), "no requirement has the id"),
    ],
)
def test_a_word_that_nobody_knows_is_refused_with_its_place(plan, told):
    with pytest.raises(PlanError, match="edited or damaged") as refused:
        admitted(plan)
    assert told in str(refused.value)


def test_a_wait_for_a_moment_needs_no_span():
    assert admitted(story(replace(SAYS, do="wait", args={}, until=Moment("heal"))))
