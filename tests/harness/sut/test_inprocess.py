import json

import pytest
import trio

from harness.sut.inprocess import REFERENCE, InProcess


def door(program, events=None, platform=lambda: "a machine"):
    return InProcess(program, platform, lambda act: act(), ([] if events is None else events).append)


async def echo(door, platform):
    async for request in door.requests:
        door.send({"ev": "heard", "on": platform})
        door.send({"id": request["id"], "ok": {"verb": request["verb"], "args": request["args"]}})
        if request["verb"] == "bye":
            return 7
    return 0


def test_what_was_asked_before_the_start_is_answered_in_order():
    events = []
    opened = door(echo, events)
    calls = [opened.call("send", {"n": 1}), opened.call("bye", {})]
    assert trio.run(opened.run) == 7
    assert [call.result["verb"] for call in calls] == ["send", "bye"]
    assert events == [{"ev": "heard", "on": "a machine"}] * 2


def test_who_still_waits_at_the_end_learns_that_nobody_knows():
    async def silent(door, platform):
        async for _ in door.requests:
            break
        return 0

    opened = door(silent)
    call = opened.call("send", {})
    trio.run(opened.run)
    assert (call.outcome, call.error) == ("info", "network")
    assert opened.call("send", {}).outcome == "info"


def test_a_program_that_crashes_hangs_up():
    async def broken(door, platform):
        raise RuntimeError("bug")

    opened = door(broken)
    call = opened.call("start", {})
    with pytest.raises(RuntimeError, match="bug"):
        trio.run(opened.run)
    assert call.done


def test_nothing_but_json_crosses_and_nothing_is_shared():
    args = {"texts": ["one"]}

    async def keeper(door, platform):
        async for request in door.requests:
            request["args"]["texts"].append("two")
            door.send({"id": request["id"], "ok": request["args"]})
            break
        return 0

    opened = door(keeper)
    call = opened.call("send", args)
    trio.run(opened.run)
    assert args == {"texts": ["one"]}
    assert json.dumps(call.result) == '{"texts": ["one", "two"]}'
    with pytest.raises(TypeError):
        door(keeper).call("send", {"when": object()})


def test_an_answer_to_nothing_is_ignored():
    async def confused(door, platform):
        door.send({"id": 99, "ok": {}})
        door.send({"ok": {}})
        return 0

    assert trio.run(door(confused).run) == 0


def test_the_reference_plays_every_role():
    assert set(REFERENCE) == {"relay", "host", "device"}
