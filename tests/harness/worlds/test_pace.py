"""How a wait ends: in time, early, or later by what the machine stood."""

import pytest

from harness.worlds.pace import Pace
from harness.worlds.stage import NEVER
from tests.harness.worlds.cardboard import Cardboard

BEGINS_S, ENDS_S = 12.0, 29.0
"""The machine stands meanwhile."""


def walk(directions, stage, *, look_s=0.1):
    for until in directions:
        while stage.now < until.at and not until.holds():
            at = min(until.at, stage.now + look_s)
            stage.now = max(at, ENDS_S) if at > BEGINS_S else at
            stage.stood_s = ENDS_S - BEGINS_S if stage.now >= ENDS_S else 0.0
    return stage.now


@pytest.mark.parametrize(
    ("word_at", "over_at"),
    [(5.0, 5.0), (20.0, ENDS_S), (40.0, 40.0), (47.0, 47.0), (48.0, 47.0)],
    ids=["before", "meanwhile", "after, later than was meant", "at the very end", "too late"],
)
@pytest.mark.parametrize("within_s", [30.0, 18.0])
def test_who_is_waited_for_gets_back_what_the_machine_stood(word_at, over_at, within_s):
    stage = Cardboard()
    latest = within_s + ENDS_S - BEGINS_S
    found = walk(Pace(stage).wait_for(within_s, lambda: stage.now >= word_at - 1e-6), stage)
    assert found == pytest.approx(min(over_at, latest))
    back = [event.data["stood_s"] for event in stage.events if event.what == "given_back"]
    assert back == [ENDS_S - BEGINS_S] * (max(within_s, ENDS_S) < word_at <= latest)


@pytest.mark.parametrize("holds", [NEVER, lambda: False])
def test_what_the_story_can_do_without_is_waited_for_no_longer(holds):
    stage = Cardboard()
    assert walk(Pace(stage).wait(30.0, holds), stage) == pytest.approx(30.0)
    assert stage.events == []


def test_what_is_told_of_a_wait_is_when_it_began_and_was_to_end():
    pace = Pace(Cardboard())
    walk(pace.wait_for(30.0, lambda: False), pace.stage)
    assert pace.waited == (0.0, 30.0)


@pytest.mark.parametrize(("is_needed", "until"), [(True, 47.0), (False, 30.0)])
def test_only_a_call_that_is_needed_gets_it_back(is_needed, until):
    stage = Cardboard(list=None)
    walk(Pace(stage).call("phone", "list", {}, deadline_s=30.0, is_needed=is_needed), stage)
    assert stage.now == pytest.approx(until)
    told = stage.events[-1].data
    assert (told["code"], told["stood_s"]) == ("deadline", ENDS_S - BEGINS_S)


def test_a_call_that_is_answered_or_stood_nowhere_tells_of_no_stall():
    stage = Cardboard()
    walk(Pace(stage).call("phone", "list", {}, deadline_s=30.0), stage)
    quiet = Cardboard(list=None)
    for until in Pace(quiet).call("phone", "list", {}, deadline_s=30.0):
        quiet.now = until.at
    assert ["stood_s" in one.events[-1].data for one in (stage, quiet)] == [False, False]


def test_what_is_due_meanwhile_is_done_when_it_is_due():
    stage, done = Cardboard(), []
    pace = Pace(stage)
    pace.at(10.0, lambda: done.append(stage.now))
    pace.at(35.0, lambda: done.append(stage.now))
    walk(pace.wait_for(30.0, lambda: False), stage)
    assert done == pytest.approx([10.0, 35.0])


def test_what_stood_before_the_wait_is_not_given_back():
    stage = Cardboard()
    stage.now, stage.stood_s = 100.0, 50.0
    pace = Pace(stage)
    for until in pace.wait_for(110.0, lambda: False):
        stage.now = until.at
    assert stage.now == 110.0


@pytest.mark.parametrize("stood_s", [0.0, 0.1 + 0.2])
@pytest.mark.parametrize("began_at", [1.096, 51.322262778, 1 / 3])
def test_a_wait_ends_wherever_it_begins_between_two_nanoseconds(began_at, stood_s):
    """``51.322262778 + 60.0`` is a fraction above the nanosecond that a clock shows there: who compares the two waits for ever."""
    stage = Cardboard()
    stage.now = round(began_at, 9)
    for n, until in enumerate(Pace(stage).wait_for(stage.now + 60.0, lambda: False)):
        assert n < 5
        stage.now, stage.stood_s = round(until.at, 9), stood_s
    assert stage.now == pytest.approx(began_at + 60.0 + stood_s)
