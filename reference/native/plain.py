"""A person's door: flags and typed lines become the verbs of docs/spec/sut.md, and what the role tells becomes lines of text.

Deliberately absent: anything that a role does; a person and a harness meet the same program.
"""

import fcntl
import hashlib
import os
import platform
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import trio

from reference.native.files import BadState
from reference.native.machine import USAGE
from reference.native.stdio import Ask, Said, Send, hand_on, serve_between
from reference.native.terminal import STDERR, Terminal, typed
from reference.platform import Door, Platform
from reference.protocol.host_exits import exit_for

TOLD: dict[str, str] = {
    "presence": "host is {state} {reason}",
    "stream": "stream {state} {reason}",
    "gap": "gap: what came before entry {first} is not kept any more",
    "approval": "question {state}: {tool} {option}",
    "shown": "{author} {kind}: {text}",
}
"""Event -> line; what is not here, and an entry without text, is nothing that a person reads. A host says its status and its end itself."""

NOT_ENROLLED = 77
"""Exit code of docs/spec/protocol.md."""

ENROL = " The relay writes a credential that it takes: `relay --enrol ROLE=FILE`."

ANSWER = "/answer"
"""Typed at a device: alone it lists the questions that wait, each option as the line that chooses it."""


class Refused(Exception):  # noqa: N818 - an answer, not an error of ours
    """A verb was not done; carries the code of docs/spec/sut.md and a message for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Person:
    """Asks the role behind a door, and prints what it tells.

    Args:
        wants: what this person does, by ``ask``; a refusal ends the program.
        terminal: where it is told.

    Attributes:
        code: exit code that the program leaves with unless it has one of its own.
        stays: whether the program goes on after a stop, as a relay does.
        terminal: shows lines.
    """

    def __init__(self, wants: "Wants", terminal: Terminal) -> None:
        self.terminal = terminal
        self.code = 0
        self.stays = False
        self._wants = wants
        self._numbers = count(1)
        self._waiting: dict[int, trio.MemorySendChannel[dict[str, Any]]] = {}
        self._over = trio.Event()

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

    async def leave(self, how: str = "graceful") -> None:
        """End the program as its owner would: a host that has been stopped still has to tell its relay."""
        with suppress(Refused):  # what never started has nothing to stop
            await self.ask("stop", how=how)
            if not self.stays:
                await self._over.wait()
        await hand_on(self._asks, {"id": 0, "verb": "bye"})

    async def read(self, asks: Ask, _: Send) -> None:
        """Do what this person wants."""
        self._asks = asks
        try:
            await self._wants(self)
        except Refused as refused:
            self.code = USAGE if refused.code == "bad-args" else exit_for(refused.code).code
            self.say_refused(refused, ENROL if self.code == NOT_ENROLLED else "")
            await self.leave()

    def say_refused(self, refused: Refused, remedy: str = "") -> None:
        """Tell this person that something was not done."""
        self.terminal.prints(f"Refused, {refused}{remedy}", to=STDERR)

    async def write(self, said: Said) -> None:
        """Hand answers to who waits for them, and print the rest; ends when all is written."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.terminal.write)
            async for message in said:
                self._hear(message)
            self.terminal.close()

    async def stop(self, asks: Ask, _: trio.Event, how: str) -> None:
        """Leave, because of a signal."""
        self._asks = asks
        await self.leave(how)

    def _hear(self, message: dict[str, Any]) -> None:
        if "ev" not in message:
            self._settle(message)
        elif line := _line(message):
            self.terminal.prints(line)
        if message.get("ev") == "exiting":
            self._over.set()

    def _settle(self, reply: dict[str, Any]) -> None:
        waiting = self._waiting.pop(reply["id"], None)
        if waiting is not None:
            waiting.send_nowait(reply)


type Wants = Callable[[Person], Awaitable[None]]


async def serve_person(
    serve: Callable[[Door, Platform], Awaitable[int | None]], platform: Platform, wants: Wants, terminal: Terminal
) -> int:
    """Serve a role for a person until it ends or a signal stops it; returns the exit code."""
    person = Person(wants, terminal)
    return await serve_between(serve, platform, person.read, person.write, person.stop) or person.code


