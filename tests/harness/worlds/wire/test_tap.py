import hashlib
import ssl
from math import inf

import pytest

from harness.sut.tap import Chunk
from harness.worlds.pki import Authority
from harness.worlds.wire.tap import Hold, Own, Tap, delivered


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


@pytest.mark.parametrize(
    ("own", "read_at"),
    [
        (Own(), [1, 4, 4]),
        (Own(over_at=3.5), [1, 4]),  # who let go of it reads nothing more; what comes after the hold is not of it
        (Own(over_at=5), [1, 4, 4]),
    ],
)
def test_what_is_held_is_read_by_whoever_is_still_there(own, read_at):
    chunks = [one for one in CHUNKS if (one.actor, one.direction) == ("host", "in")]
    hold = Hold("host", 2, lost=False, ended_at=4)
    assert [chunk.t for chunk in delivered(chunks, [hold], {1: own})] == read_at


def test_that_a_connection_ended_is_told_of_one_that_was_given_up_too():
    hold = Hold("host", 2, lost=False, ended_at=4)
    assert delivered([sent(3, b"")], [hold], {1: Own(over_at=2.5)}) == [sent(4, b"")]


def test_what_the_link_lets_go_of_waits_for_a_program_that_stands():
    holds = [
        Hold("host", 2, lost=False, place="link", ended_at=4),
        Hold("host", 3, lost=False, place="machine", ended_at=6),
        Hold("host", 8, lost=True, place="link", ended_at=9),
    ]
    assert [chunk.t for chunk in delivered([sent(2), sent(5), sent(7)], holds)] == [6, 6, 7]


def test_a_place_lets_go_of_what_is_its_own():
    tap = Tap({}, float, lambda *_: None, "relay")
    tap.hold("host", 1, lost=False, place="link")
    tap.hold("host", 2, lost=False, place="machine")
    tap.release("host", 3, "link")
    assert [one.ended_at for one in tap.holds] == [3, inf]


@pytest.mark.parametrize(
    ("said", "crossed_at", "told_at"),
    [
        ((1.0, 2.5), 4.1, 2.5),  # in the hold
        ((1.0, 2.5, 4.05), 4.1, 4.1),  # it has said something since, and nobody knows which of both this is
        ((1.0, 2.5), 3.0, 3.0),  # it crossed all the same
        ((1.0,), 4.1, 4.1),  # before the hold
        ((), 4.1, 4.1),
    ],
)
def test_what_was_said_in_a_hold_was_said_then(said, crossed_at, told_at):
    hold = Hold("host", 2, lost=False, ended_at=4)
    (chunk,) = delivered([sent(crossed_at, direction="out")], [hold], {1: Own(said)})
    assert chunk.t == told_at


def test_a_buried_connection_is_read_no_more_and_others_are():
    tap = Tap({}, float, lambda *_: None, "relay")
    tap.order["host"] += [7, 1]
    tap.bury("host", 1, 2)
    tap.bury("host", 5, 0)  # never reached the tap
    tap.hold("host", 1.5, lost=False, place="link")
    tap.release("host", 3, "link")
    assert [chunk.data for chunk in delivered(CHUNKS, tap.holds)] == [b"a", b"c", b"d"]


def test_what_the_process_says_becomes_chunks_observations_and_an_order(tmp_path):
    seen = []
    tap = Tap({"host": 1}, lambda ns: ns / 1e9, lambda *what: seen.append(what), "relay")
    expired = pem(tmp_path, "expired")
    tap.learn(expired, "expired")
    said = {"ns": 2_000_000_000, "actor": "host", "conn": 3}
    for told in (
        {"what": "open", "port": 5},
        {"what": "shown", "sha256": sha256(expired)},
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


def pem(folder, variant=None):
    path = folder / f"{variant}.pem"
    path.write_bytes(Authority(0, "public").leaf_pem("relay.test", variant))
    return path


def sha256(path):
    certificate = path.read_text().partition("-----END PRIVATE KEY-----\n")[2]
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate)).hexdigest()


def test_which_certificate_was_shown_is_what_its_fingerprint_says_and_never_what_was_wished(tmp_path, monkeypatch):
    seen, said = [], []
    tap = Tap({"host": 1}, float, lambda *what: seen.append(what[2]["how"]), "relay")
    monkeypatch.setattr(tap, "say", said.append)
    good, rotated = pem(tmp_path), pem(tmp_path, "rotated")
    tap.learn(good, "good")
    tap.certify(rotated, "rotated")
    tap.certify(good, "expired")  # who is told that another is in place now, and it is the old one
    for number, fingerprint in enumerate([sha256(good), sha256(rotated), "0" * 64]):
        tap.take({"ns": 0, "actor": "host", "conn": number, "what": "shown", "sha256": fingerprint})
    assert seen == ["good", "rotated", "unknown"]
    assert said == [{"certificate": str(rotated)}, {"certificate": str(good)}]
