from math import inf

from harness.sut.tap import Chunk
from harness.worlds.wire.tap import Hold, Tap, delivered


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


def test_a_buried_connection_is_read_no_more_and_others_are():
    tap = Tap({}, float, lambda *_: None, "relay")
    tap.order["host"] += [7, 1]
    tap.bury("host", 1, 2)
    tap.bury("host", 5, 0)  # never reached the tap
    tap.release("host", 3)
    assert [chunk.data for chunk in delivered(CHUNKS, tap.holds)] == [b"a", b"c", b"d"]


def test_what_the_process_says_becomes_chunks_observations_and_an_order():
    seen = []
    tap = Tap({"host": 1}, lambda ns: ns / 1e9, lambda *what: seen.append(what), "relay")
    said = {"ns": 2_000_000_000, "actor": "host", "conn": 3}
    for told in (
        {"what": "open", "port": 5},
        {"what": "shown", "how": "expired"},
        {"what": "out", "data": "R0VU"},
        {"what": "dropped", "path": "/v1/token"},
        {"what": "closed"},
    ):
        tap.take(said | told)
    assert tap.order == {"host": [3]}
    assert tap.chunks == [Chunk(2.0, "host", 3, "out", b"GET"), Chunk(2.0, "host", 3, "in", b"")]
    assert seen == [
        ("relay", "certificate.shown", {"conn": 3, "how": "expired"}, 2.0),
        ("host", "answer.dropped", {"conn": 3, "path": "/v1/token"}, 2.0),
    ]
