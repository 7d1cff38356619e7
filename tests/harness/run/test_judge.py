import math
from dataclasses import asdict, replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.base.rank import Rank
from harness.base.verdict import Verdict, worst
from harness.checks import model
from harness.checks.findings import Voice
from harness.checks.model import case_of
from harness.checks.requirements import load_requirements
from harness.history.events import Event, Footer
from harness.history.plan import Contract, Step
from harness.run.judge import judge
from harness.run.judgement import CONTROL
from tests.harness.checks.made import CAST, event, expects, history, plan, response, shows
from tests.harness.run.judged import FAULT, RUN, SEES, STOP, judged, use_proven, without


@pytest.fixture(autouse=True)
def _fault(monkeypatch):
    use_proven(monkeypatch)


def test_a_good_run_passes():
    result = judged()
    assert result.verdict is Verdict.PASS
    assert result.requirements == {"RC-OUT-001.catches-up": Verdict.PASS}
    assert result.first_failure is None
    assert [(one.bit, one.realised_by) for one in result.evidence] == [(True, ("sim",))]


NOT_GREEN = {
    "no evidence": (without("bitten"), {}, Verdict.INCONCLUSIVE, "no-evidence"),
    "faults off": (without("bitten"), {"faults_off": True}, Verdict.INCONCLUSIVE, "no-evidence"),
    "never began": (without("began", "bitten"), {}, Verdict.INCONCLUSIVE, "no-evidence"),
    "evidence forged": (
        [*without("bitten"), event(5, "host", "fault", "evidence", id="story.0", rank="os", attempted=9, bit=True)],
        {},
        Verdict.INCONCLUSIVE,
        "no-evidence",
    ),
    "evidence unreadable": (
        RUN,
        {"story": (replace(FAULT, args={"raises": True}),)},
        Verdict.INCONCLUSIVE,
        "no-evidence",
    ),
    "evidence a mere claim": (
        RUN,
        {"story": (replace(FAULT, args={"rank": Rank.ADAPTER}),)},
        Verdict.INCONCLUSIVE,
        "no-evidence",
    ),
    "tap blind": (without("heard", "request"), {}, Verdict.INCONCLUSIVE, "tap-blind"),
    "tap hears one side": (without("heard"), {}, Verdict.INCONCLUSIVE, "tap-blind"),
    "tap sees others only": (
        [*without("heard", "request"), event(0, "phone", "wire", "request", conn=2), response(1, 200)],
        {},
        Verdict.INCONCLUSIVE,
        "tap-blind",
    ),
    "not drained": (without("shown"), {"drained": False}, Verdict.INCONCLUSIVE, "not-drained"),
    "lost": (without("shown"), {}, Verdict.FAIL, "lost-write"),
    "nothing expected": (RUN, {"expectations": ()}, Verdict.NOT_RUN, "nothing-expected"),
    "no check": (RUN, {"expectations": (expects("phone", "dances", 1),)}, Verdict.NOT_RUN, "no-check"),
    "no law": (RUN, {"invariants": ("no-such-law",)}, Verdict.NOT_RUN, "no-check"),
    "no moment": (
        RUN,
        {"expectations": (replace(SEES, of="token.expiry", within_s=1.0),)},
        Verdict.INCONCLUSIVE,
        "no-moment",
    ),
    "step missing": (without("done"), {}, Verdict.NOT_RUN, "step-missing"),
    "empty plan": ([], {}, Verdict.NOT_RUN, "step-missing"),
    "step unplanned": ([*RUN, event(14, "h", "story", "step", step="story.7")], {}, Verdict.HARNESS_ERROR, "unplanned"),
    "fault unplanned": ([*RUN, event(14, "h", "fault", "began", id="x")], {}, Verdict.HARNESS_ERROR, "unplanned"),
    "stopped by the harness": (
        [*RUN, event(14, "harness", "story", "failed", step="story.0", why="?", code="no-moment")],
        {},
        Verdict.HARNESS_ERROR,
        "no-moment",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_GREEN)
def test_what_must_not_be_green(name):
    events, fields, verdict, code = NOT_GREEN[name]
    result = judged(events, **fields)
    assert result.verdict is verdict
    assert result.first_failure is not None
    assert code in {finding.code for finding in result.findings}


@pytest.mark.parametrize(
    ("said", "meant_s"),
    [({"heal_began_at": 10.5}, 9.5), ({}, 10.0)]
    + [({"heal_began_at": no_time}, 10.0) for no_time in (None, "10.5", 0.5, 11.5, math.nan, math.inf)],
)
def test_a_fault_was_meant_until_its_healing_began_if_the_history_tells_a_time_within_it(said, meant_s):
    events = [replace(one, data=one.data | said) if one.what == "healed" else one for one in RUN]
    (seen,) = judged(events).evidence
    assert seen.evidence is not None
    assert (seen.evidence.window.meant_s, seen.evidence.window.heal_s) == (meant_s, 10.0 - meant_s)


def test_a_fault_that_never_healed_was_meant_until_the_end():
    (seen,) = judged(without("healed")).evidence
    assert seen.evidence is not None
    assert asdict(seen.evidence.window) == {"began_at": 1, "healed_at": RUN[-1].t, "heal_began_at": None}


@pytest.mark.parametrize(
    ("step", "rank"),
    [
        (Step("story.0", 5, "fault", "", "cut", {"link": "host-relay"}), Rank.PEER),
        (Step("story.0", 5, "fault", "", "freezes", {"machine": "host", "for_s": 10.0}), Rank.OS),
    ],
)
def test_on_a_shared_loopback_a_link_may_have_been_gone_around(step, rank):
    seen = [
        event(0.1, "world", "os", "ground.shared"),
        event(1, "host", "os", "process.frozen"),
        event(5, "host", "os", "socket.attempted", link="host-relay", direction="up", bytes=9, passed=0, largest=9),
        event(11, "host", "os", "process.thawed", frozen_s=10.0),
    ]
    events = [*without("bitten"), *seen]
    (found,) = judged(sorted(events, key=lambda one: one.t), story=(step,)).evidence
    (own,) = judged(
        sorted([one for one in events if one.what != "ground.shared"], key=lambda one: one.t), story=(step,)
    ).evidence
    assert found.evidence is not None
    assert own.evidence is not None
    assert (found.bit, found.evidence.rank, own.evidence.rank) == (own.bit, rank, Rank.OS)
    assert found.bit


def test_a_broken_control_fails_there_and_leaves_the_rest_open():
    result = judged([*without("shown"), STOP])
    assert result.requirements == {"RC-OUT-001.catches-up": Verdict.INCONCLUSIVE, "RC-SES-000.control": Verdict.FAIL}
    assert result.first_failure is not None
    assert result.first_failure.line == 5


def test_a_control_is_judged_in_a_story_without_faults_too_and_its_row_says_so():
    result = judged(
        [*without("began", "healed", "shown"), STOP], story=(Step("story.0", 5, "verb", "phone", "sees", {}),)
    )
    assert result.requirements[CONTROL] is Verdict.FAIL
    assert "with faults or without" in load_requirements()[CONTROL].text


def test_a_broken_control_under_a_fault_that_did_not_bite_is_open():
    result = judged([*without("shown", "bitten"), STOP])
    assert result.verdict is Verdict.INCONCLUSIVE


def test_a_blind_tap_leaves_a_control_open_and_names_the_remedy():
    result = judged([*without("heard", "request"), STOP])
    (control,) = [one for one in result.findings if one.check == "control"]
    assert (control.verdict, control.code) == (Verdict.INCONCLUSIVE, "tap-blind")
    assert "host" in control.message
    assert "TLS contexts of its own" in control.message


def raising(_case, _entry=None):
    raise KeyError("boom")


def test_a_check_that_raises_is_our_fault(monkeypatch):
    monkeypatch.setitem(model.EXPECTATIONS, ("device", "sees"), model.Registered("sees", raising, Rank.PEER))
    monkeypatch.setitem(model.INVARIANTS, "broken", raising)
    result = judged(invariants=("broken",))
    assert [finding.verdict for finding in result.findings] == [Verdict.HARNESS_ERROR] * 2
    assert "boom" in result.findings[0].message


@pytest.mark.parametrize(
    ("finding", "verdict", "code"),
    [
        (Voice("RC-OTHER", "x").passes(1, 1, events=[0]), Verdict.HARNESS_ERROR, "unplanned"),
        (Voice(SEES.proves, "x").passes(0, 1), Verdict.INCONCLUSIVE, "nothing-measured"),
        (Voice(SEES.proves, "x").passes(1, 1), Verdict.INCONCLUSIVE, "weak-evidence"),
    ],
)
def test_a_pass_must_be_well_founded(monkeypatch, finding, verdict, code):
    lax = model.Registered("sees", lambda _case, _entry: finding, Rank.PEER)
    monkeypatch.setitem(model.EXPECTATIONS, ("device", "sees"), lax)
    (result,) = judged().findings
    assert (result.verdict, result.code) == (verdict, code)


def test_a_law_without_an_opinion_was_not_run(monkeypatch):
    monkeypatch.setitem(model.INVARIANTS, "mute", lambda _case: [])
    assert judged(invariants=("mute",)).verdict is Verdict.NOT_RUN


# --- the lattice, and any soup of events


@given(st.lists(st.sampled_from(Verdict)), st.sampled_from(Verdict))
def test_a_verdict_only_worsens(verdicts, one):
    assert worst([*verdicts, one]) >= worst(verdicts) or not verdicts
    assert worst([]) is Verdict.NOT_RUN


@given(st.lists(st.sampled_from(Verdict), min_size=1, max_size=4))
def test_a_verdict_does_not_depend_on_order(verdicts):
    assert len({worst(order) for order in permutations(verdicts)}) == 1


NAMES = [one.name for one in CAST]
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 9), st.sampled_from(["one", "s1", "online", "allow", "entry", "hello", "ok"]),
    st.just([]), st.just({}), st.just(["one"]), st.just({"state": "online"}),
)  # fmt: skip
KEYS = [
    "text", "seq", "epoch", "session", "author", "msg_id", "kind", "event", "conn", "op", "step", "id", "name", "state", "stage",
    "request", "option", "tool", "call", "status", "problem", "items", "form", "canaries", "bytes", "code", "via", "probe", "claims",
    "stream", "first", "after", "of", "presence", "pending", "sessions", "title", "method", "path", "open", "link", "direction", "passed",
    "asked", "compared", "hurried", "went_s", "why", "stood_s", "waited_s", "late_s",
]  # fmt: skip
WHATS = [
    "agent.said", "agent.heard", "shown", "presence", "status", "send", "answer", "attach", "list", "screen", "type", "rename",
    "frame", "request", "response", "heard", "heartbeat", "carried", "stream.ended", "socket.dialled", "socket.listening",
    "socket.closed", "process.started", "process.exited", "machine.suspended", "machine.resumed", "tool.asked", "tool.ran",
    "approval", "message", "began", "healed", "moment", "drained", "step", "done", "failed", "hello", "gap", "tool.answered_again",
    "clock.compared", "clock.differs", "process.broke_contract", "given_back", "clock.late",
]  # fmt: skip
EVENTS = st.builds(
    Event,
    st.just(0),
    st.floats(0, 1e6),
    st.sampled_from(NAMES),
    st.sampled_from(["invoke", "ok", "fail", "info", "saw", "os", "wire", "fault", "story"]),
    st.sampled_from(WHATS),
    st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=8),
)


