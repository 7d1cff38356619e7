"""Where ``relayproof up`` can be reached: a socket in a folder of the user's, one for each name, over which JSON lines go.

Everything here can be cut off by a kill -9: a folder carries the id of its process and appears whole or not at all, and one at whose socket
nobody answers is removed by the next who comes. Deliberately absent: what is said (``hands_on``).
"""

import os
import re
import shutil
import socket
import struct
from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trio

from harness.base.errors import UsageError, WorldError
from harness.sut.lines import Garbage, line, objects
from harness.worlds import cache

SILENCE_S = 20.0
"""True seconds after which one that says nothing is wedged; it says something each second, and a call to a dead proxy takes five."""

REQUEST_S = 5.0
"""True seconds in which a caller must have said what it wants."""

CALLERS_MAX = 16
"""That wait for an answer to their connection."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_PATH_BYTES_MAX = 107
"""Of a socket's path: sun_path of unix(7) without its end."""

type Message = dict[str, Any]
type Say = Callable[[Message], Awaitable[None]]


def _base() -> Path:
    """In the user's runtime folder, as the XDG Base Directory Specification has it, else in the cache."""
    given = os.environ.get("XDG_RUNTIME_DIR")
    return (Path(given) / "relayproof" if given else cache.folder()) / "up"


def _checked(name: str) -> str:
    if _NAME.fullmatch(name) is None:
        raise UsageError(f"--name {name}: a name is up to 32 small letters, digits and hyphens")
    return name


# --- the end that is reached


@dataclass
class Seat:
    """A name that is ours as long as this process lives.

    Attributes:
        folder: holds the socket.
        listener: takes connections.
    """

    folder: Path
    listener: socket.socket
    _held: set[int] = field(default_factory=set)

    async def serve(self, answer: Callable[[Message, Say], Awaitable[None]]) -> None:
        """Have each caller answered, until cancelled; ``answer`` gets its request and the way to say something."""
        listener = trio.SocketListener(trio.socket.from_stdlib_socket(self.listener))
        async with trio.open_nursery() as nursery:
            while True:
                nursery.start_soon(self._attend, await listener.accept(), answer)

    async def _attend(self, stream: trio.SocketStream, answer: Callable[[Message, Say], Awaitable[None]]) -> None:
        """Answer one caller; one that is gone, or asks nothing that can be read, is let go.

        Where we are cancelled its line stays open: whoever waits for our end hears it when this process is gone, and all that it had to clean up.
        """
        held = os.dup(stream.socket.fileno())
        self._held.add(held)
        with suppress(Garbage, trio.BrokenResourceError, trio.TooSlowError):
            async with stream, aclosing(objects(stream)) as requests:
                with trio.fail_after(REQUEST_S):
                    request = await anext(requests, None)
                if request is not None:
                    await answer(request, lambda message: stream.send_all(line(message)))
        self._held.remove(held)
        os.close(held)

    def farewell(self, message: Message) -> None:
        """Say something to whoever still waits, after ``serve`` was cancelled."""
        for held in self._held:
            with suppress(OSError):
                os.write(held, line(message))


@contextmanager
def seat(name: str) -> Iterator[Seat]:
    """Take a name for this process.

    Raises:
        UsageError: another process has it, or it is no name; the message says what to do.
    """
    base, own = _base(), f"{_checked(name)}.{os.getpid()}"
    folder, draft = base / own, base / f".{own}"
    listener = _listening(draft, folder)
    try:
        others = [one for one in base.glob(f"{name}.*") if one != folder]
        taken = next((pid for pid in map(_answers, others) if pid is not None), None)
        if taken is not None:
            raise UsageError(
                f"`relayproof up` runs already, as process {taken}; end it with `relayproof down{_named(name)}`, or choose another --name"
            )
        for stale in others:
            shutil.rmtree(stale, ignore_errors=True)
        yield Seat(folder, listener)
    finally:
        listener.close()
        shutil.rmtree(folder, ignore_errors=True)


def _listening(draft: Path, folder: Path) -> socket.socket:
    """A socket that only we may reach, in a folder that is there when it listens."""
    path = str(folder / "control")
    if len(os.fsencode(path)) >= _PATH_BYTES_MAX:
        raise UsageError(f"{path}: longer than a socket's path may be; set XDG_RUNTIME_DIR to a shorter folder")
    listener = socket.socket(socket.AF_UNIX)
    try:
        for left in (draft, folder):  # by a process that had our number before
            shutil.rmtree(left, ignore_errors=True)
        draft.mkdir(mode=0o700, parents=True)
        listener.bind(str(draft / "control"))
        (draft / "control").chmod(0o600)
        listener.listen(CALLERS_MAX)
        draft.rename(folder)
    except OSError as error:
        listener.close()
        raise UsageError(
            f"{path}: no socket can be had there ({error.strerror}); set XDG_RUNTIME_DIR to a folder of yours"
        ) from error
    return listener


def _answers(folder: Path) -> int | None:
    """The process that listens there; None if nobody does."""
    with socket.socket(socket.AF_UNIX) as caller:
        caller.setblocking(False)  # noqa: FBT003  of the standard library
        try:
            caller.connect(str(folder / "control"))
        except BlockingIOError:
            return _pid_in(folder)  # more callers wait than it takes: somebody is there
        except OSError:
            return None
        return _peer(caller)


def _pid_in(folder: Path) -> int:
    return int(folder.name.rpartition(".")[2])


def _peer(connected: Any) -> int:
    """Process at the other end, as the kernel knows it."""
    size = struct.calcsize("3i")
    pid: int = struct.unpack("3i", connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))[0]
    return pid


# --- the end that reaches


async def ask(name: str, request: Message, hear: Callable[[Message], bool]) -> bool:
    """Ask who has a name.

    Args:
        name: of the one that is up.
        request: what.
        hear: takes each thing that it says; true ends the conversation.

    Returns:
        Whether ``hear`` ended it; else its process has ended.

    Raises:
        UsageError: nobody has the name.
        WorldError: it says nothing for ``SILENCE_S``, or nothing that can be read.
    """
    stream, pid = await _reached(name)
    silent = False
    with suppress(trio.BrokenResourceError):
        try:
            async with stream, aclosing(objects(stream)) as messages:
                with trio.move_on_after(SILENCE_S) as patience:
                    await stream.send_all(line(request))
                    async for message in messages:
                        patience.deadline = trio.current_time() + SILENCE_S
                        if hear(message):
                            return True
                silent = patience.cancelled_caught
        except Garbage as error:
            raise WorldError(f"process {pid} answers what no `relayproof up` answers: {error}") from error
    if silent:
        raise WorldError(
            f"`relayproof up` (process {pid}) has said nothing for {SILENCE_S:g} s; `kill -9 {pid}` ends it and all that it started"
        )
    return False


async def _reached(name: str) -> tuple[trio.SocketStream, int]:
    for folder in sorted(_base().glob(f"{_checked(name)}.*")):
        with suppress(OSError):
            with trio.fail_after(SILENCE_S):
                stream = await trio.open_unix_socket(folder / "control")
            return stream, _peer(stream.socket)
    names = sorted(
        {folder.name.rpartition(".")[0] for folder in _base().glob("[!.]*.*") if _answers(folder) is not None}
    )
    remedy = (
        f"there is one with `--name {names[0]}`"
        if names
        else "start it with `relayproof up`, in another terminal or with --detach"
    )
    raise UsageError(f"no `relayproof up` runs{f' by the name {name}' if name != DEFAULT else ''}; {remedy}")


DEFAULT = "up"


def _named(name: str) -> str:
    return "" if name == DEFAULT else f" --name {name}"
