import pytest

from harness.history.events import Event
from harness.report.lanes import Lanes, around, bare, clock, loud, sentence
from tests.harness.report.sample import EVENTS, plan


def test_hosts_stand_left_and_devices_right():
    assert Lanes.of(plan()).actors == ("host", "relay", "phone")


def test_the_band_covers_the_fault_and_nothing_else():
    lines = Lanes.of(plan()).draw(EVENTS, loud(EVENTS))
    banded = [line for line in lines if "▒" in line]
    assert "cut begins" in banded[0]
    assert "cut is over" in banded[-1]
    assert "▒" not in lines[-1]


def test_a_gap_of_more_than_a_minute_is_shown():
    assert any("⋮" in line for line in Lanes.of(plan()).draw(EVENTS, loud(EVENTS)))


def test_the_marked_event_has_a_mark():
    lines = Lanes.of(plan()).draw(EVENTS, loud(EVENTS), frozenset({6}))
    assert [line for line in lines if ">" in line] == [lines[-1]]


def test_no_line_is_wider_than_asked():
    assert max(map(len, Lanes.of(plan(), 80).draw(EVENTS, loud(EVENTS)))) <= 80


def test_around_keeps_the_marked_event_and_the_faults_bounds():
    assert {3, 4, 5} <= set(around(EVENTS, [4], context=0))


def test_around_of_nothing_shows_the_end():
    assert around(EVENTS, [])[-1] == 6


def test_small_talk_has_no_sentence_but_can_be_named():
    heartbeat = EVENTS[4]
    assert sentence(heartbeat) == ""
    assert bare(heartbeat) == "wire heartbeat conn=3"


@pytest.mark.parametrize(
    ("kind", "what", "data", "words"),
    [
        ("os", "machine.resumed", {"slept_s": 28_800.0}, "wakes after 8h"),
        ("saw", "presence", {"state": "offline", "reason": "silent"}, "shows offline (silent)"),
        ("saw", "shown", {"kind": "permission_request"}, "sees permission_request"),
        ("fail", "send", {"code": "token-expired"}, "send refused: token-expired"),
        ("ok", "hello", {}, ""),
        ("fault", "began", {"name": "cut", "effect": False}, "cut begins (effect switched off)"),
        ("story", "failed", {"why": "nobody came"}, "the story ends here: nobody came"),
    ],
)
def test_sentences(kind, what, data, words):
    assert sentence(Event(0, 0.0, "host", kind, what, data)) == words


def test_the_clock_counts_hours():
    assert clock(3723.5) == "1:02:03.500"
