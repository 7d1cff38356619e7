from harness.history.events import Event
from harness.report.lanes import Lanes, around, clock, loud
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


WORDY = Event(0, 1.0, "phone", "saw", "presence", {"state": "connecting", "reason": "this device has no connection"})


def test_words_that_do_not_fit_go_on_below_in_their_lane_and_none_is_cut():
    first, *more = Lanes.of(plan(), 80).lines(WORDY, faulty=True, mark=">")
    assert first.split()[:3] == ["0:00:01.000", ">▒", "shows"]
    assert more
    assert max(map(len, [first, *more])) <= 80
    assert {line.index(line.split("▒")[1].split()[0]) for line in [first, *more]} == {first.index("shows")}
    said = " ".join(line.split("▒")[1].strip() for line in [first, *more])
    assert said == "shows connecting (this device has no connection)"


def test_what_belongs_to_no_lane_is_not_cut_either():
    ends = Event(0, 1.0, "harness", "story", "failed", {"why": "nobody came " * 12})
    lines = Lanes.of(plan(), 80).lines(ends, faulty=False)
    assert max(map(len, lines)) <= 80
    assert " ".join(lines).count("nobody came") == 12


def test_around_keeps_the_marked_event_and_the_faults_bounds():
    assert {3, 4, 5} <= set(around(EVENTS, [4], context=0))


def test_of_very_many_marked_events_the_first_and_the_last_are_shown():
    shown = around(EVENTS, range(1_000), context=0, most=6)
    assert {0, 1, 996, 997, 998, 999} <= set(shown)
    assert 500 not in shown


def test_around_of_nothing_shows_the_end():
    assert around(EVENTS, [])[-1] == 6


def test_the_clock_counts_hours():
    assert clock(3723.5) == "1:02:03.500"