@pytest.mark.slow
@given(
    st.lists(EVENTS, max_size=25), VALUES, st.sampled_from(sorted(model.EXPECTATIONS)), st.sampled_from([None, 0, 1])
)
def test_no_soup_of_events_makes_a_check_raise(events, value, key, times):
    role, verb = key
    actor = {"host": "host", "relay": "relay", "device": "phone", "wire": "wire"}[role]
    entry = expects(actor, verb, value, times=times, no_effects=True, proves="RC-X")
    made = history(events, expectations=(entry,), invariants=tuple(sorted(model.INVARIANTS)))
    result = judge(made)
    assert {finding.code for finding in result.findings} & {"check-raised"} == set()
    assert {finding.requirement for finding in result.findings}
    assert judge(made) == result


@pytest.mark.parametrize(
    ("actor", "verb", "value", "events"),
    [
        ("host", "direct_attempts", -1, []),
        ("wire", "carries", "no secret", [("host", "wire", "carried", {"bytes": "many"})]),
        ("host", "ran", "rm", [("host", "wire", "request", {"items": True}), ("host", "os", "tool.asked", {})]),
        ("phone", "answer", "accepted", [("phone", "story", "failed", {}), ("phone", "story", "done", {"step": {}}),
                                         ("phone", "invoke", "list", {"op": 1})]),
        ("phone", "shows", "online", [("world", "os", "clock.late", {}), ("phone", "story", "failed", {"waited_s": "long"})]),
        ("phone", "sees", "one", [("world", "os", "clock.late", {"late_s": "one"}), ("world", "os", "clock.late", {"late_s": -5}),
                                  ("harness", "story", "failed", {}), ("harness", "story", "given_back", {})]),
        ("phone", "answer", "accepted", [("phone", "invoke", "answer", {"op": 1, "request": 1}),
                                         ("phone", "ok", "answer", {"op": 1}),
                                         ("phone", "saw", "approval", {"request": 1, "tool": []})]),
    ],
)  # fmt: skip
def test_a_field_of_another_kind_than_ours_is_judged_not_stumbled_over(actor, verb, value, events):
    entry = expects(actor, verb, value, times=None, no_effects=True, proves="RC-X")
    made = [Event(n, float(n), *event) for n, event in enumerate(events)]
    found = judge(history(made, expectations=(entry,), invariants=tuple(sorted(model.INVARIANTS)))).findings
    assert "check-raised" not in {finding.code for finding in found}


