"""Processes of one run: started in groups of their own, told to a guard, stopped, frozen, and gone at the end.

Deliberately absent: what they are (``roles``, ``toxiproxy``, ``tap``).
"""

import fcntl
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import IO, Self

import trio

from harness.base.errors import WorldError
from harness.worlds.wire.strays import end_strays, orphans_adopted

GUARD = Path(__file__).with_name("guard.py")
"""Ends what is left, also of a harness that was killed."""

GRACE_S = 5.0
"""What a program gets to leave after SIGTERM; the reference takes well below one second."""

UMASK = 0o022
"""What a login shell gives: a program that keeps something to itself has done so itself."""

STDERR_SHOWN = 2000
"""Bytes of a program's standard error that a message quotes, its last."""

LOG_BYTES_MAX = 64 * 1024 * 1024
"""Of a program's standard error: four times what is read of it afterwards."""

LOG_LOOK_S = 0.2
"""True seconds between two looks at its size; a disk takes some 100 MB meanwhile."""


@dataclass
class Child:
    """One process and its group.

    Attributes:
        name: for messages.
        process: the group's leader.
        log: file of its standard error.
    """

    name: str
    process: trio.Process
    log: Path
    _asked: bool = False

    @property
    def pid(self) -> int:
        """Of the leader, and of the group."""
        return self.process.pid

    def signal(self, number: int) -> None:
        """Send a signal to the whole group; to one that is gone nothing."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def unread(self) -> int:
        """Bytes of its standard output that wait to be read."""
        assert isinstance(self.process.stdout, trio.lowlevel.FdStream)
        return int.from_bytes(fcntl.ioctl(self.process.stdout.fileno(), termios.FIONREAD, bytes(4)), sys.byteorder)

    async def ask(self) -> None:
        """Ask the leader, and nobody else, to leave, once, and wait ``GRACE_S`` at most until it did."""
        if self.process.returncode is None:
            if not self._asked:
                self.process.send_signal(signal.SIGTERM)
            self._asked = True
            with trio.move_on_after(GRACE_S):
                await self.process.wait()

    async def overfull(self) -> str:
        """Wait until its log is longer than anybody reads; returns a sentence that says so."""
        while self.log.stat().st_size <= LOG_BYTES_MAX:  # noqa: ASYNC110 - a file that grows tells nobody
            await trio.sleep(LOG_LOOK_S)
        return f"it wrote more than {LOG_BYTES_MAX} bytes to its standard error"

    def last_words(self) -> str:
        """The end of its standard error."""
        with self.log.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - STDERR_SHOWN))
            return log.read().decode("utf-8", "replace").strip()


@dataclass
class Children:
    """All processes of one run, and its folder.

    Use as a context manager: afterwards nothing of it is left, also when the harness is killed in between.

    Attributes:
        before: what stands before each command. Where a process is started from decides nothing: the threads that do it may be from elsewhere.
    """

    before: list[str] = field(default_factory=list)
    folder: Path = field(init=False)
    _guard: "subprocess.Popen[str]" = field(init=False)
    _all: dict[int, Child] = field(default_factory=dict)
    _logs: int = 0
    _adopting: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        self._adopting.enter_context(orphans_adopted())
        self.folder = Path(tempfile.gettempdir()) / f"relayproof-{secrets.token_hex(8)}"
        self._guard = subprocess.Popen(  # noqa: S603 - our own script; it holds nobody's output open
            [sys.executable, "-I", "-S", str(GUARD)],
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            text=True,
            start_new_session=True,
        )
        assert self._guard.stdout is not None
        assert self._guard.stdin is not None
        with self._guard.stdout as said:
            is_there = said.readline()
        if not is_there:
            self._adopting.close()
            self._guard.stdin.close()
            self._guard.wait()
            raise WorldError(f"{GUARD} ended at once: is this installation whole?")
        self._tell(f"folder {self.folder}")
        self.folder.mkdir(mode=0o700)  # only now: from here on nothing can leave it behind
        return self

    def __exit__(self, *_: object) -> None:
        """End the guard, which ends the rest."""
        assert self._guard.stdin is not None
        try:
            self._end_strays()
        finally:
            self._adopting.close()
            self._guard.stdin.close()
            self._guard.wait()

    def _end_strays(self) -> None:
        """End whoever has left its group; one that is known by now is the guard's business."""
        end_strays(str(self.folder).encode(), {self._guard.pid, *self._all})

    async def start(
        self, name: str, command: Sequence[str], environ: Mapping[str, str], *, talks: bool, cwd: Path | None = None
    ) -> Child:
        """Start a process as the leader of a new group.

        Args:
            name: for messages.
            command: program and arguments.
            environ: all of its environment.
            talks: whether its standard streams are pipes; else they lead nowhere, and its output goes to the log.
            cwd: where it runs; the run's folder if not given.

        Raises:
            WorldError: it cannot be started.
        """
        self._logs += 1
        log = self.folder / f"{self._logs}-{name}.log"
        stream = PIPE if talks else DEVNULL
        with log.open("wb") as errors:
            output: int | IO[bytes] = PIPE if talks else errors
            try:
                process = await trio.lowlevel.open_process(
                    [*self.before, *command],
                    stdin=stream,
                    stdout=output,
                    stderr=errors,
                    env=dict(environ),
                    cwd=cwd or self.folder,
                    start_new_session=True,
                    umask=UMASK,
                )
            except OSError as error:
                raise WorldError(f"{name}: cannot start {command[0]!r}: {error.strerror}") from error
        self._tell(f"+ {process.pid}")
        child = self._all[process.pid] = Child(name, process, log)
        return child

    @property
    def running(self) -> list[Child]:
        """All that were started and have not been reaped."""
        return list(self._all.values())

    async def end(self, child: Child) -> int:
        """Ask a process to leave, insist after ``GRACE_S``, and end what is left of its group; returns its exit code."""
        child.signal(signal.SIGCONT)
        await child.ask()
        return await self.reap(child)

    async def reap(self, child: Child) -> int:
        """Kill what is left of a group, wait for its leader and close its streams; returns the exit code."""
        child.signal(signal.SIGKILL)
        with trio.CancelScope(shield=True):
            code = await child.process.wait()
            for stream in (child.process.stdin, child.process.stdout):
                if stream is not None:
                    await stream.aclose()
        if self._all.pop(child.pid, None) is not None:
            self._tell(f"- {child.pid}")
        return code

    async def reap_all(self) -> None:
        """Kill whoever is left, all at once."""
        left = list(self._all.values())
        for child in left:
            child.signal(signal.SIGKILL)
        for child in left:
            await self.reap(child)
        self._end_strays()

    def remove_at_end(self, folder: Path) -> None:
        """Have a folder that is not the run's own removed as well, however this process ends."""
        self._tell(f"folder {folder}")

    def end_at_end(self, namespaces: Iterable[str]) -> None:
        """Have whoever is in a network namespace ended as well, whatever its environment says, however this process ends.

        Args:
            namespaces: their files.
        """
        for path in namespaces:
            self._tell(f"place {path}")

    def unmount_at_end(self, path: Path) -> None:
        """Have what will be mounted there unmounted, however this process ends."""
        self._tell(f"disk {path}")

    def _tell(self, line: str) -> None:
        assert self._guard.stdin is not None
        self._guard.stdin.write(line + "\n")
        self._guard.stdin.flush()
