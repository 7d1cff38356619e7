from math import inf

from harness.sut.tap import Chunk
from harness.worlds.wire.tap import Hold, delivered


def sent(t, data=b"x", *, actor="host", direction="in"):
    return Chunk(t, actor, 1, direction, data)


CHUNKS = [sent(1, b"a"), sent(2, b"b"), sent(2, b"c", direction="out"), sent(3, b"d", actor="phone"), sent(4, b"e")]


def read(hold):
    return [(chunk.t, chunk.data) for chunk in delivered(CHUNKS, [hold])]


def test_what_is_sent_into_silence_is_never_read():
    assert read(Hold("host", 2, lost=True, ended_at=4)) == [(1, b"a"), (2, b"c"), (3, b"d"), (4, b"e")]


def test_what_is_sent_to_a_sleeper_is_read_when_it_wakes():
    assert read(Hold("host", 2, lost=False, ended_at=4)) == [(1, b"a"), (2, b"c"), (3, b"d"), (4, b"b"), (4, b"e")]


def test_what_is_sent_to_one_who_never_wakes_is_never_read():
    assert read(Hold("host", 2, lost=False, ended_at=inf)) == [(1, b"a"), (2, b"c"), (3, b"d")]
