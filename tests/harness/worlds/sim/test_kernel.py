"""True time: order, resumption, livelocks."""

import pytest

from harness.base.errors import WorldError
from harness.worlds.sim.kernel import Kernel, Spent, derived_random


def test_equal_times_run_in_the_order_of_asking():
    kernel, order = Kernel(1), []
    for name in "abc":
        kernel.call_at(1.0, lambda name=name: order.append(name))
    kernel.call_at(0.5, lambda: order.append("first"))
    kernel.run()
    assert order == ["first", "a", "b", "c"]
    assert kernel.now == 1.0


def test_run_is_resumable_and_stops_where_told():
    kernel, fired = Kernel(1), []
    kernel.call_at(1.0, lambda: fired.append(1))
    kernel.call_at(2.0, lambda: fired.append(2))
    kernel.run(until=1.5)
    assert (kernel.now, fired) == (1.5, [1])
    kernel.run(until=9.0, stop=lambda: bool(fired and fired[-1] == 2))
    assert (kernel.now, fired) == (2.0, [1, 2])
    kernel.run(until=3.0)
    assert kernel.now == 3.0


def test_time_never_runs_backwards():
    kernel, seen = Kernel(1), []
    kernel.call_at(2.0, lambda: kernel.call_at(1.0, lambda: seen.append(kernel.now)))
    kernel.run()
    assert seen == [2.0]


def test_events_that_beget_events_at_one_instant_are_a_livelock():
    kernel = Kernel(1)

    def again():
        kernel.call_later(0.0, again)

    again()
    with pytest.raises(WorldError, match="livelock"):
        kernel.run(until=1.0)


def tick(kernel):
    """An event every tenth of a second, for ever."""

    def again():
        kernel.call_later(0.1, again)

    again()


def test_a_run_that_takes_more_work_than_any_may_is_cut_short_at_the_same_instant(monkeypatch):
    monkeypatch.setattr("harness.worlds.sim.kernel.WORK_MAX", 50)
    moments = set()
    for _ in range(2):
        kernel = Kernel(1)
        tick(kernel)
        kernel.took_turns("phone", 20)
        kernel.took_turns("relay", 3)
        with pytest.raises(Spent, match=r"budget spent: 51 .* turns taken: phone 20, relay 3"):
            kernel.run(until=1e9)
        moments.add(kernel.now)
    assert moments == {2.8}


def test_a_run_that_is_overdue_is_an_error_with_a_remedy():
    asked = iter([False, False, True])
    kernel = Kernel(1, is_overdue=lambda: next(asked))
    tick(kernel)
    with pytest.raises(WorldError, match=r"no further than 0\.2.* s; turns taken: nobody.*shorten the story"):
        kernel.run(until=1e9)


def test_random_sources_of_different_purposes_are_independent():
    assert derived_random(1, "a").random() == derived_random(1, "a").random()
    assert len({derived_random(1, "a").random(), derived_random(1, "b").random(), derived_random(2, "a").random()}) == 3
    assert derived_random(1, "a", 1).random() != derived_random(1, "a", 2).random()


def test_trace_depends_on_time_connection_direction_and_bytes():
    def digest(*segment):
        kernel = Kernel(1)
        kernel.trace.add(*segment)
        return kernel.trace.sha256()

    segments = [(1, 1, 0, b"x"), (2, 1, 0, b"x"), (1, 2, 0, b"x"), (1, 1, 1, b"x"), (1, 1, 0, b"y")]
    assert len({digest(*segment) for segment in segments}) == 5
