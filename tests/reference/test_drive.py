"""The loop around a machine, with a machine and a dialler of cardboard in virtual time."""

from types import SimpleNamespace

import pytest
import trio
import trio.lowlevel
import trio.testing

from reference.dial import Unreached
from reference.drive import Driver
from reference.protocol.client_io import (
    Answered,
    Call,
    CallFailed,
    DropStream,
    Exit,
    HangUp,
    OpenStream,
    Print,
    Reply,
    StreamBytes,
    StreamEnded,
    StreamOpened,
    StreamSent,
    Tell,
    Tick,
)
from reference.protocol.instant import Instant

OVER = Exit(3, "over", "That is all.")


class Machine:
    """Answers inputs from a list, one entry each, and then exits; keeps what it heard and when."""

    def __init__(self, *answers, deadline_s=None):
        self.answers, self.heard, self.deadline_s = list(answers), [], deadline_s

    def handle(self, event, now):
        self.heard.append((round(now.awake_s, 3), event))
        return self.answers.pop(0) if self.answers else [OVER]

    def next_deadline(self):
        return self.deadline_s


class Answers:
    """A response whose body comes a part a second, then breaks if it is to."""

    def __init__(self, status=200, parts=(), breaks=""):
        self.status_code, self.headers, self._parts, self._breaks = status, {"a": "b"}, parts, breaks

    async def aiter_raw(self):
        for part in self._parts:
            await trio.sleep(1)
            yield part
        if self._breaks:
            raise Unreached(self._breaks)


class Paper:
    """A dialler that takes a second for each call and can be told to fail."""

    def __init__(self, fails="", response=None, takes_s=1.0):
        self.fails, self.response, self.takes_s = fails, response, takes_s
        self.did = []

    async def call(self, _call):
        await trio.sleep(self.takes_s)
        if self.fails:
            raise Unreached(self.fails)
        return 200, {}, b"body"

    def stream(self, _path, _headers, on_sent):
        return _Opening(self, on_sent)

    def check_route(self):
        self.did.append("check_route")

    def retire(self):
        self.did.append("retire")

    async def aclose(self):
        await trio.lowlevel.checkpoint()
        self.did.append("aclose")


class _Opening:
    def __init__(self, paper, on_sent):
        self._paper, self._on_sent = paper, on_sent

    async def __aenter__(self):
        await trio.sleep(1)
        self._on_sent()
        return self._paper.response

    async def __aexit__(self, *_):
        await trio.lowlevel.checkpoint()


def drive(machine, dialler=None, *inputs):
    """Run a driver to its end in virtual time; the inputs are queued before. Returns code, sent objects and printed lines."""
    sent, printed = [], []

    async def main():
        began_s = trio.current_time()

        def instant():
            awake_s = trio.current_time() - began_s
            return Instant(awake_s, awake_s, awake_s)

        platform = SimpleNamespace(instant=instant, print=printed.append)
        driver = Driver(platform, machine, dialler or Paper(), sent.append)
        for one in inputs:
            driver.put(one)
        return await driver.run()

    code = trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    return code, sent, printed


CALL = Call(1, "GET", "/", (), b"", 5.0)
OPEN = OpenStream(1, "/events", ())


def test_what_is_queued_is_drained_before_any_deadline():
    machine = Machine([], [], deadline_s=-1.0)
    drive(machine, None, "one", "two")
    assert [event for _, event in machine.heard] == ["one", "two", Tick()]


def test_nothing_happens_before_the_deadline_and_a_tick_at_it():
    machine = Machine(deadline_s=600.0)
    drive(machine)
    assert machine.heard == [(600.0, Tick())]


def test_replies_events_and_lines_go_where_they_belong():
    effects = [
        Reply(4, ok={"a": 1}),
        Reply(5, err={"code": "x"}),
        Tell("status", {"state": "on"}),
        Print("hello"),
        OVER,
    ]
    code, sent, printed = drive(Machine(effects), None, "go")
    assert code == 3
    assert sent == [{"id": 4, "ok": {"a": 1}}, {"id": 5, "err": {"code": "x"}}, {"ev": "status", "state": "on"}]
    assert printed == ["hello"]


@pytest.mark.parametrize(
    ("dialler", "at_s", "result"),
    [
        (Paper(), 1.0, Answered(1, 200, {}, b"body")),
        (Paper(fails="refused"), 1.0, CallFailed(1, "refused")),
        (Paper(takes_s=9.0), 5.0, CallFailed(1, "no answer in time")),
    ],
)
def test_a_call_has_exactly_one_result(dialler, at_s, result):
    machine = Machine([CALL])
    drive(machine, dialler, "go")
    assert machine.heard[1:] == [(at_s, result)]
    assert ("check_route" in dialler.did) is isinstance(result, CallFailed)
    assert dialler.did[-1] == "aclose"


def test_a_stream_is_told_step_by_step():
    machine = Machine([OPEN], [], [], [], [])
    drive(machine, Paper(response=Answers(parts=[b"one", b"two"], breaks="reset")), "go")
    assert [event for _, event in machine.heard[1:]] == [
        StreamSent(1),
        StreamOpened(1, 200, {"a": "b"}),
        StreamBytes(1, b"one"),
        StreamBytes(1, b"two"),
        StreamEnded(1, "reset"),
    ]


def test_a_refused_stream_brings_its_whole_body():
    machine = Machine([OPEN], [], [])
    drive(machine, Paper(response=Answers(401, [b"pro", b"blem"])), "go")
    assert machine.heard[2][1] == StreamOpened(1, 401, {"a": "b"}, b"problem")
    assert machine.heard[3][1] == StreamEnded(1, "")


def test_a_dropped_stream_says_nothing_any_more():
    machine = Machine([OPEN], [], [DropStream(1)], deadline_s=None)
    machine.deadline_s = 100.0
    drive(machine, Paper(response=Answers(parts=[b"one"] * 50)), "go")
    assert [event for _, event in machine.heard[1:]] == [StreamSent(1), StreamOpened(1, 200, {"a": "b"}), Tick()]


def test_after_a_hang_up_nothing_that_was_under_way_answers():
    dialler = Paper(response=Answers(parts=[b"one"] * 50))
    machine = Machine([CALL, OPEN, HangUp()], deadline_s=100.0)
    drive(machine, dialler, "go")
    assert [event for _, event in machine.heard] == ["go", Tick()]
    assert dialler.did[:1] == ["retire"]
