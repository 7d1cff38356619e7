"""The door of docs/spec/sut.md on standard streams, and what signals mean: an owner's wish to stop.

SIGTERM and Ctrl-C stop a program as its owner would; SIGHUP is the terminal that closed. A second SIGTERM or Ctrl-C ends it at once; a second
SIGHUP is no haste of anybody's, for one terminal that closes sends several: the shell's, the kernel's.
"""

import signal
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from functools import partial
from typing import Any

import trio

from reference.native.lines import line, objects, pipe_end
from reference.platform import Door, Platform

UNREAD_MAX = 100_000
"""Replies and events that nobody has read; whoever reads no more has forgotten this program."""

FLUSH_S = 5.0
"""What the last words get to be read."""

TELL_S = 1.5
"""What a role gets to tell its relay that it ends, because of a signal; whoever sent that waits less than an owner. The field's precedent."""

_STOP = {signal.SIGTERM: "graceful", signal.SIGINT: "graceful", signal.SIGHUP: "terminal_closed"}
_OURS = -1
"""Id of a request that no reader of the streams made."""


type Ask = trio.MemorySendChannel[dict[str, Any]]
"""Takes requests for a role."""

type Said = trio.MemoryReceiveChannel[dict[str, Any]]
"""Has a role's replies and events."""

type Stop = Callable[[Ask, trio.Event, str], Awaitable[None]]
"""Ends a role in the way that a signal means; the event tells that a ``stop`` of nobody's has done all that it does."""

type Send = Callable[[dict[str, Any]], None]
"""Says something in the place of the role."""


async def serve_stdio(
    serve: Callable[[Door, Platform], Awaitable[int | None]], platform: Platform, *, stays: bool = False
) -> int:
    """Serve a role until it ends, its reader goes away, or a signal stops it.

    Args:
        serve: the role.
        platform: the machine.
        stays: whether the role goes on after a ``stop``, as a relay does.

    Returns:
        The exit code.
    """
    return await serve_between(serve, platform, _read, _write, _stop, stays=stays)


async def serve_between(
    serve: Callable[[Door, Platform], Awaitable[int | None]],
    platform: Platform,
    read: Callable[[Ask, Send], Awaitable[None]],
    write: Callable[[Said], Awaitable[None]],
    stop: Stop,
    *,
    stays: bool = False,
) -> int:
    """Serve a role between one who asks and one who hears, until it ends or a signal stops it.

    Args:
        serve: the role.
        platform: the machine.
        read: asks, and closes its channel when it has no more to ask.
        write: hears replies and events until there are no more.
        stop: is called once, by a signal.
        stays: whether the role goes on after a ``stop``, as a relay does.

    Returns:
        The exit code.
    """
    ask, asked = trio.open_memory_channel[dict[str, Any]](0)
    say, said = trio.open_memory_channel[dict[str, Any]](UNREAD_MAX)
    stopped, written = trio.Event(), trio.Event()

    def send(message: dict[str, Any]) -> None:
        if message.get("ev") == "exiting":
            stopped.set()
        if message.get("id") != _OURS:
            say.send_nowait(message)
        elif stays or "err" in message:
            stopped.set()

    async def hear() -> None:
        try:
            await write(said)
        finally:
            written.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read, ask.clone(), send)
        nursery.start_soon(_obey, ask.clone(), partial(stop, ask.clone(), stopped))
        ask.close()
        nursery.start_soon(hear)
        async with aclosing(_each(asked)) as requests:
            code = await serve(Door(requests, send), platform)
        say.close()
        with trio.move_on_after(FLUSH_S):
            await written.wait()
        nursery.cancel_scope.cancel()
    return code or 0


async def _each(asked: Said) -> AsyncGenerator[dict[str, Any]]:
    async with asked:
        async for request in asked:
            yield request


async def _read(ask: Ask, send: Send) -> None:
    """Hand on what is asked; at the end of input nobody is there any more, so the program leaves."""

    def refuse(why: str) -> None:
        send({"id": None, "err": {"code": "bad-args", "message": f"a line is {why}"}})

    async with ask:
        async with pipe_end(0) as stdin:
            try:
                async for request in objects(stdin, refuse):
                    await hand_on(ask, request)
            except ValueError as error:
                refuse(str(error))
        await hand_on(ask, {"id": _OURS, "verb": "bye"})


async def _write(said: Said) -> None:
    try:
        async with pipe_end(1) as stdout, said:
            async for message in said:
                await stdout.send_all(line(message))
    except trio.BrokenResourceError:
        pass  # nobody reads; the end of input follows


async def _obey(ask: Ask, stop: Callable[[str], Awaitable[None]]) -> None:
    with trio.open_signal_receiver(*_STOP) as signals:
        async with trio.open_nursery() as nursery:
            async for number in signals:
                nursery.start_soon(stop, _STOP[signal.Signals(number)], name="stop")
                break
            async for number in signals:
                if number != signal.SIGHUP:
                    await hand_on(ask, {"id": _OURS, "verb": "bye"})


async def _stop(ask: Ask, stopped: trio.Event, how: str) -> None:
    """A role that has been stopped may still have to tell its relay, and ends by itself when it did."""
    await hand_on(ask, {"id": _OURS, "verb": "stop", "args": {"how": how}})
    with trio.move_on_after(TELL_S):
        await stopped.wait()
    await hand_on(ask, {"id": _OURS, "verb": "bye"})


async def hand_on(ask: Ask, request: dict[str, Any]) -> None:
    """Ask the role; one that has ended needs to be told nothing any more."""
    with suppress(trio.BrokenResourceError):
        await ask.send(request)
