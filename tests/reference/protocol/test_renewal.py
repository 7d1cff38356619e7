import random

from hypothesis import given
from hypothesis import strategies as st

from reference.protocol.renewal import Tokens
from reference.protocol.timers import Timers


def tokens(seed=1, **options):
    return Tokens(Timers(), random.Random(seed), **options)


@given(st.floats(1.0, 1e6), st.integers(0, 2**32))
def test_renewal_is_due_between_half_and_four_fifths_of_a_life(life_s, seed):
    kept = tokens(seed)
    kept.store("s", "t", life_s, 50.0)
    assert not kept.is_due("s", 50.0 + 0.499 * life_s)
    assert kept.is_due("s", 50.0 + 0.801 * life_s)
    assert kept.usable("s", 50.0 + 0.99 * life_s).value == "t"
    assert kept.usable("s", 50.0 + life_s) is None


def test_two_tokens_minted_together_are_not_renewed_together():
    kept = tokens()
    kept.store("a", "1", 600.0, 0.0)
    kept.store("b", "2", 600.0, 0.0)
    assert kept.renew_at_s("a") != kept.renew_at_s("b")


def test_a_refused_token_is_dropped_unless_a_newer_one_is_there():
    kept = tokens()
    kept.store("s", "new", 600.0, 0.0)
    kept.discard("s", "old")
    assert kept.usable("s", 1.0).value == "new"
    kept.discard("s", "new")
    assert kept.is_due("s", 1.0)


def test_a_token_that_is_the_last_is_used_to_its_end():
    kept = tokens()
    kept.store("s", "last", 600.0, 0.0)
    assert not kept.is_last("s")
    kept.use_up("s")
    kept.use_up("never minted")
    assert (kept.is_last("s"), kept.is_last("never minted")) == (True, False)
    assert not kept.is_due("s", 599.0)
    assert kept.usable("s", 599.0).value == "last"
    assert kept.is_due("s", 600.0)


def test_without_renewal_the_relay_is_shown_the_expired_token():
    kept = tokens(renews=False)
    assert kept.is_due("device:read", 0.0)
    kept.store("device:read", "r", 600.0, 0.0)
    kept.store("device:send", "s", 600.0, 0.0)
    assert not kept.is_due("device:read", 700.0)
    assert kept.usable("device:send", 700.0).value == "s"
    assert not kept.discard("device:send", "s")


def test_without_renewal_nothing_new_is_minted_after_the_first_end():
    kept = tokens(renews=False)
    kept.store("device:read", "r", 600.0, 0.0)
    assert kept.is_due("device:approve", 599.0)
    assert not kept.is_due("device:approve", 600.0)
    assert kept.usable("device:approve", 600.0).value == "r"
