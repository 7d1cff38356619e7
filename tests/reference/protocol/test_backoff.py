import random

from hypothesis import given
from hypothesis import strategies as st

from reference.protocol.backoff import Backoff
from reference.protocol.timers import Timers

TIMERS = Timers()


@given(st.integers(1, 10_000), st.integers(0, 2**32))
def test_a_pause_is_never_longer_than_the_cap_nor_negative(failures, seed):
    pause_s = Backoff(TIMERS, random.Random(seed)).pause_s(failures)
    assert 0.0 <= pause_s <= min(TIMERS.backoff_cap_s, TIMERS.backoff_base_s * 2.0 ** min(failures - 1, 30))


@given(st.lists(st.floats(0.0, 9.9), max_size=20), st.integers(0, 2**32))
def test_only_a_healthy_period_makes_it_start_over(lives_s, seed):
    backoff = Backoff(TIMERS, random.Random(seed))
    now_s = 0.0
    for life_s in lives_s:
        backoff.worked(now_s)
        now_s += life_s
        backoff.failed(now_s)
    assert backoff.failures == len(lives_s)
    backoff.worked(now_s)
    backoff.failed(now_s + TIMERS.backoff_healthy_s + 0.001)
    assert backoff.failures == 1


@given(st.floats(0.0, 600.0), st.integers(0, 2**32))
def test_retry_after_is_a_floor_and_the_jitter_comes_on_top(asked_s, seed):
    backoff = Backoff(TIMERS, random.Random(seed))
    backoff.failed(100.0, asked_s)
    assert not backoff.is_over(100.0 + asked_s - 0.001)
    assert backoff.is_over(100.0 + asked_s + TIMERS.backoff_base_s)


def test_the_jitter_is_full():
    backoff = Backoff(TIMERS, random.Random(1))
    pauses = sorted(backoff.pause_s(20) for _ in range(2_000))
    assert pauses[0] < 0.5
    assert pauses[-1] > 29.5
    assert 14.0 < pauses[1_000] < 16.0


def test_a_wake_forgives():
    backoff = Backoff(TIMERS, random.Random(1))
    backoff.failed(0.0, 100.0)
    backoff.forgive()
    assert backoff.is_over(0.0)
    assert backoff.failures == 0
