import base64
import json
import os
from types import SimpleNamespace

import pytest
import trio

from harness.base.errors import WorldError
from harness.sut.tap import Chunk
from harness.worlds.way_out import WAYS_OUT
from harness.worlds.wire.proxy import IDLE_POLL_S, Middlebox

NS = 1_000_000_000


class Clock:
    """The world's time is the true one, times ten."""

    now = 0.0

    def of(self, ns):
        return ns / NS * 10

    def true_s_until(self, at):
        return (at - self.now) / 10


class Stdin:
    """A pipe whose reader is the test."""

    def __init__(self):
        self.read, self.write = os.pipe()

    def fileno(self):
        return self.write


@pytest.fixture
def stdin():
    pipe = Stdin()
    yield pipe
    os.close(pipe.read)
    os.close(pipe.write)


@pytest.fixture
def box(stdin):
    events, chunks = [], []
    one = Middlebox(
        machine="host",
        kind="proxy",
        given=WAYS_OUT["closes_idle_tunnels"],
        clock=Clock(),
        observe=lambda *told: events.append(told),
        hear=chunks.append,
        names={"relay.test": "relay"},
    )
    one._child = SimpleNamespace(process=SimpleNamespace(stdin=stdin), last_words=lambda: "its last words")
    one.events, one.chunks = events, chunks
    return one


def tell(box, *lines, conn=1):
    for what, ns, data in lines:
        box.take({"ns": ns, "conn": conn, "what": what} | data)


def said(stdin):
    return [json.loads(line) for line in os.read(stdin.read, 65_536).splitlines()]


def test_what_it_did_is_told_in_the_worlds_time_and_under_the_machine(box):
    tell(
        box,
        ("answered", NS, {"status": 407}),
        ("passed", 2 * NS, {}),
        ("cut", 9 * NS, {"last_ns": 3 * NS}),
        ("held", 9 * NS, {"bytes": 7, "since_ns": 8 * NS}),
        ("rewrote", 9 * NS, {"path": "/v1"}),
    )
    assert box.events == [
        ("host", "middlebox.answered", {"conn": "host.proxy/1", "status": 407}, 10.0),
        ("host", "middlebox.passed", {"conn": "host.proxy/1"}, 20.0),
        ("host", "middlebox.cut", {"conn": "host.proxy/1", "idle_s": 60.0}, 90.0),
        ("host", "middlebox.held", {"conn": "host.proxy/1", "bytes": 7, "held_s": 10.0}, 90.0),
        ("host", "middlebox.rewrote", {"conn": "host.proxy/1", "path": "/v1"}, 90.0),
    ]


def test_whom_it_dials_is_the_middleboxs_own_doing_on_a_connection_of_its_own(box):
    tell(box, ("dialled", NS, {"host": "relay.test", "port": 443, "by": 7}), ("spoke", NS, {"tls": True}))
    tell(box, ("dialled", NS, {"host": "elsewhere", "port": 80, "by": 0}), conn=2)
    own = {"conn": "host.proxy/1/onward", "link": "host-relay"}
    dial = {"to": "relay", "address": "relay.test", "port": 443, "via": "direct", "allowed": True}
    assert box.events[:2] == [
        ("host.proxy", "socket.dialled", own | dial, 10.0),
        ("host.proxy", "socket.spoke", own | {"tls": True}, 10.0),
    ]
    assert box.events[2][2]["to"] == "elsewhere"


def test_what_was_heard_in_an_opened_tunnel_is_plaintext_of_the_machines_client(box):
    data = base64.b64encode(b"GET").decode()
    tell(box, ("inspected", NS, {"ca": "trusted"}), ("out", NS, {"data": data}), ("closed", 2 * NS, {}))
    tell(box, ("passed", NS, {}), ("closed", 2 * NS, {}), conn=2)  # the tap hears this one
    assert box.chunks == [
        Chunk(10.0, "host", "host.proxy/1", "out", b"GET"),
        Chunk(20.0, "host", "host.proxy/1", "in", b""),
    ]


def test_the_taps_connections_are_known_by_the_port_that_led_there_also_when_it_comes_again(box):
    for conn in (1, 2, 3):
        tell(box, ("open", NS, {}), ("dialled", NS, {"host": "h", "port": 1, "by": 8 if conn == 2 else 7}), conn=conn)
    assert box.order == ["host.proxy/1", "host.proxy/2", "host.proxy/3"]
    assert box.tunnels([(11, 7), (12, 8), (13, 7), (14, 9)]) == {
        11: "host.proxy/1",
        12: "host.proxy/2",
        13: "host.proxy/3",
    }


def test_settings_are_said_whole_and_tunnels_dropped_once(box, stdin):
    box.change({"password": "new", "drop_tunnels": True})
    box.change({"password": None})
    first, second = said(stdin)
    assert (first["settings"]["password"], first["settings"]["idle_s"], first["drop"]) == ("new", 60.0, True)
    assert (second["settings"]["password"], second["drop"]) == (None, False)


def test_an_unknown_setting_is_refused(box):
    with pytest.raises(WorldError, match="no setting colour"):
        box.change({"colour": "red"})


def test_a_process_that_is_gone_takes_no_settings(box, stdin):
    os.close(stdin.read)
    try:
        with pytest.raises(WorldError, match=r"takes no settings.*its last words"):
            box.change({"buffers": True})
    finally:
        stdin.read = os.dup(stdin.write)


def test_a_tunnel_that_moved_last_too_long_ago_is_to_be_cut_and_is_asked_for_once(box, stdin):
    async def watch():
        tell(box, ("passed", NS, {}), ("moved", 2 * NS, {}))
        tell(box, ("passed", 8 * NS, {}), conn=2)
        tell(box, ("passed", NS, {}), ("closed", NS, {}), conn=3)
        box.clock.now = 81.0
        with trio.move_on_after(5 * IDLE_POLL_S):
            await box.cut_idle()

    trio.run(watch)
    assert said(stdin) == [{"cut": 1, "last_ns": 2 * NS}]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (b'{"error": "has crashed"}\n', "the proxy of host broke: has crashed"),
        (b"nonsense\n", "says what none says"),
        (b'{"what": "passed"}\n', "says what none says"),
        (b"", "the proxy of host ended: its last words"),
    ],
)
def test_one_that_breaks_or_ends_ends_the_run(box, lines, message):
    async def listen():
        ours, theirs = trio.testing.memory_stream_one_way_pair()
        await ours.send_all(lines)
        await ours.aclose()
        box._child.process.stdout = theirs
        await box.listen(box._child)

    with pytest.raises(WorldError, match=message):
        trio.run(listen)


def test_its_end_is_meant_when_the_run_is_over(box):
    async def listen():
        ours, theirs = trio.testing.memory_stream_one_way_pair()
        await ours.aclose()
        box._child.process.stdout = theirs
        box.end()
        await box.listen(box._child)

    trio.run(listen)
