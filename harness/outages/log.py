"""What a log of outages says, whatever its form: when it went down and came up again, in order and without overlap.

Whoever replays a log must be able to trust that it is the outage that was: nothing is guessed, sorted out or filled in. Deliberately absent:
forms of files (``read``), and what a session should make of an outage (``story``).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from harness.base.errors import UsageError
from harness.base.span import SPAN_S_MAX

UNIX_S_MAX = 253_402_300_799.0
"""The end of the year 9999, where calendars end; a number beyond is in milliseconds."""

_NUMBER = re.compile(r"\d{1,12}(\.\d{1,9})?")
_NOWHERE = datetime(1970, 1, 1)  # noqa: DTZ001 - of a clock that says no zone only differences count


@dataclass(frozen=True, slots=True)
class Time:
    """A moment as a log tells it.

    Attributes:
        at_s: seconds; only differences count.
        zone: ``unix``, ``none``, or an offset such as ``+02:00``: what it is told in.
        place: where it stands, for messages.
    """

    at_s: float
    zone: str
    place: str


@dataclass(frozen=True, slots=True)
class Outage:
    """From when to when nothing passed: seconds as ``Time`` counts them."""

    began_at: float
    healed_at: float

    @property
    def lasted_s(self) -> float:
        """Its length."""
        return self.healed_at - self.began_at


def time_of(value: Any, place: str, name: str) -> Time:
    """Read a time: ISO 8601 with date and time, or seconds since 1970.

    Args:
        value: a text or a number.
        place: where it stands.
        name: what it is called there.

    Raises:
        UsageError: it is missing or something else.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        raise UsageError(f"{place}: `{name}` is missing; an outage is known by when it began and when it ended")
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise _no_time(value, place, name)
    text = value.strip() if isinstance(value, str) else ""
    try:
        if not text or _NUMBER.fullmatch(text):
            return _unix(float(text or value), place, name)
        read = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise _no_time(value, place, name) from None
    if ":" not in text:
        raise UsageError(f"{place}: `{name}` is {text!r}, a day and no time; write it like 2026-03-02T08:14:05Z")
    at_s = (read.replace(tzinfo=None) - _NOWHERE - (read.utcoffset() or timedelta())).total_seconds()
    if not 0 <= at_s <= UNIX_S_MAX:
        raise UsageError(f"{place}: `{name}` is {text!r}, not between 1970 and 9999; correct the year")
    return Time(at_s, "none" if read.tzinfo is None else f"{read:%:z}", place)


def _unix(at_s: float, place: str, name: str) -> Time:
    if not 0 <= at_s <= UNIX_S_MAX:  # false for NaN too
        raise UsageError(f"{place}: `{name}` is {at_s:g}, no number of seconds since 1970; divide milliseconds by 1000")
    return Time(at_s, "unix", place)


def _no_time(value: Any, place: str, name: str) -> UsageError:
    shown = repr(value)[:60]
    return UsageError(
        f"{place}: `{name}` is {shown}, no time; write it like 2026-03-02T08:14:05Z, or as seconds since 1970"
    )


def one_zone(times: Iterable[Time]) -> None:
    """Hold all times to the zone of the first.

    Raises:
        UsageError: they are told in several; half of them would be hours off, or nobody could tell.
    """
    first: Time | None = None
    for time in times:
        first = first or time
        if time.zone != first.zone:
            raise UsageError(
                f"{time.place}: {_ZONES.get(time.zone, time.zone)}, but {_ZONES.get(first.zone, first.zone)} at {first.place}; "
                "write all times in one zone, best in UTC"
            )


_ZONES = {"unix": "seconds since 1970", "none": "a time without a zone"}


def outages_of(spans: Iterable[tuple[Time, Time]]) -> tuple[Outage, ...]:
    """Outages of spans from down to up, in order of time; the log may tell them in any order.

    Raises:
        UsageError: none, one that ends before it begins, two that overlap or touch, several zones, or more than a year.
    """
    told = list(spans)
    one_zone(time for span in told for time in span)
    for down, up in told:
        if up.at_s <= down.at_s:
            raise UsageError(f"{up.place}: up again before it went down; exchange the two times")
    told.sort(key=lambda span: span[0].at_s)
    for (_, up), (down, _) in pairwise(told):
        if down.at_s <= up.at_s:
            raise UsageError(f"{down.place}: begins before the outage at {up.place} is over; make one of the two")
    if not told:
        raise UsageError("the log has no outage, so there is nothing to replay; take a longer part of it")
    if told[-1][1].at_s - told[0][0].at_s > SPAN_S_MAX:
        raise UsageError(
            f"{told[-1][1].place}: more than a year after the first outage; take a shorter part of the log"
        )
    return tuple(Outage(down.at_s, up.at_s) for down, up in told)


def spans_of(states: Iterable[tuple[Time, bool]]) -> Iterable[tuple[Time, Time]]:
    """Spans from down to up of a log that tells each change, ``True`` is up.

    Raises:
        UsageError: time goes back, a state comes twice, or the log begins or ends while it is down.
    """
    down: Time | None = None
    last: tuple[Time, bool] | None = None
    for time, is_up in states:
        if last is not None:
            _next_state(last, time, is_up=is_up)
        if is_up and down is not None:
            yield down, time
        down = None if is_up else time
        last = time, is_up
    if down is not None:
        raise UsageError(f"{down.place}: down, and never up again; end the log after the outage, or leave this one out")


def _next_state(last: tuple[Time, bool], time: Time, *, is_up: bool) -> None:
    one_zone((last[0], time))
    if time.at_s <= last[0].at_s:
        raise UsageError(f"{time.place}: not later than {last[0].place}; tell the changes in order of time")
    if is_up is last[1]:
        word = "up" if is_up else "down"
        raise UsageError(f"{time.place}: {word}, and {word} already at {last[0].place}; a change is missing between")


def clock(at_s: float, zone: str) -> str:
    """A moment as the log would tell it, to the second."""
    if zone == "none":
        return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
