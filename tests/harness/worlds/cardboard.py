"""A stage of cardboard: it answers every verb at once, and its time jumps to whatever is waited for."""

from dataclasses import replace

from harness.history.events import Event
from harness.history.plan import Actor, Contract, Plan, Step
from harness.sut.contract import PROBE_VERB, Call
from harness.worlds.director import Director

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

    stood_s = 0.0

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

    def realised_by(self, operation):
        return ("cardboard", operation.name)


def step(number, actor, verb, value=None, **more):
    return Step(f"story.{number}", 9, more.pop("do", "verb"), actor, verb, {"value": value}, **more)


def walk(*story, stage=None, given=None, late_s=0.0, **changes):
    """Walk a story on a stage that wakes up so late from each wait."""
    stage = stage or Cardboard()
    plan = Plan("x", "x", "f", "x.yaml", "0", "x", {}, "sim", 1, Contract(), CAST, given or {}, story, ())
    for until in Director(replace(plan, **changes), stage).directions():
        if not until.holds():
            stage.now = max(stage.now, until.at) + late_s
    return stage


def failed(stage):
    return [event.data for event in stage.events if event.kind == "story" and event.what == "failed"]
