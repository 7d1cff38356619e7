"""The director on a stage of cardboard: what it asks of whom and when, and where it stops."""

from harness.faults.model import FAULTS
from harness.history.plan import Moment, Step
from harness.worlds.director import QUIET_S
from tests.harness.worlds.cardboard import Cardboard, failed, step, walk


def test_a_word_that_comes_lets_the_story_go_on_a_beat_later():
    stage = walk(step(0, "host", "says", "one"), step(1, "phone", "sees", "one", deadline_s=30.0))
    assert failed(stage) == []
    (at,) = [event.t for event in stage.events if event.what == "done" and event.data["step"] == "story.1"]
    assert at == int(at)


def test_a_word_that_never_comes_ends_the_story_at_its_deadline():
    stage = walk(step(0, "phone", "sees", "never", deadline_s=30.0), step(1, "host", "says", "not any more"))
    why = "phone never sees 'never' within 30 s"
    assert failed(stage) == [{"step": "story.0", "why": why, "code": "control", "deadline_s": 30.0, "waited_s": 30.0}]
    assert stage.acted == []


def test_what_is_told_of_a_wait_is_what_went_by_however_late_the_world_woke_up():
    (told,) = failed(walk(step(0, "phone", "sees", "never", deadline_s=30.0), late_s=7.0))
    assert (told["deadline_s"], told["waited_s"]) == (30.0, 37.0)


def test_a_question_that_never_comes_is_a_time_that_ran_out_too():
    (told,) = failed(walk(step(0, "phone", "approves", "write", deadline_s=30.0)))
    assert (told["code"], told["waited_s"]) == ("control", 30.0)


def test_an_outcome_that_is_for_the_judge_does_not_stop_the_story():
    stage = Cardboard(send={"err": {"code": "token-expired"}})
    walk(step(0, "phone", "sends", "one"), step(1, "host", "says", "on"), stage=stage)
    assert failed(stage) == []
    assert [event.data["code"] for event in stage.events if event.kind == "fail"] == ["token-expired"]
    assert len(stage.acted) == 1


CUT = Step(
    "story.0", 9, "fault", "", "cut", {"link": "host-relay", "for_s": 60.0}, during=(step(1, "host", "says", "in it"),)
)


def test_a_fault_lasts_as_long_as_it_says_whatever_happens_under_it():
    stage = walk(CUT, step(2, "host", "says", "after"))
    began, healed = (event.t for event in stage.events if event.kind == "fault")
    assert healed - began == 60.0
    assert {name for at, name in stage.performed if at == began} == {"block"}
    assert {name for at, name in stage.performed if at == healed} == {"unblock"}
    assert [began <= at < healed for at, _, _ in stage.acted] == [True, False]


def realised(stage):
    return next(event.data["realised_by"] for event in stage.events if event.kind == "fault")


def test_by_what_a_fault_is_carried_out_is_in_the_book_each_once():
    assert realised(walk(CUT)) == ["cardboard", "block", "unblock"]


def test_with_faults_off_only_the_book_is_kept():
    stage = walk(CUT, faults_off=True)
    assert stage.performed == []
    assert realised(stage) == []
    assert [(event.what, event.data.get("effect")) for event in stage.events if event.kind == "fault"] == [
        ("began", False),
        ("healed", None),
    ]


def test_a_pinned_fault_begins_when_it_began_before():
    stage = walk(CUT, pinned={"story.0": 100.0})
    assert next(event.t for event in stage.events if event.kind == "fault") == 100.0


class Slow(Cardboard):
    """Needs a quarter of a second for whatever it does."""

    def perform(self, operation):
        super().perform(operation)
        self.now += 0.25


def test_a_fault_that_does_not_heal_in_an_instant_says_when_its_healing_began():
    stage = walk(CUT, stage=Slow())
    began, healed = (event for event in stage.events if event.kind == "fault")
    assert healed.data["heal_began_at"] - began.t == 60.0
    assert healed.t - healed.data["heal_began_at"] == 0.25 * len(FAULTS["cut"](**CUT.args).heal())


def test_one_can_wait_for_a_moment_that_is_known_and_for_no_other():
    pause = Step("story.1", 9, "wait", "", "", {}, until=Moment("heal", 5.0))
    stage = walk(CUT, pause, step(2, "host", "says", "later"))
    healed = next(event.t for event in stage.events if event.what == "healed")
    assert stage.acted[-1][0] >= healed + 5.0
    assert [one["code"] for one in failed(walk(pause))] == ["no-moment"]


def test_a_session_whose_program_has_ended_cannot_act():
    stage = Cardboard()
    stage.dead.add("host")
    assert [one["code"] for one in failed(walk(step(0, "host", "says", "one"), stage=stage))] == ["control"]


class Dawdles(Cardboard):
    """Needs a tenth of a second to have the session say a line."""

    def agent(self, actor, act, args):
        self.now = round(self.now + 0.1, 9)
        super().agent(actor, act, args)


def test_lines_are_said_on_a_grid_and_each_is_told_its_place_in_it():
    stage = walk(step(0, "host", "says", {"lines": 4, "every": 0.25}), stage=Dawdles())
    meant = [args["at"] for _, _, args in stage.acted]
    assert [round(at - meant[0], 9) for at in meant] == [0.0, 0.25, 0.5, 0.75]
    assert [round(now - at, 9) for (now, _, _), at in zip(stage.acted, meant, strict=True)] == [0.1] * 4


def test_lines_that_a_stall_kept_waiting_are_said_at_once_each_with_its_own_time():
    class Stalls(Cardboard):
        def agent(self, actor, act, args):
            super().agent(actor, act, args)
            self.now += 0.6 if len(self.acted) == 1 else 0.0

    stage = walk(step(0, "host", "says", {"lines": 5, "every": 0.25}), stage=Stalls())
    late = [round(now - args["at"], 9) for now, _, args in stage.acted]
    assert late == [0.0, 0.35, 0.1, 0.0, 0.0]


def test_the_end_is_quiet_and_everybody_is_looked_at_once_more():
    stage = walk()
    drained = next(event.t for event in stage.events if event.what == "drained")
    set_up = next(event.t for event in stage.events if event.what == "set_up")
    assert drained - set_up >= QUIET_S
    assert stage.asked[-2:] == [("phone", "screen"), ("host", "screen")]
