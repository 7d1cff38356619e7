"""The socket by which what is up is reached: one for each name, for its user alone, and no trouble when nobody answers."""

import os
import signal
import socket
import stat
import subprocess
import sys

import pytest
import trio

from harness.base.errors import UsageError, WorldError
from harness.run import control
from harness.run.control import ask, seat


@pytest.fixture(autouse=True)
def base(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path / "relayproof" / "up"


async def echo(request, say):
    await say({"heard": request})


def talk(request, answer=echo, hear=lambda _: True, name="up"):
    """Ask somebody who sits in this very process."""

    async def main():
        with seat(name) as ours:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(ours.serve, answer)
                try:
                    return await ask(name, request, hear)
                except WorldError as error:
                    return error
                finally:
                    nursery.cancel_scope.cancel()

    return trio.run(main)


def test_what_is_asked_arrives_and_the_answer_ends_it():
    heard = []
    assert talk({"do": "x"}, hear=lambda message: heard.append(message) or True)
    assert heard == [{"heard": {"do": "x"}}]


def test_it_is_for_its_user_alone_and_leaves_nothing(base):
    with seat("up") as ours:
        modes = [stat.S_IMODE(path.stat().st_mode) for path in (ours.folder, ours.folder / "control")]
        assert modes == [0o700, 0o600]
        assert list(base.iterdir()) == [ours.folder]
    assert list(base.iterdir()) == []


def test_a_name_is_taken_once_and_another_is_free(base):
    with seat("up"):
        taken = base / "up.999999"
        (base / f"up.{os.getpid()}").rename(taken)  # as if of another process
        with (
            pytest.raises(UsageError, match=rf"runs already, as process {os.getpid()}; .* `relayproof down`"),
            seat("up"),
        ):
            pass
        with seat("other"):
            assert taken.exists()
        assert [path.name for path in base.iterdir()] == [taken.name]


def test_a_socket_at_which_nobody_answers_is_taken_away(base):
    base.mkdir(parents=True)
    stale = base / "up.999999"
    stale.mkdir()
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(stale / "control"))
    with seat("up"):
        assert not stale.exists()


@pytest.mark.parametrize("name", ["", "../x", "A", "x.y", "x" * 33])
def test_a_name_is_a_plain_word(name):
    with pytest.raises(UsageError, match="a name is"), seat(name):
        pass


def test_a_path_that_no_socket_can_have_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / ("x" * 100)))
    with pytest.raises(UsageError, match="set XDG_RUNTIME_DIR to a shorter folder"), seat("up"):
        pass


def test_a_folder_that_cannot_be_had_is_told(monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/dev/null")  # short, as the path of a socket must be
    with pytest.raises(UsageError, match="no socket can be had there"), seat("up"):
        pass


def test_where_nothing_is_up_one_learns_how_to_begin():
    with pytest.raises(UsageError, match="no `relayproof up` runs; start it with `relayproof up`"):
        trio.run(ask, "up", {}, lambda _: True)


def test_where_another_is_up_one_learns_its_name():
    with seat("other"), pytest.raises(UsageError, match="there is one with `--name other`"):
        trio.run(ask, "up", {}, lambda _: True)


def test_silence_is_not_waited_for_for_ever(monkeypatch):
    monkeypatch.setattr(control, "SILENCE_S", 0.05)

    async def wedged(_request, _say):
        await trio.sleep_forever()

    error = talk({}, wedged)
    assert isinstance(error, WorldError)
    assert f"process {os.getpid()}) has said nothing for 0.05 s; `kill -9" in str(error)


def test_whoever_is_gone_before_the_answer_is_let_go():
    async def late(request, say):
        await say({"first": True})
        while True:
            await say(request)

    heard = []
    assert talk({"x": "y" * 100_000}, late, lambda message: heard.append(message) or len(heard) == 2)


def test_garbage_is_let_go_and_the_next_is_served(base):
    async def main():
        with seat("up") as ours:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(ours.serve, echo)
                stream = await trio.open_unix_socket(ours.folder / "control")
                await stream.send_all(b"no json\n")
                assert await stream.receive_some() == b""
                await stream.aclose()
                assert await ask("up", {}, lambda _: True)
                nursery.cancel_scope.cancel()

    trio.run(main)


def test_whoever_still_waits_hears_a_last_word(base):
    async def main():
        heard = []
        with seat("up") as ours:
            async with trio.open_nursery() as nursery:

                async def wait():
                    await ask("up", {}, lambda message: heard.append(message) or "why" in message)

                nursery.start_soon(wait)
                with trio.CancelScope() as serving:

                    async def answer(_request, _say):
                        serving.cancel()
                        await trio.sleep_forever()

                    await ours.serve(answer)
                ours.farewell({"why": "the tap ended"})
        return heard

    assert trio.run(main) == [{"why": "the tap ended"}]


HOLDS = """
import trio
from harness.run.control import seat

async def answer(request, say):
    await trio.sleep_forever()

with seat("up") as ours:
    print("up", flush=True)
    trio.run(ours.serve, answer)
"""


@pytest.mark.slow
def test_its_end_is_heard_when_its_process_is_gone(base):
    child = subprocess.Popen([sys.executable, "-c", HOLDS], stdout=subprocess.PIPE)
    assert child.stdout.readline() == b"up\n"

    async def main():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(kill)
            return await ask("up", {"do": "down"}, lambda _: False)

    async def kill():
        await trio.sleep(0.2)
        child.send_signal(signal.SIGKILL)

    assert trio.run(main) is False
    child.communicate()
    with seat("up") as ours:
        assert list(base.iterdir()) == [ours.folder]
