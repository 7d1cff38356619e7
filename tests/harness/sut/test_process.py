import sys
from subprocess import PIPE

import trio

from harness.sut import process
from harness.sut.contract import Call
from harness.sut.process import ProcessDoor

ANSWERS = """
import json, sys
for line in sys.stdin:
    request = json.loads(line)
    print(json.dumps({"ev": "saw", "verb": request["verb"]}), flush=True)
    print(json.dumps({"id": request["id"], "ok": {"n": request["id"]}}), flush=True)
    if request["verb"] == "bye": break
"""


REPEATS = """
import sys
for _ in range(100): print('{"id": 1, "ok": {}}', flush=True)
sys.stdin.read()
"""

FLOODS = """
import sys
for _ in range(100): print('{"ev": "x"}', flush=True)
sys.stdin.read()
"""


def talk(script, *verbs):
    """Run a program, call verbs on it, and return the door, the calls and the events once it has ended."""
    events, calls = [], [Call(verb, {}) for verb in verbs]

    async def main():
        child = await trio.lowlevel.open_process([sys.executable, "-c", script], stdin=PIPE, stdout=PIPE)
        door = ProcessDoor(child.stdin, child.stdout, events.append, lambda _call: None)
        for call in calls:
            door.put(call)
        with trio.fail_after(30):
            await door.run()
        child.kill()
        await child.wait()
        assert not door.has_hung_up
        door.hang_up()
        assert door.has_hung_up
        return door

    return trio.run(main), calls, events


def test_calls_are_answered_and_events_handed_on():
    door, calls, events = talk(ANSWERS, "hello", "bye")
    assert [call.result for call in calls] == [{"n": 1}, {"n": 2}]
    assert [event["verb"] for event in events] == ["hello", "bye"]
    assert door.broken == ""


def test_who_waits_for_a_program_that_ended_learns_that_nobody_knows():
    door, (call,), _ = talk("pass", "hello")
    assert (call.error, call.outcome) == ("network", "info")
    late = Call("list", {})
    door.put(late)
    assert late.error == "network"


def test_a_program_that_speaks_another_language_is_found_out():
    door, _, _ = talk("print('Welcome!', flush=True)\nimport sys; sys.stdin.read()")
    assert door.broken == "a line that is not JSON: b'Welcome!'"


def test_a_program_that_floods_is_found_out(monkeypatch):
    monkeypatch.setattr(process, "EVENTS_MAX", 10)
    door, _, events = talk(FLOODS)
    assert door.broken.startswith("more than 10 lines that nobody asked for")
    assert len(events) == 10


def test_a_program_that_floods_with_answers_is_found_out(monkeypatch):
    monkeypatch.setattr(process, "EVENTS_MAX", 10)
    door, (call,), _ = talk(REPEATS, "hello")
    assert call.result == {}
    assert "lines that nobody asked for" in door.broken


def test_answers_to_nobody_are_passed_over():
    door, (call,), _ = talk('print(\'{"id": 9, "ok": {}}\\n{"id": [1], "ok": {}}\\n{"id": 1, "ok": {}}\')', "hello")
    assert call.result == {}
    assert door.broken == ""
