"""A world that acts nothing out: it hands over the history that a test gives it."""

import threading
from dataclasses import replace
from pathlib import Path

from harness.history.events import Event, Footer, History
from harness.history.plan import Actor, Contract, Expectation, Plan, Step
from harness.run import runner

STORY = """\
scenario: {name}
about: The session says a word and the phone shows it.
cast: {{host: sut, relay: reference, phone: reference}}
vary: {{word: [{words}]}}
story:
  - host.says: $word
expect:
  - {{phone.sees: $word, times: 1, proves: RC-OUT-001.catches-up}}
"""


def write_story(folder, name="a-word", words="yes, no"):
    path = folder / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(STORY.format(name=name, words=words))
    return path


def plan(**changes):
    fields = {
        "id": "a-word[word=yes]",
        "scenario": "a-word",
        "family": "talk",
        "file": "talk/a-word.yaml",
        "digest": "0" * 64,
        "about": "The session says a word.",
        "params": {"word": "yes"},
        "world": "sim",
        "seed": 1,
        "contract": Contract(),
        "cast": (
            Actor("host", "host", "sut"),
            Actor("relay", "relay", "reference"),
            Actor("phone", "device", "reference"),
        ),
        "given": {},
        "story": (Step("story.0", 6, "verb", "host", "says", {"value": "yes"}),),
        "expectations": (
            Expectation("expect.0", 8, "phone", "sees", {"value": ["yes"]}, "RC-OUT-001.catches-up", times=1),
        ),
    }
    return Plan(**(fields | changes))


def acted(plan, *, shown=True):
    """A whole run of a plan; ``shown`` says whether the phone showed the word."""
    word = plan.story[0].args["value"]
    events = [
        ("host", "os", "process.started", {"incarnation": 1}),
        ("host", "story", "step", {"step": "story.0", "verb": "says"}),
        ("host", "os", "agent.said", {"text": word, "step": "story.0"}),
        ("host", "story", "done", {"step": "story.0"}),
    ]
    if shown:
        entry = {"seq": 1, "epoch": 1, "author": "host", "kind": "update", "text": word, "msg_id": "h1"}
        events.append(("phone", "saw", "shown", entry))
    events.append(("harness", "story", "drained", {}))
    numbered = tuple(Event(n, float(n), *event) for n, event in enumerate(events))
    return History(plan, numbered, Footer(60.0, 60.0, 0.01, "ab" * 32, 4))


class FakeWorld:
    """Shows every word but ``no``; breaks at ``crash``. Class attributes let a test change what it does."""

    runs = 0

    def __init__(self, programs=None):
        self.programs = programs

    def run(self, plan):
        type(self).runs += 1
        word = plan.story[0].args["value"]
        if word == "crash":
            raise RuntimeError("the world broke")
        return acted(replace(plan, invariants=()), shown=word != "no")


class SlowWorld(FakeWorld):
    """Says that it waits, then does so, long enough for somebody to press Ctrl-C."""

    def run(self, plan):
        if plan.story[0].args["value"] == "wait":
            Path("out/waiting").touch()
            threading.Event().wait(0.5)
        return super().run(plan)


def use_fake_world(monkeypatch, module="tests.harness.run.stage", name="FakeWorld"):
    monkeypatch.setitem(runner.WORLDS, "sim", (module, name))
