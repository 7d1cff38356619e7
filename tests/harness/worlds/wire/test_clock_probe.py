import math
from dataclasses import dataclass, field

import pytest

from harness.sut.contract import Call
from harness.worlds.wire import clock_probe
from harness.worlds.wire.clock_probe import ClockProbe, Moment, Reading, moment_in
from harness.worlds.wire.warp import WorldClock


def reading(said, earliest, latest=None):
    return Reading(Moment(*said), Moment(*earliest), Moment(*(latest or earliest)))


FIRST = reading((5.0, 1_000.0), (70.0, 1_000.0), (70.1, 1_000.1))


@pytest.mark.parametrize(
    ("said", "at", "clock"),
    [
        ((65.0, 1_060.0), (130.0, 1_060.0), None),
        ((64.4, 1_060.0), (130.0, 1_060.0), None),
        ((6.0, 1_060.0), (130.0, 1_060.0), "monotonic_s"),
        ((65.0, 1_001.0), (130.0, 1_060.0), "wall_s"),
        ((5.1, 9_000.0), (70.1, 9_000.0), None),
        ((5.1, 400.0), (70.1, 400.0), None),
        ((8_005.0, 9_000.0), (70.1, 9_000.0), "monotonic_s"),
    ],
    ids=["follows", "slow answer", "own pace", "own calendar", "slept", "stepped back", "awake in sleep"],
)
def test_a_clock_goes_as_far_as_it_must(said, at, clock):
    assert reading(said, at, (at[0] + 0.5, at[1] + 0.5)).differs(FIRST).get("clock") == clock


@pytest.mark.parametrize(
    ("reply", "moment"),
    [
        ({"ok": {"monotonic_s": 1, "wall_s": 2.5}}, Moment(1.0, 2.5)),
        ({"ok": {"monotonic_s": 1}}, None),
        ({"ok": {"monotonic_s": "1", "wall_s": 2}}, None),
        ({"ok": {"monotonic_s": math.nan, "wall_s": 2}}, None),
        ({"err": {"code": "unsupported"}}, None),
        (None, None),
    ],
)
def test_what_an_answer_tells(reply, moment):
    assert moment_in(Call("clock", {}, reply)) == moment


@dataclass
class Role:
    """A role whose clock goes at a rate of its own choice."""

    clocks: object
    rate: float = 1.0
    answers: str = "ok"
    incarnation: int = 1
    alive: bool = True
    is_listening: bool = True
    told: list = field(default_factory=list)
    calls: list = field(default_factory=list)

    def leaves(self, *, returns=False):
        """As the door has it, a program that ends answers whatever it was asked, and only then is known to be dead."""
        for call in self.calls:
            call.answer({"err": {"code": "network", "message": "the program has ended"}})
        self.alive = self.is_listening = returns
        self.incarnation += returns

    def call(self, verb, args):
        call = Call(verb, args)
        self.calls.append(call)
        if self.answers == "ok":
            now_s = clock_probe.time.monotonic_ns() / 1e9 * self.rate
            call.answer({"ok": {"monotonic_s": now_s, "wall_s": now_s}})
        elif self.answers:
            call.answer({"err": {"code": self.answers}})
        return call

    def record(self, kind, what, **data):
        assert kind == "saw"
        self.told.append((what, data))


@pytest.fixture
def probe(monkeypatch, tmp_path):
    now = [0]
    monkeypatch.setattr("time.monotonic_ns", lambda: now[0])
    clock = WorldClock()
    role = Role(clock.machine("host", tmp_path / "page"))

    def after(s):
        now[0] += round(s * 1e9)
        made.ask()

    made = ClockProbe({"host": role}, clock)
    yield made, role, after
    clock.close()


def told(made, role):
    made.tell(hurried=True)
    return role.told


def test_who_goes_with_the_world_is_compared(probe):
    made, role, after = probe
    for _ in range(3):
        after(1.0)
    assert told(made, role) == [("clock.compared", {"asked": 3, "compared": 2, "refuses": False, "hurried": True})]


def test_who_does_not_is_told_of(probe):
    _made, role, after = probe
    role.rate = 0.5
    after(1.0)
    after(60.0)
    assert role.told[0] == ("clock.differs", {"clock": "monotonic_s", "went_s": 30.0, "must_s": [60.0, 60.0]})


def test_a_program_that_was_started_again_counts_anew(probe):
    made, role, after = probe
    after(1.0)
    role.incarnation, role.rate = 2, 7.0
    after(60.0)
    assert told(made, role)[0][1]["compared"] == 0


def test_who_refuses_is_asked_once_and_who_is_silent_owes_an_answer(probe):
    made, role, after = probe
    role.answers = "unsupported"
    after(1.0)
    after(1.0)
    assert (told(made, role)[0][1]["asked"], told(made, role)[0][1]["refuses"]) == (1, True)
    made._refuses.clear()
    role.told.clear()
    role.answers = ""
    after(1.0)
    after(1.0)
    assert told(made, role)[0][1]["asked"] == 2
    assert not made.is_answered


def test_who_left_over_a_question_owes_nothing(probe):
    made, role, after = probe
    after(1.0)
    role.answers = ""
    after(1.0)
    role.leaves()
    assert made.is_answered
    assert told(made, role) == [("clock.compared", {"asked": 1, "compared": 0, "refuses": False, "hurried": True})]


def test_who_was_killed_over_a_question_is_asked_in_its_next_life(probe):
    made, role, after = probe
    role.answers = ""
    after(1.0)
    role.leaves(returns=True)
    role.answers = "ok"
    after(1.0)
    after(1.0)
    assert told(made, role) == [("clock.compared", {"asked": 2, "compared": 1, "refuses": False, "hurried": True})]


def test_who_answers_otherwise_all_its_life_is_not_forgiven_for_leaving(probe):
    made, role, after = probe
    role.answers = "network"
    for _ in range(3):
        after(1.0)
    role.leaves()
    assert told(made, role) == [("clock.compared", {"asked": 2, "compared": 0, "refuses": False, "hurried": True})]


def test_who_sleeps_is_not_asked(probe):
    made, role, after = probe
    role.is_listening = False
    after(1.0)
    assert told(made, role) == []
