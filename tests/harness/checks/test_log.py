from dataclasses import replace

import pytest

from harness.base.verdict import Verdict
from harness.checks.log import ARRIVES_S, no_duplicate, no_loss, no_phantom, no_skip, one_order, own_writes
from harness.history.plan import Actor
from tests.harness.checks.made import CAST, case, entry, event, hears, hello, says, sends, shows, started

UP = [started(), started(0, "phone"), hello(0.5, "host", "inbox", 4), hello(0.6)]
END_S = 20.0
"""When a run ends: long after whatever may still have been under way."""


def code_of(law, events, **fields):
    (finding,) = law(case([*UP, *events, event(END_S, "harness", "story", "step", step="end")], **fields))
    assert (finding.verdict is Verdict.FAIL) == (finding.code not in ("", "not-drained"))
    return finding.code


GOOD = [
    says(1, "one"),
    entry(1.1, 1, "one"),
    shows(1.1, "one", 1),
    *sends(2, "go", seq=2),
    entry(2.1, 2, "go", kind="prompt", author="phone", msg_id="m1"),
    entry(2.1, 2, "go", "host", 4, kind="prompt", author="phone", msg_id="m1"),
    shows(2.2, "go", 2, "prompt"),
    hears(2.3, "go"),
]
LAWS = (no_loss, no_duplicate, no_phantom, one_order, no_skip, own_writes)


@pytest.mark.parametrize("law", LAWS)
def test_a_good_run_passes_all(law):
    (finding,) = law(case([*UP, *GOOD]))
    assert finding.verdict is Verdict.PASS
    assert finding.measured > 0


@pytest.mark.parametrize("law", LAWS)
def test_an_empty_run_passes_none(law):
    (finding,) = law(case(UP))
    assert finding.verdict is not Verdict.PASS


VIOLATIONS = [
    (no_loss, lambda run: [e for e in run if e.what != "agent.heard"], "lost-write"),
    (no_loss, lambda run: [e for e in run if e.data.get("text") != "one" or e.what != "shown"], "lost-write"),
    (no_duplicate, lambda run: [*run, hears(4, "go")], "duplicate"),
    (no_duplicate, lambda run: [*run, shows(4, "one", 3)], "duplicate"),
    (no_duplicate, lambda run: [*run, entry(4, 3, "go", kind="prompt", author="phone", msg_id="m1")], "duplicate"),
    (no_phantom, lambda run: [*run, hears(4, "evil")], "phantom"),
    (no_phantom, lambda run: [*run, *sends(3, "no", "fail", 2), hears(4, "no")], "aborted-read"),
    (
        one_order,
        lambda run: [*run, entry(4, 2, "other", kind="prompt", author="phone", msg_id="m1")],
        "inconsistent-offsets",
    ),
    (no_skip, lambda run: [*run, entry(4, 5, "x")], "poll-skip"),
    (no_skip, lambda run: [*run, entry(4, 1, "one")], "nonmonotonic-poll"),
    (own_writes, lambda run: [e for e in run if e.data.get("kind") != "prompt"], "read-your-writes"),
]


@pytest.mark.parametrize(
    ("law", "change", "code"), VIOLATIONS, ids=[f"{row[2]}-{n}" for n, row in enumerate(VIOLATIONS)]
)
def test_each_violation_has_its_code(law, change, code):
    assert code_of(law, change(GOOD)) == code


@pytest.mark.parametrize("outcome", ["info", "ok"])
def test_an_unknown_outcome_may_have_happened_once(outcome):
    events = [*sends(1, "go", outcome), hears(2, "go")]
    assert code_of(no_phantom, events) == ""
    assert code_of(no_duplicate, events) == ""
    assert code_of(no_duplicate, [*events, hears(3, "go")]) == "duplicate"


def test_an_unknown_outcome_may_not_have_happened():
    assert code_of(no_loss, sends(1, "go", "info")) == ""


def test_nothing_is_lost_before_the_final_quiet():
    assert code_of(no_loss, [says(1, "one")], drained=False) == "not-drained"


STALL = event(END_S, "world", "os", "clock.late", late_s=3.0)


def dropped(t):
    return event(t, "phone", "wire", "stream.ended", conn=5, stream="events")


