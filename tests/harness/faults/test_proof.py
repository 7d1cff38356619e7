from harness.base.rank import Rank
from harness.faults.model import Window
from harness.faults.proof import Traces, inside, judged, total
from tests.harness.faults.example import at_host, event


def test_book_keeping_cannot_be_reached():
    traces = Traces.of([event(1, "host", "process.exited", "fault"), event(1, "harness", "moment", "story")])
    assert traces.events == ()


def test_named_looks_at_every_field_it_is_given():
    one = at_host(5, "socket.closed", link="host-relay")
    traces = Traces.of([one, at_host(9, "socket.closed", link="phone-relay"), event(5, "phone", "socket.closed")])
    assert traces.named("socket.closed", actor="host", link="host-relay", since=5, until=5) == [one]
    assert traces.named("socket.closed", since=5.1) == [traces.events[1]]
    assert traces.named("socket.closed", kind="wire") == []


def test_activity_is_what_only_a_running_machine_does_strictly_between():
    events = [
        at_host(10, "agent.said"),
        at_host(11, "machine.resumed"),
        at_host(12, "tool.ran"),
        event(13, "host", "status", "saw"),
        event(13, "host", "heard", "wire"),
        event(13, "host", "frame", "wire"),
        event(14, "phone", "status", "saw"),
        at_host(15, "agent.said"),
    ]
    assert Traces.of(events).activity("host", 10, 15) == 3


def test_reads_count_only_after_a_connection_was_forgotten():
    reads = [event(t, "host", "heard", "wire", conn=conn) for t, conn in ((9, "a"), (11, "a"), (11, "b"))]
    assert Traces.of(reads).heard_on({"a": 10.0}) == 1


def test_of_a_short_window_nothing_remains():
    assert not inside(Window(0, 1.5)).covers(0.75)
    assert inside(Window(0, 10)) == Window(1, 9)


def test_total_takes_a_missing_number_as_nothing():
    assert total([at_host(1, "x", bytes=3), at_host(1, "x")], "bytes") == 3


def test_zero_tried_is_never_a_bite():
    window = Window(0, 10)
    assert not judged(window, 0, 0, "").bit
    assert not judged(window, 3, 1, "").bit
    assert not judged(window, 3, 0, "", sure=False).bit
    assert judged(window, 3, 0, "").bit
    assert judged(window, 3, 0, "").rank is Rank.OS
