import os
import pty
import signal
from contextlib import suppress

import pytest
import trio
import trio.testing

from reference.native import terminal
from reference.native.terminal import Terminal, typed


@pytest.fixture
def hang_ups():
    """SIGHUPs of this process, as they come."""
    seen = []
    before = signal.signal(signal.SIGHUP, lambda *_: seen.append(1))
    yield seen
    signal.signal(signal.SIGHUP, before)


@pytest.fixture
def pipe():
    """Read end and write end."""
    ends = os.pipe()
    yield ends
    for end in ends:
        with suppress(OSError):  # a test closed it
            os.close(end)


def fill(end):
    """Leave no room in a pipe; returns how many bytes it took."""
    os.set_blocking(end, False)
    took = 0
    try:
        while True:
            took += os.write(end, b"." * 4096)
    except BlockingIOError:
        return took


def test_all_that_was_printed_before_the_end_is_written_in_order(tmp_path):
    lines = [f"line {number}" for number in range(2_000)]

    async def main(to):
        shown = Terminal()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(shown.write)
            for line in lines:
                shown.prints(line, to)
            shown.close()
            shown.prints("too late", to)

    with (tmp_path / "out").open("wb") as file:
        trio.run(main, file.fileno())
    assert (tmp_path / "out").read_text().splitlines() == lines


@pytest.mark.parametrize("kind", ["pipe", "terminal"])
def test_where_the_reader_is_gone_the_terminal_has_closed_once(pipe, hang_ups, kind):
    reads, writes = pipe if kind == "pipe" else pty.openpty()
    os.close(reads)

    async def main():
        shown = Terminal()
        shown.prints("one", writes)
        shown.prints("two", writes)
        await shown.write()
        shown.prints("three", writes)

    trio.run(main)
    assert hang_ups == [1]
    if kind == "terminal":
        os.close(writes)


def test_whoever_leaves_too_much_unread_has_gone(pipe, hang_ups, monkeypatch):
    monkeypatch.setattr(terminal, "UNREAD_MAX", 2)

    async def main():
        shown = Terminal()
        for word in ("one", "two", "three", "four"):
            shown.prints(word, pipe[1])
        await shown.write()

    trio.run(main)
    assert hang_ups == [1]
    assert os.read(pipe[0], 100) == b"one\ntwo\n"


def test_output_that_is_held_holds_nobody(pipe):
    took = fill(pipe[1])
    os.set_blocking(pipe[1], True)

    async def main():
        shown = Terminal()
        shown.prints("held", pipe[1])
        async with trio.open_nursery() as nursery:
            nursery.start_soon(shown.write)
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()

    trio.run(main)
    left = took + len("held\n")  # the thread that hung writes on
    while left:
        left -= len(os.read(pipe[0], left))


def test_a_pipe_that_somebody_made_not_block_loses_nothing(pipe):
    took = fill(pipe[1])
    heard = bytearray()

    async def main():
        shown = Terminal()
        shown.prints("one", pipe[1])
        shown.close()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(shown.write)
            await trio.testing.wait_all_tasks_blocked()
            while len(heard) < took + len("one\n"):
                heard.extend(await trio.to_thread.run_sync(os.read, pipe[0], 65_536))

    trio.run(main)
    assert heard.endswith(b".one\n")


def read():
    async def lines():
        return [line async for line in typed()]

    return trio.run(lines)


@pytest.mark.parametrize("pieces", [[b"one\ntw", b"o\n", b"three"], [b"one\ntwo\nthree\n"]])
def test_lines_are_read_however_they_come(monkeypatch, pieces):
    left = [*pieces, b""]
    monkeypatch.setattr(terminal.os, "read", lambda *_: left.pop(0))
    assert read() == ["one", "two", "three"]


def test_a_terminal_that_is_gone_is_the_end_of_input(monkeypatch):
    master, slave = pty.openpty()
    os.write(master, b"one\n")
    monkeypatch.setattr(terminal, "STDIN", slave)

    async def main():
        lines = []
        async for line in typed():
            lines.append(line)
            os.close(master)
        return lines

    assert trio.run(main) == ["one"]
    os.close(slave)


def test_input_that_somebody_made_not_block_is_waited_for(pipe, monkeypatch):
    os.set_blocking(pipe[0], False)
    monkeypatch.setattr(terminal, "STDIN", pipe[0])
    heard = []

    async def listen():
        heard.extend([line async for line in typed()])

    async def main():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(listen)
            await trio.testing.wait_all_tasks_blocked()
            os.write(pipe[1], b"one\n")
            os.close(pipe[1])

    trio.run(main)
    assert heard == ["one"]