def test_an_index_holds_every_event_once():
    made = history(RUN)
    assert sum(len(events) for events in case_of(made).by_kind.values()) == len(made.events)
    assert made.footer == Footer(13, 13, 0.1, "0", 1)
    assert plan().suts == frozenset({"host"})


# --- a run that was cut short


SPENT = event(6, "harness", "story", "failed", step="story.0", why="budget spent", code="budget-spent")


def test_a_run_that_was_cut_short_passes_nothing_and_accuses_nobody_of_what_came_no_more():
    found = judged([one for one in RUN if one.t <= 5] + [SPENT], drained=False)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert ("RC-OPS-000.harness", "budget-spent") in {(one.requirement, one.code) for one in found.findings}


def test_what_was_seen_before_a_run_was_cut_short_stays_a_violation():
    twice = [*RUN, shows(14, "one"), replace(SPENT, t=15.0)]
    assert judged(twice, drained=False).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("within_s", "late_s", "verdict"),
    [
        (20.0, 8.0, Verdict.PASS),
        (5.0, 8.0, Verdict.INCONCLUSIVE),
        (5.0, 2.0, Verdict.FAIL),
        (5.0, 0.0, Verdict.FAIL),
    ],
    ids=["in time", "perhaps", "later than the machine was", "late"],
)
def test_what_hangs_on_the_lateness_of_the_machine_alone_nobody_knows(within_s, late_s, verdict):
    sees = replace(SEES, within_s=within_s)
    late = [event(10, "world", "os", "clock.late", late_s=late_s)] if late_s else []
    (finding,) = [one for one in judged([*RUN, *late], expectations=(sees,)).findings if one.requirement == SEES.proves]
    assert finding.verdict is verdict
    assert (finding.code == "not-assessable") == (verdict is Verdict.INCONCLUSIVE)


