import pytest

from harness.base.verdict import Verdict
from harness.checks.presence import ended_is_final, presence_truthful
from tests.harness.checks.made import case, event, heard_relay, response, started


def shows(t, state):
    return event(t, "phone", "saw", "presence", state=state, reason=None, since=0)


def touches(*spans):
    """Heartbeats of the host and of the phone's stream every 15 s in these spans."""
    times = [t for begin, end in spans for t in range(begin, end, 15)]
    posts = [response(t, 200, actor="host", method="POST", path="/v1/sessions/s1/outbox") for t in times]
    return [*posts, *(heard_relay(t, "phone") for t in range(0, 301, 15))]


UP = [started(), started(0, "phone"), shows(1, "online")]


@pytest.mark.parametrize(
    ("events", "code"),
    [
        ([*UP, *touches((0, 300))], ""),
        ([*UP, *touches((0, 100)), shows(125, "offline")], ""),
        ([*UP, *touches((0, 100), (200, 300)), shows(125, "offline"), shows(201, "online")], ""),
        ([*UP, *touches((0, 100))], "false-online"),
        ([*UP, *touches((0, 100)), shows(140, "offline")], "false-online"),
    ],
    ids=["steady", "noticed", "healed", "never-noticed", "late"],
)
def test_presence_truthful(events, code):
    (finding,) = presence_truthful(case(events, ended_at=300))
    assert finding.code == code
    assert (finding.verdict is Verdict.PASS) == (code == "")


@pytest.mark.parametrize(
    ("late_s", "t", "code"), [(20.0, 140.0, ""), (2.0, 140.0, "false-online"), (20.0, 290.0, "false-online")]
)
def test_a_world_that_is_late_itself_is_forgiven_so_much_and_there_only(late_s, t, code):
    late = event(t, "world", "os", "clock.late", late_s=late_s)
    events = [*UP, *touches((0, 100)), shows(140, "offline"), late]
    assert presence_truthful(case(events, ended_at=300))[0].code == code


def dark(begin, end, *, back=()):
    """The relay is gone in this span, and nobody hears it; the phone again at ``back``."""
    kept = [one for one in touches((0, 300)) if not begin <= one.t < end]
    return [*(one for one in kept if one.actor == "host" or one.t < begin), *(heard_relay(t, "phone") for t in back)]


@pytest.mark.parametrize(
    ("events", "code"),
    [
        ([*dark(76, 121), shows(106, "connecting")], ""),
        ([*dark(76, 121, back=(112, 125)), shows(112, "connecting")], ""),
        ([*dark(76, 121, back=(112, 115)), shows(119, "connecting")], "false-online"),
        ([*touches((0, 61)), shows(104, "offline"), heard_relay(104, "phone")], "false-online"),
    ],
    ids=["by itself", "told when it is back", "told nothing when it is back", "told late"],
)
def test_while_the_relay_is_not_heard_nobody_can_tell_that_the_host_is_gone(events, code):
    ours = [one for one in events if one.actor != "host" or one.t <= 60]
    assert presence_truthful(case([*UP, *ours], ended_at=300))[0].code == code


def test_a_device_that_hears_nothing_must_not_show_online():
    events = [event for event in touches((0, 300)) if event.actor == "host" or event.t < 60]
    assert presence_truthful(case([*UP, *events], ended_at=300))[0].code == "false-online"


STOPS = {"suspended": ("machine.suspended", "machine.resumed"), "frozen": ("process.frozen", "process.thawed")}


@pytest.mark.parametrize(("until", "code"), [(290, ""), (100, "false-online")])
@pytest.mark.parametrize("how", STOPS)
def test_a_device_that_stands_still_is_forgiven_for_so_long(how, until, code):
    begins, ends = STOPS[how]
    stopped = [event(59, "phone", "os", begins), event(until, "phone", "os", ends)]
    events = [one for one in touches((0, 300)) if one.actor == "host" or one.t < 60]
    assert presence_truthful(case([*UP, *events, *stopped], ended_at=300))[0].code == code


@pytest.mark.parametrize(
    ("states", "code"),
    [(["online", "ended"], ""), (["ended", "ended"], ""), (["ended", "online"], "revived")],
)
def test_ended_is_final(states, code):
    (finding,) = ended_is_final(case([shows(float(t), state) for t, state in enumerate(states)]))
    assert finding.code == code


def test_nothing_ended_is_no_pass():
    assert ended_is_final(case(UP))[0].verdict is Verdict.NOT_APPLICABLE


def test_another_session_may_be_online():
    attach = event(2, "phone", "invoke", "attach", op=9, session="s2")
    assert ended_is_final(case([shows(1, "ended"), attach, shows(3, "online")]))[0].verdict is Verdict.PASS
