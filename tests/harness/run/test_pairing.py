from dataclasses import replace

import pytest

from harness.base.verdict import Verdict
from harness.run.judge import judge
from harness.run.pairing import pair
from tests.harness.checks.made import event, expects, history, response, sends, started


def door(value, outcome, moment="after", code="token-expired"):
    answer = {"code": code} if outcome == "fail" else {"seq": 1, "stage": "relay_stored"}
    status = (401, code) if outcome == "fail" else (202, "")
    events = [event(0, "phone", "wire", "heard", conn=1), *sends(1, "go", outcome, **answer), response(1.05, *status)]
    entry = expects("phone", "answer", value, proves="RC-AUT-001.refuses-expired")
    params = {"door": "send", "moment": moment}
    return judge(history(events, expectations=(entry,), params=params))


REFUSED = ("token-expired", "fail")
ACCEPTED = ("accepted", "ok", "before")


def test_a_refusal_with_its_twin_passes():
    refused, accepted = pair([door(*REFUSED), door(*ACCEPTED)])
    assert (refused.verdict, accepted.verdict) == (Verdict.PASS, Verdict.PASS)


def test_a_refusal_alone_proves_nothing():
    (lonely,) = pair([door(*REFUSED)])
    assert lonely.verdict is Verdict.INCONCLUSIVE
    assert lonely.requirements == {"RC-AUT-001.refuses-expired": Verdict.INCONCLUSIVE}
    assert lonely.first_failure is not None
    assert lonely.first_failure.code == "unpaired"


def test_refuse_all_does_not_pass_its_twin():
    refused, accepted = pair([door(*REFUSED), door("accepted", "fail", "before")])
    assert (refused.verdict, accepted.verdict) == (Verdict.INCONCLUSIVE, Verdict.FAIL)


def test_a_twin_that_differs_in_two_fields_is_none():
    stranger = replace(door(*ACCEPTED), params={"door": "read", "moment": "before"})
    assert pair([door(*REFUSED), stranger])[0].verdict is Verdict.INCONCLUSIVE


def test_a_run_is_not_its_own_twin():
    same = replace(door(*ACCEPTED), params=door(*REFUSED).params)
    assert pair([door(*REFUSED), same])[0].verdict is Verdict.INCONCLUSIVE


def gate(plan, proves="RC-ART-005.starts", **claims):
    events = [started(), event(0, "host", "story", "hello", claims={"exit_codes": claims})]
    entry = expects("host", "process", "running", proves=proves)
    if plan != "max":
        events.append(event(1, "host", "os", "process.exited", code=claims.get("gated", 77)))
        entry = expects("host", "exits", "gated", proves="RC-ART-023.plan-gate")
    return judge(history(events, expectations=(entry,), params={"plan": plan}))


@pytest.mark.parametrize("code", [77, 3])
def test_a_gate_is_known_by_its_word_whatever_the_exit_code(code):
    assert pair([gate("free", gated=code)])[0].verdict is Verdict.INCONCLUSIVE
    assert pair([gate("free", gated=code), gate("max")])[0].verdict is Verdict.PASS


def test_an_acceptance_of_another_area_is_no_twin():
    assert pair([gate("free"), gate("max", "RC-OUT-004.survives-sleep")])[0].verdict is Verdict.INCONCLUSIVE