@pytest.mark.parametrize(
    ("late_s", "over_at", "verdict"),
    [
        (99.0, 100.0, Verdict.INCONCLUSIVE),
        (120.0, 121.0, Verdict.INCONCLUSIVE),
        (120.0, 200.0, Verdict.FAIL),
    ],
    ids=["a stall", "a longer one", "one that began when all should have been there"],
)
def test_a_stall_is_forgiven_from_its_beginning(late_s, over_at, verdict):
    late = [event(over_at, "world", "os", "clock.late", late_s=late_s), shows(over_at + 1, "one")]
    found = judged([*without("shown"), *late], expectations=(replace(SEES, within_s=45.0),)).findings
    (finding,) = [one for one in found if one.requirement == SEES.proves]
    assert finding.verdict is verdict


DEAD_S = Contract().dead_peer_bound_s


@pytest.mark.parametrize(
    ("waited_s", "late_s", "over_at", "verdict"),
    [
        (60.0, 60.0, 80.0, Verdict.INCONCLUSIVE),
        (60.0, 80.0, 90.0, Verdict.INCONCLUSIVE),
        (60.0, DEAD_S + 0.1, 79.0, Verdict.INCONCLUSIVE),
        (60.0, DEAD_S, 79.0, Verdict.FAIL),
        (60.0, 60.0, 20.0 + DEAD_S, Verdict.INCONCLUSIVE),
        (60.0, 90.0, 20.0, Verdict.INCONCLUSIVE),
        (30.0, 60.0, 5.0 + DEAD_S, Verdict.FAIL),
        (None, 99.0, 90.0, Verdict.FAIL),
        (True, 99.0, 90.0, Verdict.FAIL),
    ],
    ids=[
        "all of it",
        "and longer",
        "longer than a peer may be silent",
        "no longer than that",
        "before and in it",
        "right before",
        "most of it long before",
        "nothing was waited for",
        "nonsense",
    ],
)
def test_a_story_that_stopped_while_the_world_stood_for_long_accuses_nobody(waited_s, late_s, over_at, verdict):
    stood = event(over_at, "world", "os", "clock.late", late_s=late_s)
    stop = replace(STOP, t=80.0, data={**STOP.data, "waited_s": waited_s})
    result = judged(sorted([*without("shown"), stood, stop], key=lambda one: one.t))
    assert result.requirements["RC-SES-000.control"] is verdict


def test_a_story_that_went_on_only_by_time_that_was_given_back_is_no_pass():
    back = event(16, "harness", "story", "given_back", stood_s=9.0)
    result = judged([*RUN, back])
    assert result.requirements["RC-SES-000.control"] is Verdict.INCONCLUSIVE
    assert "after the time that was meant" in result.first_failure.message
