import pytest

from reference.protocol import limits
from reference.protocol.log import Entry, SessionLog


def filled(count, size=1):
    log = SessionLog()
    for seq in range(1, count + 1):
        log.append(Entry(seq, "host", b"x" * size))
    return log


def test_an_empty_log_holds_the_beginning():
    log = SessionLog()
    assert (log.first, log.seq, log.holds(0), log.holds(1)) == (1, 0, True, False)


def test_it_gives_exactly_the_suffix():
    assert [entry.seq for entry in filled(5).after(3)] == [4, 5]


@pytest.mark.parametrize(("limit", "value"), [("LOG_ENTRIES_MAX", 3), ("LOG_BYTES_MAX", 30)])
def test_the_oldest_fall_off(monkeypatch, limit, value):
    monkeypatch.setattr(limits, limit, value)
    log = filled(5, size=10)
    assert (log.first, log.seq) == (3, 5)
    assert [log.holds(cursor) for cursor in range(7)] == [False, False, True, True, True, True, False]


def test_no_place_is_left_out_or_used_twice():
    with pytest.raises(AssertionError):
        filled(2).append(Entry(2, "host", b""))
