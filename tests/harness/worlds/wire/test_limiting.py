"""Packets are those of ``test_transit``: offsets begin at 1000 and 100 on the way up, at 10 and 500 on the way down."""

import pytest

pytest.importorskip("dns", reason="the extra `wire` is not installed; `make setup-wire` installs it")

from harness.sut.tap import Chunk
from harness.worlds.wire.limiting import RECORD_BYTES, RECORD_OVERHEAD, Limit, Unread, read_only
from harness.worlds.wire.packets import ACK, FIN, RST
from tests.harness.worlds.wire.test_transit import BACK, FRONT, HOST, PROXY, connected, dial, packet


class Link:
    """A proxy with a limit on it; the call that sets it takes from 1000 ns to 1100 ns."""

    def __init__(self, direction="down", most=50, transit=None):
        self.told = []
        self.transit = transit or connected()
        note = lambda _ns, actor, what, data: self.told.append((actor, what, data))  # noqa: E731
        self.limit = Limit("host-relay", direction, most, note, {(HOST, FRONT): 7}.get, began_ns=1000)
        self.limit.begin(self.transit.links["host-relay"].crossings)
        self.transit.listeners.append(self.limit)
        self.limit.set_ns = 1100

    def down(self, ns, upto, size, flags=ACK, *, given=True, passed=True):
        """Bytes that end at an offset come from the relay's side, and leave for the machine."""
        if given:
            self.transit.take(packet(ns, "lo", BACK, PROXY, 10 + upto - size, size, flags, leaves=True))
        if passed:
            self.transit.take(packet(ns, "eth0", FRONT, HOST, 500 + upto - size, size, flags, leaves=True))

    def up(self, ns, upto, size, flags=ACK, *, given=True, passed=True):
        if given:
            self.transit.take(packet(ns, "eth0", HOST, FRONT, 1000 + upto - size, size, flags))
        if passed:
            self.transit.take(packet(ns, "lo", PROXY, BACK, 100 + upto - size, size, flags, leaves=True))

    @property
    def measured(self):
        names = ("passed_min", "passed_max", "lost", "ended")
        return [tuple(data[name] for name in names) for _, _, data in self.told]


def test_a_connection_that_the_proxy_ends_in_mid_stream_is_told_of():
    link = Link()
    link.down(2000, 120, 120, passed=False)
    link.down(2001, 50, 50, given=False)
    link.down(2002, 50, 0, FIN | ACK, given=False)
    where = {"link": "host-relay", "conn": 7, "direction": "down"}
    counts = {"passed_min": 50, "passed_max": 50, "lost": 70, "ended": True}
    assert link.told == [("host-relay", "flow.limited", where | counts)]


def test_what_passed_before_is_not_counted_and_what_passed_in_the_call_may_be_of_either_side():
    transit = connected()
    link = Link(transit=transit)
    link.down(900, 1000, 1000)  # read late
    link.down(1050, 1020, 20)
    link.down(2000, 1200, 180, passed=False)
    link.down(2001, 1050, 30, FIN | ACK, given=False)
    assert link.measured == [(30, 50, 150, True)]


def test_what_was_given_stands_in_order_of_time_however_late_it_is_read():
    link = Link()
    link.down(900, 1000, 1000)
    link.down(2000, 1200, 200, passed=False)
    link.down(2001, 1050, 50, FIN | ACK, given=False)
    assert [one.given for one in link.limit.ended()] == [[(1000, 0), (1000, 1000), (2000, 1200)]]


def test_what_was_read_before_the_call_is_not_counted():
    transit = connected()
    Link(transit=transit).down(500, 1000, 1000)
    link = Link(transit=transit)
    link.down(2000, 1060, 60, passed=False)
    link.down(2001, 1050, 50, RST, given=False)
    assert link.measured == [(50, 50, 10, True)]


def test_a_connection_that_is_dialled_later_is_counted_from_its_first_byte():
    link = Link(transit=connected(host=(HOST[0], 39_999), proxy=("127.0.0.1", 49_999)))
    dial(link.transit, HOST, PROXY)
    link.down(2000, 90, 90, passed=False)
    link.down(2001, 50, 50, FIN | ACK, given=False)
    assert link.measured == [(50, 50, 40, True)]


def test_up_is_the_other_way_round():
    link = Link("up")
    link.up(2000, 90, 90, passed=False)
    link.up(2001, 50, 50, FIN | ACK, given=False)
    link.down(2002, 500, 500)
    assert link.measured == [(50, 50, 40, True)]


@pytest.mark.parametrize("leave", [Link.up, Link.down])
def test_a_connection_that_an_end_closes_is_not_told_of(leave):
    link = Link()
    link.down(2000, 90, 90, passed=False)
    leave(link, 2001, 0 if leave is Link.up else 90, 0, FIN | ACK, passed=False)
    link.down(2002, 50, 50, FIN | ACK, given=False)
    assert link.told == []


def test_one_that_carries_more_than_it_may_is_told_of_once():
    link = Link()
    link.down(2000, 50, 50)
    link.down(2001, 51, 1)
    link.down(2002, 99, 48)
    assert link.measured == [(51, 51, 0, False)]


def test_what_comes_after_the_limit_is_gone_is_not_of_it():
    link = Link()
    link.limit.healed_ns = 3000
    link.down(3001, 500, 500)
    link.down(3002, 500, 0, FIN | ACK, given=False)
    assert link.told == []


# --- what a client has read


def chunk(t, size, direction="in", conn=1):
    return Chunk(t, "phone", conn, direction, bytes(size))


def read(*chunks, passed, given):
    return [(one.t, len(one.data)) for one in read_only(chunks, {1: Unread(passed, given)})]


def test_of_a_chunk_the_records_that_passed_whole_were_read():
    whole = RECORD_BYTES + RECORD_OVERHEAD
    given = ((1.0, 500), (2.1, 500 + 2 * whole + 100))
    assert read(chunk(2.0, 40_000), passed=500 + whole, given=given) == [(2.0, RECORD_BYTES)]
    assert read(chunk(2.0, 40_000), passed=500 + whole - 1, given=given) == []
    assert read(chunk(2.0, 40_000), passed=500 + 2 * whole + 99, given=given) == [(2.0, 2 * RECORD_BYTES)]


def test_chunks_that_left_together_lie_one_behind_the_other():
    given = ((1.0, 0), (3.0, 2000))
    sizes = chunk(2.0, 100), chunk(2.1, 100), chunk(2.2, 100)
    assert read(*sizes, passed=2 * (100 + RECORD_OVERHEAD), given=given) == [(2.0, 100), (2.1, 100)]


def test_a_chunk_begins_behind_whatever_had_left_before_it():
    given = ((1.0, 0), (1.5, 300), (3.0, 1000))
    assert read(chunk(2.0, 100), passed=300 + 100 + RECORD_OVERHEAD - 1, given=given) == []
    assert read(chunk(2.0, 100), passed=300 + 100 + RECORD_OVERHEAD, given=given) == [(2.0, 100)]


def test_what_was_sent_before_what_was_said_and_the_end_stay():
    kept = chunk(0.5, 9), chunk(2.0, 9, "out"), chunk(2.0, 9, conn=2), chunk(3.0, 0)
    assert read(*kept, passed=0, given=((1.0, 0), (1.5, 50))) == [(0.5, 9), (2.0, 9), (2.0, 9), (3.0, 0)]
