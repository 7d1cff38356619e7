"""The director on a stage of cardboard: what it asks of whom and when, and where it stops."""

from dataclasses import replace

import pytest

from harness.history.events import Event
from harness.history.plan import Actor, Contract, Moment, Plan, Step
from harness.sut.contract import PROBE_VERB, Call
from harness.worlds.director import QUIET_S, Director

CAST = (
    Actor("phone", "device", "reference"),
    Actor("host", "host", "sut"),
    Actor("relay", "relay", "reference"),
)

ANSWERS = {
    PROBE_VERB: {"err": {"code": "unsupported"}},
    "hello": {"ok": {"name": "cardboard"}},
    "issue": {"ok": {"credential": "rcr_secret"}},
    "start": {"ok": {"session": "s1"}},
    "list": {"ok": {"sessions": [{"session": "s1"}]}},
}


class Cardboard:
    """Answers every verb at once from a table; time jumps to whatever is waited for."""

    def __init__(self, **answers):
        self.now, self.events, self.asked, self.performed, self.acted, self.kept = 0.0, [], [], [], [], {}
        self._answers = ANSWERS | answers
        self.dead = set()

    def record(self, actor, kind, what, /, **data):
        self.events.append(Event(len(self.events), self.now, actor, kind, what, data))
        return self.events[-1]

    def call(self, actor, verb, args):
        self.asked.append((actor, verb))
        call = Call(verb, args)
        reply = self._answers.get(verb, {"ok": {}})
        if reply is not None:
            call.answer(reply)
        return call

    def alive(self, actor):
        return actor not in self.dead

    def boot(self, actor):
        self.dead.discard(actor)

    def keep_credential(self, actor, credential):
        self.kept[actor] = credential

    def start_args(self, actor):
        return {"credential": self.kept.get(actor)}

    def agent(self, actor, act, args):
        self.acted.append((self.now, act, args))
        if act == "say":
            self.record("phone", "saw", "shown", text=args["text"])

    def perform(self, operation):
        self.performed.append((self.now, operation.name))


def step(number, actor, verb, value=None, **more):
    return Step(f"story.{number}", 9, more.pop("do", "verb"), actor, verb, {"value": value}, **more)


def walk(*story, stage=None, given=None, **changes):
    stage = stage or Cardboard()
    plan = Plan("x", "x", "f", "x.yaml", "0", "x", {}, "sim", 1, Contract(), CAST, given or {}, story, ())
    for until in Director(replace(plan, **changes), stage).directions():
        if not until.holds():
            stage.now = max(stage.now, until.at)
    return stage


def failed(stage):
    return [event.data for event in stage.events if event.kind == "story" and event.what == "failed"]


def test_the_relay_starts_first_and_who_it_knows_has_a_credential():
    stage = walk()
    assert failed(stage) == []
    assert [actor for actor, verb in stage.asked if verb == "start"] == ["relay", "host", "phone"]
    assert stage.asked.index(("phone", "attach")) > stage.asked.index(("host", "start"))
    assert stage.kept == {"host": "rcr_secret", "phone": "rcr_secret"}


def test_no_credential_reaches_the_history():
    assert "rcr_secret" not in repr(walk().events)


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ({PROBE_VERB: {"ok": {}}}, "untrusted-adapter"),
        ({PROBE_VERB: None}, "untrusted-adapter"),
        ({"start": {"err": {"code": "bad-args"}}}, "no-start"),
        ({"start": None}, "no-start"),
        ({"hello": {"err": {"code": "network"}}}, "setup"),
        ({"list": {"ok": {"sessions": []}}}, "not-listed"),
    ],
)
def test_a_role_that_cannot_be_set_up_ends_the_story(answers, code):
    assert [one["code"] for one in failed(walk(stage=Cardboard(**answers)))] == [code]


def test_a_refused_start_that_was_meant_is_no_failure():
    stage = Cardboard(start={"err": {"code": "plan-required"}}, list={"ok": {"sessions": [{"session": ""}]}})
    given = {name: {"account": {"plan": "free"}} for name in ("host", "relay", "phone")}
    assert failed(walk(stage=stage, given=given)) == []


def test_a_word_that_comes_lets_the_story_go_on_a_beat_later():
    stage = walk(step(0, "host", "says", "one"), step(1, "phone", "sees", "one", deadline_s=30.0))
    assert failed(stage) == []
    (at,) = [event.t for event in stage.events if event.what == "done" and event.data["step"] == "story.1"]
    assert at == int(at)


def test_a_word_that_never_comes_ends_the_story_at_its_deadline():
    stage = walk(step(0, "phone", "sees", "never", deadline_s=30.0), step(1, "host", "says", "not any more"))
    assert failed(stage) == [{"step": "story.0", "why": "phone never sees 'never' within 30 s", "code": "control"}]
    assert stage.acted == []


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


def test_with_faults_off_only_the_book_is_kept():
    stage = walk(CUT, faults_off=True)
    assert stage.performed == []
    assert [(event.what, event.data.get("effect")) for event in stage.events if event.kind == "fault"] == [
        ("began", False),
        ("healed", None),
    ]


def test_a_pinned_fault_begins_when_it_began_before():
    stage = walk(CUT, pinned={"story.0": 100.0})
    assert next(event.t for event in stage.events if event.kind == "fault") == 100.0


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


def test_the_end_is_quiet_and_everybody_is_looked_at_once_more():
    stage = walk()
    drained = next(event.t for event in stage.events if event.what == "drained")
    set_up = next(event.t for event in stage.events if event.what == "set_up")
    assert drained - set_up >= QUIET_S
    assert stage.asked[-2:] == [("phone", "screen"), ("host", "screen")]
