import json
import signal
import subprocess
import sys

import pytest
import trio
import trio.testing

import reference.__main__
from reference.native.stdio import TELL_S, _stop, serve_between


@pytest.fixture
def program(tmp_path):
    """A device program; nothing but its end of the standard streams."""
    command = [
        sys.executable,
        "-m",
        reference.__main__.__package__,
        "device",
        "--shim",
        "--state",
        str(tmp_path / "state"),
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        yield child
        child.kill()


def ask(program, verb, **args):
    program.stdin.write(json.dumps({"id": 7, "verb": verb, "args": args}) + "\n")
    program.stdin.flush()
    return json.loads(program.stdout.readline())


@pytest.mark.slow
def test_it_answers_and_leaves_when_asked(program):
    assert ask(program, "hello")["ok"]["roles"] == ["device"]
    assert ask(program, "qxzv")["err"]["code"] == "unsupported"
    assert ask(program, "list")["err"]["code"] == "bad-args"
    assert ask(program, "bye") == {"id": 7, "ok": {}}
    assert program.wait(10) == 0


@pytest.mark.slow
def test_noise_is_answered(program):
    program.stdin.write("noise\n")
    program.stdin.flush()
    assert json.loads(program.stdout.readline())["err"]["code"] == "bad-args"
    assert ask(program, "hello")["ok"]


@pytest.mark.slow
def test_it_leaves_when_nobody_is_there_any_more(program):
    ask(program, "hello")
    program.stdin.close()
    assert program.wait(10) == 0


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_it(program, number):
    ask(program, "hello")
    program.send_signal(number)
    assert program.wait(10) == 0


@pytest.mark.slow
def test_a_role_that_ends_by_itself_while_a_signal_stops_it_has_still_ended_well():
    script = """
import trio
import trio.testing
from reference.native.stdio import serve_stdio

async def ends_as_soon_as_it_is_stopped(door, _platform):
    await trio.testing.wait_all_tasks_blocked()
    print("up", flush=True)
    async for request in door.requests:
        door.send({"id": request["id"], "ok": {}})
        await trio.testing.wait_all_tasks_blocked()
        return 0

raise SystemExit(trio.run(serve_stdio, ends_as_soon_as_it_is_stopped, None))
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout.readline() == "up\n"
        child.send_signal(signal.SIGTERM)
        assert child.wait(10) == 0


async def unheard(said):
    async for _ in said:
        pass


def signalled(*signals, answer, tells_s, stays=False):
    """What a role hears and does that tells its relay for a while when it is stopped, and then ends."""
    heard = []

    async def role(door, _platform):
        async with trio.open_nursery() as nursery:
            async for request in door.requests:
                heard.append(request["verb"])
                if request["verb"] == "bye":
                    break
                if "ok" in answer and not stays:
                    nursery.start_soon(tell, door, nursery.cancel_scope)
                door.send({"id": request["id"], **answer})
            nursery.cancel_scope.cancel()

    async def tell(door, scope):
        await trio.sleep(tells_s)
        heard.append("told")
        door.send({"ev": "exiting", "code": 0, "reason": "owner", "message": ""})
        scope.cancel()

    async def read(ask, _send):
        async with ask:
            for number in signals:
                await trio.testing.wait_all_tasks_blocked()
                signal.raise_signal(number)
            await trio.sleep_forever()

    async def main():
        return await serve_between(role, None, read, unheard, _stop, stays=stays)

    assert trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0)) == 0
    return heard


@pytest.mark.parametrize(
    ("stays", "answer", "tells_s", "seen"),
    [
        (False, {"ok": {}}, TELL_S - 0.1, ["stop", "told"]),
        (False, {"ok": {}}, TELL_S + 0.1, ["stop", "bye"]),
        (False, {"err": {"code": "bad-args", "message": "start comes first"}}, 0.1, ["stop", "bye"]),
        (True, {"ok": {}}, 0.1, ["stop", "bye"]),
    ],
    ids=["one that ends by itself", "one that cannot", "one that never started", "one that goes on"],
)
def test_what_a_signal_stops_gets_the_time_to_tell_its_relay(stays, answer, tells_s, seen):
    assert signalled(signal.SIGTERM, answer=answer, tells_s=tells_s, stays=stays) == seen


@pytest.mark.parametrize(
    ("second", "seen"),
    [(signal.SIGHUP, ["stop", "told"]), (signal.SIGTERM, ["stop", "bye"]), (signal.SIGINT, ["stop", "bye"])],
)
def test_a_second_signal_hurries_unless_it_is_the_terminals(second, seen):
    assert signalled(signal.SIGHUP, second, answer={"ok": {}}, tells_s=TELL_S / 2) == seen
