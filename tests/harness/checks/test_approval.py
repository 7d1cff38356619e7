import pytest

from harness.base.verdict import Verdict
from harness.checks.approval import approval, fails_closed, one_decision, ran
from tests.harness.checks.made import case, entry, event, expects, hello, started

ASKED = event(1, "host", "os", "tool.asked", call="call-1", tool="rm")
RAN = event(5, "host", "os", "tool.ran", call="call-1", tool="rm")
REQUEST = entry(2, 1, "rm", kind="permission_request", request="r1")


def decision(t, seq, option="allow", actor="host", request="r1", **more):
    return entry(
        t,
        seq,
        "",
        actor,
        4,
        kind="permission_decision",
        request=request,
        option=option,
        author="phone",
        msg_id=f"m{seq}",
        **more,
    )


def card(t, state, request="r1"):
    return event(t, "phone", "saw", "approval", request=request, state=state, tool="rm")


ALLOWED = [started(), ASKED, REQUEST, decision(4, 2), RAN]


def law_name(value):
    """A name without an address: two processes must give a test the same one."""
    return value.__name__ if callable(value) else None


@pytest.mark.parametrize(
    ("law", "events", "code"),
    [
        (fails_closed, ALLOWED, ""),
        (fails_closed, [started(), ASKED, REQUEST], ""),
        (fails_closed, [started(), ASKED, REQUEST, RAN], "ran-unapproved"),
        (fails_closed, [started(), ASKED, REQUEST, decision(4, 2, "reject"), RAN], "ran-unapproved"),
        (fails_closed, [started(), ASKED, REQUEST, decision(6, 2), RAN], "ran-unapproved"),
        (fails_closed, [started(), ASKED, REQUEST, decision(4, 2, request="r2"), RAN], "ran-unapproved"),
        (fails_closed, [started(), ASKED, REQUEST, decision(4, 2, digest="1"), RAN], "ran-unapproved"),
        (fails_closed, [*ALLOWED, event(6, "host", "os", "tool.ran", call="call-1", tool="rm")], "ran-twice"),
        (fails_closed, [*ALLOWED, event(6, "host", "os", "tool.answered_again", id=1)], "ran-twice"),
        (fails_closed, [started(), ASKED, RAN], "tap-blind"),
        (one_decision, ALLOWED, ""),
        (one_decision, [*ALLOWED, decision(6, 3, "reject")], "two-decisions"),
        (one_decision, [hello(0), card(2, "pending"), *ALLOWED], "not-told"),
        (one_decision, [hello(0), card(2, "pending"), *ALLOWED, card(6, "resolved")], ""),
    ],
    ids=law_name,
)
def test_laws(law, events, code):
    (finding,) = law(case(events))
    assert finding.code == code
    assert (finding.verdict is Verdict.PASS) == (code == "")


def asks(t, call, tool="rm"):
    return event(t, "host", "os", "tool.asked", call=call, tool=tool)


def runs(t, call, tool="rm"):
    return event(t, "host", "os", "tool.ran", call=call, tool=tool)


def requested(t, seq, request, **data):
    return entry(t, seq, "rm", kind="permission_request", request=request, **data)


AGAIN = [*ALLOWED, asks(6, "call-2")]
CALLS = [started(), asks(1, "call-1"), asks(1, "call-2"), requested(2, 1, "r1", call="call-1")]
CALLS += [requested(2, 2, "r2", call="call-2"), decision(4, 3, request="r2")]
REBORN = [started(), asks(1, "call-1"), requested(2, 1, "r1", call="call-1"), started(3), decision(4, 2)]


@pytest.mark.parametrize(
    ("events", "code"),
    [
        ([*AGAIN, runs(7, "call-2")], "ran-unapproved"),
        ([*AGAIN, requested(6, 3, "r2"), runs(7, "call-2")], "ran-unapproved"),
        ([*AGAIN, requested(6, 3, "r2"), decision(6.5, 2), runs(7, "call-2")], "ran-unapproved"),
        ([*AGAIN, requested(6, 3, "r2"), decision(6.5, 4, request="r2"), runs(7, "call-2")], ""),
        ([*CALLS, runs(5, "call-2")], ""),
        ([*CALLS, runs(5, "call-1")], "ran-unapproved"),
        ([*REBORN, asks(5, "call-1"), runs(6, "call-1")], "ran-unapproved"),
    ],
    ids=["remembered", "asked, remembered", "reread", "own", "own call", "other call", "of another incarnation"],
)
def test_an_allow_is_used_up_by_the_run_of_its_own_request(events, code):
    assert fails_closed(case(events))[0].code == code


def test_what_an_unseen_host_was_allowed_nobody_knows():
    dials = [
        event(0.1, "host", "os", "socket.dialled", conn=1),
        event(0.2, "host", "os", "socket.connected", conn=1),
    ]
    (finding,) = fails_closed(case([started(), *dials, ASKED, REQUEST, RAN]))
    assert (finding.verdict, finding.code) == (Verdict.INCONCLUSIVE, "tap-blind")


@pytest.mark.parametrize("law", [fails_closed, one_decision])
def test_without_a_question_there_is_no_pass(law):
    assert law(case([started()]))[0].verdict is Verdict.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("events", "times", "code"),
    [
        ([ASKED, RAN], 1, ""),
        ([ASKED], 0, ""),
        ([ASKED, RAN], 0, "ran-unapproved"),
        ([ASKED], 1, "did-not-run"),
        ([ASKED, RAN, RAN], 1, "ran-again"),
        ([], 0, "never-asked"),
    ],
)
def test_ran(events, times, code):
    assert ran(case(events), expects("host", "ran", "rm", times=times)).code == code


@pytest.mark.parametrize(
    ("events", "code"),
    [
        ([ASKED, card(2, "pending"), card(3, "resolved")], ""),
        ([ASKED, card(2, "pending")], "wrong-approval"),
        ([ASKED], "wrong-approval"),
        ([], "never-asked"),
    ],
)
def test_approval(events, code):
    assert approval(case(events), expects("phone", "approval", {"of": "rm", "is": "resolved"})).code == code