@pytest.mark.parametrize(
    ("law", "events", "code"),
    [
        (no_loss, [says(END_S - ARRIVES_S, "one")], "lost-write"),
        (no_loss, [says(END_S - ARRIVES_S + 0.1, "one")], "not-drained"),
        (no_loss, [says(END_S - ARRIVES_S, "one"), STALL], "not-drained"),
        (no_loss, [says(END_S - ARRIVES_S - 3, "one"), STALL], "lost-write"),
        (no_loss, [says(2, "one"), dropped(3), hello(END_S - 0.1, conn=5)], "not-drained"),
        (no_loss, [says(2, "one"), dropped(3), hello(END_S - ARRIVES_S, conn=5)], "lost-write"),
        (no_loss, [says(END_S - 0.1, "two"), says(2, "one")], "lost-write"),
        (no_loss, sends(END_S - 0.1, "go", seq=1), "not-drained"),
        (own_writes, sends(END_S - 0.1, "go", seq=1), "not-drained"),
        (own_writes, sends(END_S - ARRIVES_S, "go", seq=1), "read-your-writes"),
    ],
)
def test_what_may_still_be_under_way_is_not_lost_and_does_not_pass(law, events, code):
    assert code_of(law, sorted(events, key=lambda one: one.t)) == code


def test_one_whose_streams_break_again_and_again_has_had_the_time_too():
    lives = [
        [hello(t, conn=t), entry(t + 1, t, "x", conn=t), replace(dropped(t + 3), data={"conn": t})]
        for t in range(4, 16, 4)
    ]
    events = [says(2, "one"), *(one for life in lives for one in life), hello(END_S - 3, conn=5)]
    assert code_of(no_loss, events) == "lost-write"
    assert code_of(no_loss, [says(2, "one"), dropped(2.1), *lives[0], hello(END_S - 3, conn=5)]) == "not-drained"


def test_what_is_under_way_for_one_device_hides_nothing_that_another_lost():
    tablet = [started(0, "tablet"), hello(1, "tablet", conn=9)]
    own = sends(2, "B", op=9, actor="tablet", seq=1)
    late = sends(END_S - 0.1, "go", seq=2)
    assert (
        code_of(own_writes, [*tablet, *own, *late], cast=(*CAST, Actor("tablet", "device", "sut")))
        == "read-your-writes"
    )
    assert code_of(own_writes, late) == "not-drained"


def test_what_is_counted_is_what_was_compared():
    (finding,) = no_loss(case([*UP, *GOOD]))
    assert (finding.measured, finding.observed) == (2, "1 prompts and 1 lines on devices, all there")
    gone = event(3, "phone", "wire", "stream.ended", conn=5, stream="events")
    (finding,) = no_loss(case([*UP, *GOOD, gone]))
    assert (finding.measured, finding.observed) == (1, "1 prompts and 0 lines on devices, all there")


def test_with_nothing_to_compare_there_is_no_opinion():
    gone = [event(3, "phone", "wire", "stream.ended", conn=5, stream="events")]
    gone += [event(3, "host", "wire", "stream.ended", conn=4, stream="inbox")]
    (finding,) = no_loss(case([*UP, *GOOD, *gone]))
    assert finding.verdict is Verdict.NOT_APPLICABLE
    assert "nothing to compare" in finding.message


def test_a_detached_device_need_not_see_anything():
    gone = event(0.9, "phone", "wire", "stream.ended", conn=5, stream="events")
    assert code_of(no_loss, [gone, says(1, "one")]) == ""


def test_a_stream_resumes_after_its_cursor():
    closed = event(3, "phone", "os", "socket.closed", conn=5, sent=1, received=1, error=None)
    resumed = hello(4, conn=7, after=2, seq=3)
    assert code_of(no_skip, [*GOOD, closed, resumed, entry(4.1, 3, "x", conn=7)]) == ""
    assert code_of(no_skip, [*GOOD, closed, resumed, entry(4.1, 2, "go", conn=7)]) == "nonmonotonic-poll"
    assert code_of(no_skip, [*GOOD, closed, resumed, entry(4.1, 4, "x", conn=7)]) == "poll-skip"


def test_an_inbox_skips_the_hosts_own_entries_only():
    prompt = {"kind": "prompt", "author": "phone"}
    log = [
        entry(1, 1, "a", msg_id="m1", **prompt),
        entry(2, 2, "b"),
        entry(3, 3, "c", msg_id="m3", **prompt),
        entry(4, 4, "d", msg_id="m4", **prompt),
    ]
    inbox = [entry(5, n, t, "host", 4, msg_id=f"m{n}", **prompt) for n, t in ((1, "a"), (3, "c"), (4, "d"))]
    assert code_of(no_skip, [*log, *inbox]) == ""
    assert code_of(no_skip, [*log, inbox[0], inbox[2]]) == "poll-skip"
