import math

import pytest

from harness.base.errors import UsageError
from harness.outages.log import Outage, Time, clock, one_zone, outages_of, spans_of, time_of


def at(at_s, place="x:1", zone="unix"):
    return Time(float(at_s), zone, place)


@pytest.mark.parametrize(
    ("written", "at_s", "zone"),
    [
        ("2026-03-02T08:14:05Z", 1772439245.0, "+00:00"),
        ("2026-03-02 10:14:05+02:00", 1772439245.0, "+02:00"),
        ("2026-03-02T08:14:05", 1772439245.0, "none"),
        ("2026-03-02T08:14:05.250Z", 1772439245.25, "+00:00"),
        (" 1772439245.5 ", 1772439245.5, "unix"),
        (1772439245, 1772439245.0, "unix"),
        (1772439245.25, 1772439245.25, "unix"),
        (0, 0.0, "unix"),
    ],
)
def test_a_time_is_a_calendar_s_or_seconds(written, at_s, zone):
    assert time_of(written, "x:1", "down") == Time(at_s, zone, "x:1")


@pytest.mark.parametrize(
    ("written", "why"),
    [
        (None, "`down` is missing"),
        ("", "`down` is missing"),
        ("  ", "`down` is missing"),
        ("soon", "'soon', no time; write it like"),
        ("NaN", "no time"),
        ("-5", "no time"),
        (math.nan, "divide milliseconds by 1000"),
        (math.inf, "divide milliseconds by 1000"),
        (-1, "divide milliseconds by 1000"),
        (1772439245000, "divide milliseconds by 1000"),
        (10**400, "no time"),
        (True, "no time"),
        ([1], "no time"),
        ("2026-03-02", "a day and no time"),
        ("0001-01-01T00:00:00+02:00", "not between 1970 and 9999"),
        ("9999-12-31T23:59:59-02:00", "not between 1970 and 9999"),
        ("2026-02-30T08:00:00Z", "no time"),
        ("2026-03-02T25:00:00Z", "no time"),
    ],
)
def test_anything_else_is_refused_where_it_stands(written, why):
    with pytest.raises(UsageError, match=why) as refused:
        time_of(written, "log.csv:7", "down")
    assert str(refused.value).startswith("log.csv:7: ")
    assert len(str(refused.value)) < 300


def test_spans_are_outages_in_order_of_time():
    assert outages_of([(at(30), at(40)), (at(10), at(20))]) == (Outage(10, 20), Outage(30, 40))
    assert Outage(10, 20).lasted_s == 10


@pytest.mark.parametrize(
    ("spans", "why"),
    [
        ([], "has no outage"),
        ([(at(20), at(10, "x:9"))], "x:9: up again before it went down"),
        ([(at(20), at(20, "x:9"))], "x:9: up again before it went down"),
        ([(at(10), at(20, "x:2")), (at(15, "x:3"), at(30))], "x:3: begins before the outage at x:2 is over"),
        ([(at(10), at(20, "x:2")), (at(20, "x:3"), at(30))], "x:3: begins before the outage at x:2 is over"),
        ([(at(10), at(20)), (at(4e7), at(4e7 + 1, "x:8"))], "x:8: more than a year"),
        ([(at(10), at(20, "x:4", "none"))], "x:4: a time without a zone, but seconds since 1970 at x:1"),
    ],
)
def test_spans_that_cannot_have_been_are_refused(spans, why):
    with pytest.raises(UsageError, match=why):
        outages_of(spans)


def test_zones_are_not_mixed():
    one_zone([at(1, zone="+02:00"), at(2, zone="+02:00")])
    with pytest.raises(UsageError, match=r"x:2: \+01:00, but \+02:00 at x:1; write all times in one zone"):
        one_zone([at(1, zone="+02:00"), at(2, "x:2", "+01:00")])


def test_changes_make_spans():
    told = [(at(5), True), (at(10), False), (at(20), True), (at(30), False), (at(40), True)]
    assert outages_of(spans_of(told)) == (Outage(10, 20), Outage(30, 40))
    assert outages_of(spans_of(told[1:])) == (Outage(10, 20), Outage(30, 40))


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ([(at(10), False), (at(20, "x:2"), False), (at(30), True)], "x:2: down, and down already at x:1"),
        ([(at(10), True), (at(20, "x:2"), True)], "x:2: up, and up already at x:1"),
        ([(at(10), False), (at(5, "x:2"), True)], "x:2: not later than x:1"),
        ([(at(10), True), (at(20, "x:2"), False)], "x:2: down, and never up again"),
        ([(at(10), True), (at(20, "x:2", "none"), False)], "x:2: a time without a zone"),
    ],
)
def test_changes_that_cannot_have_been_are_refused(told, why):
    with pytest.raises(UsageError, match=why):
        list(spans_of(told))


def test_a_moment_is_shown_in_utc_or_as_it_was_told():
    assert clock(1772439245.0, "+02:00") == clock(1772439245.0, "unix") == "2026-03-02 08:14:05Z"
    assert clock(1772439245.0, "none") == "2026-03-02 08:14:05"
