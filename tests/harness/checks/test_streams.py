"""Where a stream begins and ends, as the tap saw it."""

import pytest

from harness.checks.streams import device_streams
from tests.harness.checks import made


def read(t, what, **data):
    return made.event(t, "phone", "wire", what, conn=1, **data)


def hello(t, seq):
    return read(t, "frame", event="hello", stream="events", session=made.SESSION, first=1, after=0, seq=seq)


def entry(t, seq):
    return read(t, "frame", event="entry", seq=seq)


CLOSED = made.event(2.0, "phone", "os", "socket.closed", conn=1)


@pytest.mark.parametrize(
    "story",
    [(entry(2.0, 1), CLOSED, entry(2.0, 2)), (CLOSED, entry(2.0, 1), entry(2.0, 2))],
    ids=["between", "first"],
)
def test_what_is_read_at_the_instant_of_the_end_belongs_to_the_stream(story):
    (stream,) = device_streams(made.case([hello(1.0, 0), *story, entry(2.1, 3)]), "phone")
    assert [one.data["seq"] for one in stream.entries] == [1, 2]
    assert stream.closed_at == 2.0


def test_a_stream_whose_connection_is_dropped_over_its_greeting_is_over():
    (stream,) = device_streams(made.case([CLOSED, hello(2.0, 1), entry(2.0, 1)]), "phone")
    assert ([one.data["seq"] for one in stream.entries], stream.closed_at) == ([1], 2.0)


def test_a_stream_that_was_read_out_of_what_was_kept_is_over_when_it_was_read():
    (stream,) = device_streams(made.case([CLOSED, hello(60.0, 1), entry(60.0, 1), read(60.0, "stream.ended")]), "phone")
    assert ([one.data["seq"] for one in stream.entries], stream.opened_at, stream.closed_at) == ([1], 60.0, 60.0)


def test_a_new_greeting_on_the_same_connection_begins_another_stream():
    told = [hello(1.0, 0), entry(1.5, 1), read(2.0, "stream.ended"), hello(3.0, 1), entry(3.5, 2)]
    first, second = device_streams(made.case(told), "phone")
    assert ([len(first.entries), first.closed_at], [len(second.entries), second.closed_at]) == ([1, 2.0], [1, None])