@contextmanager
def alone(state_dir: Path) -> Iterator[None]:
    """Hold a state directory for one program; two relays over one store would undo each other.

    Raises:
        BadState: another program holds it, or its lock cannot be opened.
    """
    lock = state_dir / "lock"
    try:
        file = lock.open("w")
    except OSError as error:
        raise BadState(
            f"--state {state_dir}: {lock}: {error.strerror}; remove it, or name another directory"
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BadState(f"--state {state_dir}: another program uses it; end that, or name another") from error
        yield


# --- what a person does with each role


def runs_relay(listen: tuple[str, int], name: str, enrols: tuple[tuple[str, Path], ...]) -> Wants:
    """Serve, and enrol: the credential of a role goes into a new file of its own, and nowhere else."""

    async def wants(person: Person) -> None:
        person.stays = True
        address, port = listen
        try:
            url = (await person.ask("start", name=name, port=port, address=address))["url"]
        except Refused as refused:
            raise Refused(refused.code, f"--listen {address}:{port}: {refused}; name another") from refused
        for role, path in enrols:
            await _enrol(person, role, path)
        person.terminal.prints(f"relay {url}")

    return wants


async def _enrol(person: Person, role: str, path: Path) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Refused("bad-args", f"--enrol {role}={path}: is there already; leave it out, or name another") from None
    except OSError as error:
        raise Refused("bad-args", f"--enrol {role}={path}: {error.strerror}; name a file that can be made") from error
    with ExitStack() as undo:
        # A file without a credential would be in the way of the next attempt.
        undo.callback(path.unlink, missing_ok=True)
        try:
            with os.fdopen(handle, "w") as file:
                issued = await person.ask("issue", role=role, subject=path.name)
                file.write(issued["credential"] + "\n")
        except OSError as error:
            why = f"--enrol {role}={path}: {error.strerror}; make room, or name a file elsewhere"
            raise Refused("bad-args", why) from error
        undo.pop_all()


def runs_host(url: str, credential: str, title: str) -> Wants:
    """Open a session in this folder; a line typed is a prompt, and a space alone the key that shows the QR code."""

    async def wants(person: Person) -> None:
        cwd = str(Path.cwd())
        await person.ask(
            "start", relay_url=url, credential=credential, instance=_here(cwd), title=title or Path(cwd).name, cwd=cwd
        )
        async for text in typed():
            if text.strip():
                await person.ask("type", text=text)
            elif text:
                await person.ask("press", key="space")

    return wants


def _here(cwd: str) -> str:
    """Which session a host goes on with: that of this folder on this machine. A digest, for a relay takes 128 characters and paths are longer."""
    return hashlib.sha256(os.fsencode(f"{platform.node()}:{cwd}")).hexdigest()


def runs_device(url: str, credential: str, session: str) -> Wants:
    """Attach to a session; a line typed is a prompt or an answer, and the end of input the end."""

    async def wants(person: Person) -> None:
        person.terminal.prints(f"signing in at {url}")
        await person.ask("start", relay_url=url, credential=credential)
        await person.ask("attach", session=session or await _only_session(person))
        async for text in typed():
            await _device_line(person, text)
        await person.leave()

    return wants


async def _device_line(person: Person, text: str) -> None:
    """Send a prompt or, after ``ANSWER``, decide a question; what is refused is said, and the next line may do better."""
    word, *rest = text.strip().split(maxsplit=2) or [""]  # an option may have spaces
    try:
        if word != ANSWER:
            if word:
                await person.ask("send", text=text)
        elif len(rest) == 2:
            await person.ask("answer", request=rest[0], option=rest[1])
        else:
            await _questions(person)
    except Refused as refused:
        person.say_refused(refused)


async def _questions(person: Person) -> None:
    pending = (await person.ask("screen"))["pending"]
    for asked in pending:
        for option in asked["options"]:
            person.terminal.prints(f"{asked['tool']}: {ANSWER} {asked['request']} {option['optionId']}")
    if not pending:
        person.terminal.prints("nothing waits for an answer")


async def _only_session(person: Person) -> str:
    rows = (await person.ask("list"))["sessions"]
    going = [row for row in rows if row["presence"]["state"] != "ended"]
    if len(going) == 1:
        return str(going[0]["session"])
    if not going:
        raise Refused("unknown-session", "there is no session; start a host first")
    named = "".join(f"\n  --session {row['session']}  ({row['title']})" for row in going)
    raise Refused("bad-args", f"there are several sessions; name one:{named}")


def _line(event: Mapping[str, Any]) -> str:
    form = TOLD.get(event["ev"], "")
    if not form or event.get("text") == "":
        return ""
    words = {key: "" if value is None else value for key, value in event.items()}
    return form.format_map(words).rstrip()
