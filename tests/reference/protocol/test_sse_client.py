import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.protocol.sse_client import EVENT_BYTES_MAX, EventTooLong, SseEvent, SseParser

STREAM = (
    b'\xef\xbb\xbf: open\r\n\r\nevent: hello\rdata: {"a":\rdata: 1}\r\rid: 12\nevent: entry\ndata:x\n\n'
    b"data\n\nid: 1\x002\ndata: no id\n\nevent: nothing\n\n: hb\n\nretry: 5\nunknown: field\ndata:  two spaces\r\n\r\n"
)

EXPECTED = [
    SseEvent(":", "open"),
    SseEvent("hello", '{"a":\n1}'),
    SseEvent("entry", "x", "12"),
    SseEvent("message", ""),
    SseEvent("message", "no id"),
    SseEvent(":", "hb"),
    SseEvent("message", " two spaces"),
]


def test_the_whatwg_rules():
    assert SseParser().feed(STREAM) == EXPECTED


@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_it_does_not_matter_how_the_bytes_were_cut(cuts):
    edges = [0, *sorted(cuts), len(STREAM)]
    parser = SseParser()
    told = [event for a, b in itertools.pairwise(edges) for event in parser.feed(STREAM[a:b])]
    assert told == EXPECTED


def test_byte_by_byte():
    parser = SseParser()
    assert [event for byte in STREAM for event in parser.feed(bytes([byte]))] == EXPECTED


@given(st.binary(max_size=300), st.integers(1, 40))
def test_any_bytes_are_told_the_same_in_pieces_and_whole(data, size):
    whole, pieces = SseParser(), SseParser()
    told = [event for at in range(0, len(data), size) for event in pieces.feed(data[at : at + size])]
    assert told == whole.feed(data)


def test_an_event_without_end_is_given_up():
    parser = SseParser()
    parser.feed(b"data: " + b"x" * (EVENT_BYTES_MAX - 6))
    with pytest.raises(EventTooLong):
        parser.feed(b"x")


def test_an_unfinished_event_is_not_told():
    assert SseParser().feed(b"event: entry\ndata: x\n") == []
