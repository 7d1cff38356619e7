"""Faults as they are typed."""

import pytest

from harness.base.errors import ScenarioError
from harness.history.plan import Contract, Plan
from harness.scenario.fault_line import read_fault
from tests.harness.worlds.cardboard import CAST

PLAN = Plan("up", "up", "", "", "", "", {}, "wire", 1, Contract(), CAST, {}, (), ())


def read(line):
    return read_fault(line.split(" "), PLAN, "fault.1")


@pytest.mark.parametrize(
    ("line", "verb", "args"),
    [
        ("cut host-relay 30s", "cut", {"link": "host-relay", "for_s": 30.0}),
        ("cut: host-relay for=30s", "cut", {"link": "host-relay", "for_s": 30.0}),
        ("cut relay-host outage_limit", "cut", {"link": "host-relay", "for_s": 600.0}),
        ("cut phone-relay how=reset 5s", "cut", {"link": "phone-relay", "for_s": 5.0, "how": "reset"}),
        ("host.sleeps 8h", "sleeps", {"machine": "host", "for_s": 28_800.0}),
        ("host.sleeps", "sleeps", {"machine": "host"}),
        ("phone.clock_steps -1h", "clock_steps", {"machine": "phone", "by_s": -3600.0}),
        ("phone.resolves nxdomain 30s", "resolves", {"machine": "phone", "how": "nxdomain", "for_s": 30.0}),
        ("phone.loses_answer count=2", "loses_answer", {"machine": "phone", "count": 2}),
    ],
)
def test_it_is_what_a_scenario_says(line, verb, args):
    step = read(line)
    assert (step.id, step.do, step.verb, step.args) == ("fault.1", "fault", verb, args)


@pytest.mark.parametrize(
    ("line", "column", "message", "remedy"),
    [
        ("cutt host-relay 30s", 1, "no fault is called `cutt`", "did you mean `cut`?"),
        ("cut hots-relay 30s", 5, "nobody in the cast is called `hots`", "did you mean `host`?"),
        ("hots.sleeps 3h", 1, "nobody in the cast is called `hots`", "did you mean `host`?"),
        ("cut host-relay 30", 16, "`30` is not a span of time", "write it with its unit"),
        ("cut host-relay 30s hwo=reset", 20, "`cut` has no `hwo`", "did you mean `how`?"),
        ("cut host-relay 30s how=rest", 20, "`rest` is none of the words of `how`", "did you mean `reset`?"),
        ("cut host-relay 30s reset", 20, "nobody knows what `reset` is", "write it like how=reset"),
        ("cut host-relay for=3s for=4s", 23, "`for` stands here twice", "write it once"),
        ("host.cut 30s", 1, "`cut` happens to a link", "write `cut: host-relay`"),
        ("sleeps 8h", 1, "`sleeps` happens to somebody", "write `host.sleeps: ...`"),
        ("cut host-relay 1s", 1, "a cut shorter than 3s", "use `flaps`"),
        ("cut", 1, "`None` is no link", "known are: host-relay, phone-relay"),
    ],
)
def test_what_is_wrong_is_told_below_the_word(line, column, message, remedy):
    with pytest.raises(ScenarioError) as caught:
        read(line)
    problem = caught.value.problems[0]
    assert (problem.place.column, problem.place.text) == (column, line)
    assert message in problem.message
    assert remedy in problem.remedy
