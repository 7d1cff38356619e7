"""A person's door: flags and typed lines become the verbs of docs/spec/sut.md, and what the role tells becomes lines of text.

Deliberately absent: anything that a role does; a person and a harness meet the same program.
"""

import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import click
import trio

from reference.native.stdio import Ask, Said, Send, hand_on, serve_between
from reference.platform import Door, Platform
from reference.protocol.host_exits import exit_for

USAGE = 64
"""EX_USAGE of sysexits.h: the command was used wrongly."""

TOLD: dict[str, str] = {
    "status": "status {state} {reason}",
    "presence": "host is {state} {reason}",
    "stream": "stream {state} {reason}",
    "gap": "gap: what came before entry {first} is not kept any more",
    "approval": "approval {request} {state}: {tool} {option}",
    "shown": "{author} {kind}: {text}",
    "exiting": "exiting {reason}: {message}",
}
"""Event -> line; what is not here, and an entry without text, is nothing that a person reads."""

PIECE_BYTES = 65_536
"""Read at once."""


class Refused(Exception):  # noqa: N818 - an answer, not an error of ours
    """A verb was not done; carries the code of docs/spec/sut.md and a message for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Person:
    """Asks the role behind a door, and prints what it tells.

    Args:
        wants: what this person does, by ``ask``; a refusal ends the program.
    """

    def __init__(self, wants: "Wants") -> None:
        self.code = 0
        self._wants = wants
        self._numbers = count(1)
        self._waiting: dict[int, trio.MemorySendChannel[dict[str, Any]]] = {}

    async def ask(self, verb: str, **args: Any) -> dict[str, Any]:
        """Have the role do something; returns its ``ok``.

        Raises:
            Refused: it was not done.
        """
        number = next(self._numbers)
        self._waiting[number], answer = trio.open_memory_channel[dict[str, Any]](1)
        await hand_on(self._asks, {"id": number, "verb": verb, "args": args})
        reply = await answer.receive()
        if "err" in reply:
            raise Refused(reply["err"]["code"], reply["err"]["message"])
        return dict(reply["ok"])

    async def leave(self) -> None:
        """End the program as its owner would."""
        with suppress(Refused):  # what never started has nothing to stop
            await self.ask("stop")
        await hand_on(self._asks, {"id": 0, "verb": "bye"})

    async def read(self, asks: Ask, _: Send) -> None:
        """Do what this person wants."""
        self._asks = asks
        async with asks:
            try:
                await self._wants(self)
            except Refused as refused:
                click.echo(f"Refused, {refused}", err=True)
                self.code = USAGE if refused.code == "bad-args" else exit_for(refused.code).code
                await self.leave()

    async def write(self, said: Said) -> None:
        """Hand answers to who waits for them, and print the rest."""
        async for message in said:
            if "ev" in message:
                await say(_line(message))
            elif (waiting := self._waiting.pop(message["id"], None)) is not None:
                waiting.send_nowait(message)


type Wants = Callable[[Person], Awaitable[None]]


async def serve_person(
    serve: Callable[[Door, Platform], Awaitable[int | None]], platform: Platform, wants: Wants
) -> int:
    """Serve a role for a person until it ends or a signal stops it; returns the exit code."""
    person = Person(wants)
    return await serve_between(serve, platform, person.read, person.write) or person.code


# --- what a person does with each role


def runs_relay(listen: tuple[str, int], name: str, enrols: tuple[tuple[str, Path], ...]) -> Wants:
    """Serve, and enrol: the credential of a role goes into a new file of its own, and nowhere else."""

    async def wants(person: Person) -> None:
        address, port = listen
        url = (await person.ask("start", name=name, port=port, address=address))["url"]
        for role, path in enrols:
            await _enrol(person, role, path)
        await say(f"relay {url}\n")

    return wants


async def _enrol(person: Person, role: str, path: Path) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Refused("bad-args", f"--enrol {role}={path}: is there already; leave it out, or name another") from None
    except OSError as error:
        raise Refused("bad-args", f"--enrol {role}={path}: {error.strerror}; name a file that can be made") from error
    with os.fdopen(handle, "w") as file:
        issued = await person.ask("issue", role=role, subject=path.stem)
        file.write(issued["credential"] + "\n")


def runs_host(url: str, credential: str, title: str) -> Wants:
    """Open a session in this folder; a line typed is a prompt, and a space alone the key that shows the QR code."""

    async def wants(person: Person) -> None:
        cwd = str(Path.cwd())
        await person.ask(
            "start", relay_url=url, credential=credential, instance=cwd, title=title or Path(cwd).name, cwd=cwd
        )
        async for text in typed():
            if text.strip():
                await person.ask("type", text=text)
            elif text:
                await person.ask("press", key="space")

    return wants


def runs_device(url: str, credential: str, session: str) -> Wants:
    """Attach to a session; a line typed is a prompt, and the end of input the end."""

    async def wants(person: Person) -> None:
        await person.ask("start", relay_url=url, credential=credential)
        await person.ask("attach", session=session or await _only_session(person))
        async for text in typed():
            if text.strip():
                await person.ask("send", text=text)
        await person.leave()

    return wants


async def _only_session(person: Person) -> str:
    rows = (await person.ask("list"))["sessions"]
    going = [row for row in rows if row["presence"]["state"] != "ended"]
    if len(going) == 1:
        return str(going[0]["session"])
    if not going:
        raise Refused("unknown-session", "there is no session; start a host first")
    named = "".join(f"\n  --session {row['session']}  ({row['title']})" for row in going)
    raise Refused("bad-args", _safe(f"there are several sessions; name one:{named}"))


# --- lines


async def typed() -> AsyncIterator[str]:
    """Lines of standard input until it ends. Read in a thread: a terminal that does not block would not block for others either."""
    buffer = b""
    while piece := await trio.to_thread.run_sync(os.read, 0, PIECE_BYTES, abandon_on_cancel=True):
        *lines, buffer = (buffer + piece).split(b"\n")
        for line in lines:
            yield line.decode(errors="replace")
    if buffer:
        yield buffer.decode(errors="replace")


async def say(text: str) -> None:
    """Print; where nobody reads any more it is as if the terminal had closed."""
    try:
        await trio.to_thread.run_sync(_write_all, text.encode(errors="replace"), abandon_on_cancel=True)
    except BrokenPipeError:
        signal.raise_signal(signal.SIGHUP)


def _write_all(data: bytes) -> None:
    while data:
        data = data[os.write(1, data) :]


def _line(event: Mapping[str, Any]) -> str:
    form = TOLD.get(event["ev"], "")
    if not form or event.get("text") == "":
        return ""
    words = {key: "" if value is None else value for key, value in event.items()}
    return _safe(form.format_map(words).rstrip()) + "\n"


def _safe(text: str) -> str:
    """Text of others as lines that can neither command a terminal nor pass for lines of this program."""
    shown = "".join(one if one.isprintable() or one in "\n\t" else "\N{REPLACEMENT CHARACTER}" for one in text)
    return shown.replace("\n", "\n  ")
