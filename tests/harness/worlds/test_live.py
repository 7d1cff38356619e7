"""A run without a story on a stage of cardboard: who talks when, what is begun, and what is refused."""

import math

import pytest

from harness.base.errors import UsageError, WorldError
from harness.faults.proof import GRACE_S
from harness.history.plan import Contract, Plan, Step
from harness.worlds.live import FIRST_S, IDLE_S, PATIENCE_S, SAYS_S, SETTLE_S, TALK_S, Live
from tests.harness.worlds.cardboard import CAST, Cardboard

PLAN = Plan("up", "up", "", "", "", "", {}, "wire", 1, Contract(), CAST, {}, (), ())


class Rehearsal:
    """A live run on cardboard that somebody may walk for a while."""

    def __init__(self, stage=None):
        self.stage, self.ready, self.hurried = stage or Cardboard(), [], []
        self.live = Live(PLAN, self.stage, ready=lambda: self.ready.append(self.stage.now), hurry=self.hurried.append)
        self._directions = self.live.directions()

    def until(self, at):
        """Walk until a time, or to the end."""
        until = next(self._directions, None)
        while until is not None and until.at <= at:
            if not until.holds():
                self.stage.now = max(self.stage.now, until.at)
            until = next(self._directions, None)
        self.stage.now = at if until is not None else self.stage.now
        return self

    def begin(self, step):
        over = []
        self.live.begin(step, lambda: over.append(self.stage.now))
        return over

    def said(self, since=0.0, until=math.inf):
        return [at for at, act, _ in self.stage.acted if act == "say" and since <= at < until]


def cut(for_s, link="host-relay"):
    return Step("fault.1", 1, "fault", "", "cut", {"link": link, "for_s": for_s})


def sleeps(for_s, machine="host"):
    return Step("fault.2", 1, "fault", machine, "sleeps", {"machine": machine, "for_s": for_s})


def test_the_agent_talks_as_soon_as_everybody_is_there():
    run = Rehearsal().until(30.0)
    assert len(run.ready) == 1
    assert len(run.said(10.0, 20.0)) == 10.0 / IDLE_S


def test_nothing_begins_before_everybody_is_there():
    with pytest.raises(UsageError, match="still starting"):
        Rehearsal().begin(cut(30.0))


def test_a_fault_begins_when_it_is_asked_for_and_its_evidence_is_due_a_little_after_its_end():
    run = Rehearsal().until(10.0)
    over = run.begin(cut(30.0))
    run.until(60.0)
    began, healed = (event.t for event in run.stage.events if event.kind == "fault")
    assert (began, healed) == (10.0, 40.0)
    assert over == [healed + SETTLE_S]
    assert run.hurried[-1] is False
    assert run.said(began, healed)[:2] == [began + FIRST_S, began + FIRST_S + SAYS_S]
    assert FIRST_S > GRACE_S


def test_a_moment_is_watched_for_as_long_as_silence_may_go_unnoticed():
    run = Rehearsal().until(10.0)
    over = run.begin(Step("fault.1", 1, "fault", "host", "clock_steps", {"machine": "host", "by_s": 60.0}))
    run.until(100.0)
    assert over == [10.0 + Contract().dead_peer_bound_s]


def test_a_long_fault_is_hurried_and_the_agent_falls_silent_in_it():
    run = Rehearsal().until(10.0)
    run.begin(cut(600.0))
    run.until(500.0)
    assert run.hurried[-1] is True
    assert run.said(10.0, 10.0 + TALK_S)
    assert not run.said(10.0 + TALK_S + SAYS_S, 500.0)
    run.until(700.0)
    assert run.hurried[-1] is False
    assert run.said(610.0)


def test_a_minute_is_not_hurried():
    run = Rehearsal().until(10.0)
    run.begin(cut(PATIENCE_S))
    run.until(20.0)
    assert run.hurried == [False]


def test_nobody_talks_in_sleep():
    run = Rehearsal().until(10.0)
    run.begin(sleeps(30.0))
    run.until(60.0)
    assert not run.said(10.0, 40.0)
    assert run.said(40.0)


@pytest.mark.parametrize("other", [cut(5.0), sleeps(5.0)])
def test_a_machine_is_in_the_hands_of_one_fault_at_a_time(other):
    run = Rehearsal().until(10.0)
    run.begin(sleeps(3600.0))
    run.until(20.0)
    with pytest.raises(UsageError, match="host is in the hands of `sleeps` for another 59m55s"):
        run.begin(other)
    run.begin(cut(5.0, "phone-relay"))


def test_a_machine_is_free_again_when_the_evidence_of_its_fault_is_in():
    run = Rehearsal().until(10.0)
    run.begin(sleeps(5.0))
    run.until(30.0)
    assert run.begin(cut(5.0)) == []


def test_a_program_that_has_ended_takes_no_fault():
    run = Rehearsal().until(10.0)
    run.stage.dead.add("host")
    run.until(20.0)
    with pytest.raises(UsageError, match="the program of host has ended"):
        run.begin(sleeps(5.0))


def test_it_goes_on_until_it_is_told_to_end():
    run = Rehearsal().until(1000.0)
    run.live.end()
    run.until(math.inf)
    assert run.stage.now == 1000.0


def test_what_does_not_come_up_is_an_error():
    with pytest.raises(WorldError, match="does not come up: relay could not hello"):
        Rehearsal(Cardboard(hello={"err": {"code": "unsupported"}})).until(100.0)


def test_a_run_that_became_too_long_ends(monkeypatch):
    monkeypatch.setattr("harness.worlds.live.EVENTS_MAX", 100)
    with pytest.raises(WorldError, match="more than 100 things"):
        Rehearsal().until(10_000.0)
