import pytest

from reference.protocol.age import Age
from reference.protocol.instant import Instant

START = Instant(10.0, 50.0, 1e9)


def stamped():
    age = Age()
    age.restore(None, START)
    return age, age.stamp(Instant(110.0, 150.0, 1e9 + 100))


def test_it_follows_the_elapsed_clock_and_never_goes_back():
    age, _ = stamped()
    assert age.at(Instant(10.0, 170.0, 0.0)) == 120.0
    assert age.at(Instant(10.0, 160.0, 0.0)) == 120.0


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (Instant(0.0, 160.0, 1e9 + 110), 110.0),
        (Instant(0.0, 160.0, 1e9 - 86_400), 110.0),
        (Instant(0.0, 3.0, 1e9 + 400), 400.0),
        (Instant(0.0, 3.0, 1e9 - 86_400), 100.0),
    ],
    ids=["same boot", "same boot, calendar stepped back", "after a reboot", "both mislead"],
)
def test_a_restart_goes_on_from_the_last_stamp(now, expected):
    _, stamp = stamped()
    age = Age()
    age.restore(stamp, now)
    assert age.at(now) == expected
