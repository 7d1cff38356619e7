"""A small plan, a history of it and a finding, for tests of what is shown of runs."""

from harness.base.verdict import Verdict
from harness.checks.model import Finding
from harness.history.events import Event, Footer, History
from harness.history.plan import Actor, Contract, Expectation, Plan, Step
from harness.report.model import FaultRow, RequirementRow, Row

CAST = (Actor("phone", "device", "reference"), Actor("relay", "relay", "reference"), Actor("host", "host", "sut"))


def plan(**changes) -> Plan:
    fields = {
        "id": "ten-minute-outage[twelve minutes end it,how=reset]",
        "scenario": "ten-minute-outage",
        "family": "outage",
        "file": "scenarios/outage/ten-minute-outage.yaml",
        "digest": "0" * 64,
        "about": "Awake but cut off, the host ends its session.",
        "params": {"how": "reset"},
        "world": "sim",
        "seed": 7,
        "contract": Contract(),
        "cast": CAST,
        "given": {},
        "story": (Step("story.0", 7, "verb", "host", "says", {"value": "one"}),),
        "expectations": (Expectation("expect.0", 20, "host", "exits", {"value": "any"}, "RC-OUT-002.ends"),),
    }
    return Plan(**(fields | changes))


EVENTS = (
    Event(0, 0.0, "host", "os", "process.started", {"incarnation": 1}),
    Event(1, 2.0, "host", "os", "agent.said", {"text": "one", "step": "story.0"}),
    Event(2, 2.1, "phone", "saw", "shown", {"seq": 1, "kind": "update", "text": "one"}),
    Event(3, 3.0, "host-relay", "fault", "began", {"id": "story.2", "name": "cut", "effect": True}),
    Event(4, 18.0, "phone", "wire", "heartbeat", {"conn": 3}),
    Event(5, 723.0, "host-relay", "fault", "healed", {"id": "story.2", "name": "cut"}),
    Event(6, 725.0, "phone", "fail", "send", {"code": "unknown-session"}),
)


def history(**changes) -> History:
    return History(plan(**changes), EVENTS, Footer(840.0, 720.0, 0.1, "ab" * 32, 10))


def finding(**changes) -> Finding:
    fields = {
        "requirement": "RC-OUT-002.ends",
        "check": "host.exits",
        "verdict": Verdict.FAIL,
        "code": "still-there",
        "message": "the host must end, but it was still there",
        "expected": "585s..660s",
        "observed": {"exit": None},
        "events": (6,),
        "measured": 1,
        "line": 20,
    }
    return Finding(**(fields | changes))


def row(verdict: Verdict = Verdict.PASS, **changes) -> Row:
    fields = {
        "id": "a[1]",
        "node": "scenarios/outage/a.yaml::a[1]",
        "file": "scenarios/outage/a.yaml",
        "line": 3,
        "family": "outage",
        "seed": 7,
        "world": "sim",
        "profile": "article-2026-02",
        "simulated_s": 840.0,
        "awake_s": 720.0,
        "wall_s": 0.05,
        "history_sha256": "ab",
        "requirements": (RequirementRow("RC-OUT-002.ends", "MUST", verdict),),
        "faults": (FaultRow("cut", {"bit": True}, ("sim",)),),
    }
    if verdict > Verdict.PASS:
        fields |= {"why": "RC-OUT-002.ends late: too late", "explanation": "FAIL a[1] explained"}
    return Row(verdict=verdict, **(fields | changes))
