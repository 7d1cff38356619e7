from collections import defaultdict
from types import SimpleNamespace

import pytest

pytest.importorskip("dns", reason="the extra `wire` is not installed; `make setup-wire` installs it")

from harness.worlds.wire.keeping import Keeping
from harness.worlds.wire.transit import Wait


def meter(*waits, bytes_per_s=None, what="link.throttled", **more):
    """A meter of one link, with what crossed up it: (given, kept, bytes), in seconds."""
    found = [Wait(round(t * 1e9), round((t + kept) * 1e9), size) for t, kept, size in waits]
    left = [defaultdict(list, {"up": found})]
    transit = SimpleNamespace(told=lambda _link: left.pop() if left else {})
    return Keeping(
        "host-relay", SimpleNamespace(transit=transit, seconds=lambda ns: ns / 1e9), what, bytes_per_s, **more
    )


def test_a_delay_is_told_of_every_segment():
    assert list(meter((1, 0.25, 10), (2, 0.3, 10), what="link.delayed")()) == [
        (1.0, "link.delayed", {"direction": "up", "segments": 2, "added_s_min": 0.25, "added_s_max": 0.3})
    ]


def test_of_a_hold_only_what_it_kept_is_told_when_it_came():
    waits = (1, 7.0, 10), (3, 5.0, 10), (9, 0.01, 10)
    assert list(meter(*waits, what="link.kept", least_s=1.0)()) == [
        (8.0, "link.kept", {"direction": "up", "segments": 2, "added_s_min": 5.0, "added_s_max": 7.0})
    ]
    assert list(meter((9, 0.01, 10), what="link.kept", least_s=1.0)()) == []


@pytest.mark.parametrize(
    ("kept_s", "size", "segments"),
    [
        (0.3, 600, [20]),  # as long as its bytes take at this rate
        (0.03, 600, []),  # what any path takes
        (0.15, 600, []),  # what a busy machine makes of it
        (0.3, 400, []),  # too little work to tell one from the other
    ],
)
def test_of_a_rate_only_what_it_explains_is_told(kept_s, size, segments):
    told = list(meter(*((n, kept_s, size) for n in range(20)), bytes_per_s=2000)())
    assert [data["segments"] for _, _, data in told] == segments


def test_work_is_added_up_until_it_can_be_judged():
    one = meter(*((n, 0.3, 600) for n in range(10)), bytes_per_s=2000)
    assert list(one()) == []
    one.routed.transit.told = lambda _link: {"up": [Wait(0, 300_000_000, 600)] * 10}
    assert [data["segments"] for _, _, data in one()] == [20]
