import time

import pytest
import trio
import trio.testing

from harness.worlds.wire.pulse import BEAT_S, CLOSE_LATE_S, LATE_S, Pulse


def beaten(rate, *late_ms):
    """A pulse whose beats came so late, a second of true time apart."""
    pulse = Pulse(lambda ns: ns / 1e9 * rate)
    for n, late in enumerate(late_ms):
        pulse.take(n * 10**9, n * 10**9 + round(late * 1e6))
    return [round(late_s, 3) for _, late_s in pulse.told()]


def test_what_is_late_in_true_time_is_later_in_the_world():
    assert beaten(60, 10) == [0.6]
    assert beaten(1, 10) == []


def test_of_each_minute_of_the_world_the_worst_is_told():
    assert beaten(8, 50, 100, 60) == [0.8]
    assert beaten(60, 10, 5, 20) == [0.6, 0.3, 1.2]


def test_where_budgets_are_close_less_is_told_too():
    pulse = Pulse(lambda ns: ns / 1e9, CLOSE_LATE_S)
    for n, late_ms in enumerate((40, 60)):
        pulse.take(n * 10**9, n * 10**9 + late_ms * 10**6)
    assert [round(late_s, 3) for _, late_s in pulse.told()] == [0.06]


def test_what_beats_were_late_adds_up_and_the_next_one_counts_already():
    pulse = Pulse(lambda ns: ns / 1e9 * 60)
    for late_ms in (10, 1, 20):
        pulse.take(0, late_ms * 10**6)
    assert pulse.stood_s(0) == pytest.approx(0.6 + 1.2)


async def held_up(pulse, block_s):
    """What is told while the loop was blocked for so long, before the beat that it made late and after."""
    seen = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pulse.beat)
        await trio.testing.wait_all_tasks_blocked()
        time.sleep(block_s)  # noqa: ASYNC251 - what a busy machine does
        seen.append(pulse.stood_s(time.monotonic_ns()))
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    return [*seen, pulse._stood_s]


def test_who_asks_before_the_late_beat_came_is_told_of_it_and_of_no_more_when_it_has():
    before, after = trio.run(held_up, Pulse(lambda ns: ns / 1e9), 2 * LATE_S)
    assert LATE_S < before <= after < 2 * before


def test_a_real_beat_that_is_held_up_is_late():
    pulse = Pulse(lambda ns: ns / 1e9 * 100)
    trio.run(held_up, pulse, 3 * BEAT_S)
    assert max(late_s for _, late_s in pulse.told()) >= LATE_S
