"""What only the operating system can tell of a role's program: its arguments and environment, its log, its files, and who outlives it.

Looked at in steps of ``LOOK_S``: what lives shorter may go unseen. Values stay here; a history gets classes (``secrets``). Deliberately absent:
judgement (``harness.checks.process``).
"""

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby, islice
from pathlib import Path
from typing import Any, NamedTuple

import trio

from harness.worlds.wire.children import Child
from harness.worlds.wire.process_table import Process, kin, with_environ
from harness.worlds.wire.secrets import Secrets

LOOK_S = 0.5
"""True seconds between two looks; one takes 3 ms where 100 processes run."""

LINGER_S = 2.0
"""True seconds that whoever a program started gets to end after it: what the reference gives an agent."""

TEXTS_MAX, FILES_MAX = 1000, 1000
"""Different arguments and environments, and files, of one role that are looked at: a hundred times those of our longest story."""

BYTES_MAX = 16 * 1024 * 1024
"""Of one log or file: a relay's store of our longest story has 3 MiB."""

type Told = tuple[float, str, dict[str, Any]]
"""World seconds, name and data of an ``os`` event."""


class _Sight(NamedTuple):
    """What anybody may read of a process: ``where`` is argv or environment, ``whose`` program or child."""

    where: str
    whose: str
    text: bytes


class _Kept(NamedTuple):
    """A file or folder in a state directory."""

    path: str
    folder: bool
    mode: int


@dataclass
class Observer:
    """One role's programs, one after the other, as the operating system shows them.

    Attributes:
        mark: stands in the environment of the program, and of all that it starts.
        state: its private directory.
        now: the world's seconds.
        leader: of the program's group; 0 where none runs.
    """

    mark: bytes
    state: Path
    now: Callable[[], float]
    leader: int = 0
    _logs: list[Path] = field(default_factory=list)
    _sights: dict[_Sight, float] = field(default_factory=dict)
    _files: dict[_Kept, float] = field(default_factory=dict)
    _told: list[Told] = field(default_factory=list)
    _missed: set[str] = field(default_factory=set)

    def begin(self, child: Child) -> None:
        """A program was started."""
        self.leader = child.pid
        self._logs.append(child.log)

    def end(self) -> None:
        """It is gone, and with it its group; the number may become somebody else's."""
        self.leader = 0

    def look(self, processes: list[Process]) -> None:
        """Look at what there is of it now."""
        for process in processes:
            whose = "program" if process.pid == self.leader else "child"
            for where, name in (("argv", "cmdline"), ("environment", "environ")):
                self._note(self._sights, _Sight(where, whose, process.read(name)), TEXTS_MAX, where)
        for kept in islice(_kept(self.state), FILES_MAX + 1):
            self._note(self._files, kept, FILES_MAX, "file")

    def note(self, what: str, **data: Any) -> None:
        """Keep an event until the history is written."""
        self._told.append((self.now(), what, data))

    def heirs(self, child: Child) -> list[Process]:
        """Whoever of a program that ended lives, right now."""
        return [one for one in kin(with_environ(), child.pid, self.mark) if one.pid != child.pid]

    async def outlived(self, heirs: list[Process]) -> None:
        """Give them ``LINGER_S`` to end; tell who did not, and end them."""
        with trio.move_on_after(LINGER_S):
            for one in heirs:
                await one.ended()
        left = [one for one in heirs if one.lives]
        self.note("process.survived", alive=len(left), commands=sorted(one.command for one in left))
        for one in left:
            one.end()

    def tell(self, secrets: Secrets) -> Iterator[Told]:
        """All that was seen, as ``os`` events of docs/spec/history.md."""
        yield from self._told
        yield from self._tell_sights(secrets)
        yield from self._tell_logs(secrets)
        for (path, folder, mode), t in self._files.items():
            text, missed = (b"", "file" in self._missed) if folder else _text(self.state / path)
            classes = [name for name in secrets.classes(text) if name != "public"]
            about = {"path": path, "folder": folder, "mode": f"{mode:04o}"}
            yield t, "file.kept", about | {"bytes": len(text), "canaries": classes, "truncated": missed}

    def _tell_sights(self, secrets: Secrets) -> Iterator[Told]:
        ordered = sorted(self._sights.items(), key=lambda item: item[0])
        for (where, whose), group in groupby(ordered, key=lambda item: item[0][:2]):
            seen = [(t, sight.text) for sight, t in group]
            shown = _shown(where, whose, [text for _, text in seen], secrets)
            yield min(t for t, _ in seen), "process.shown", shown | {"truncated": where in self._missed}

    def _tell_logs(self, secrets: Secrets) -> Iterator[Told]:
        read = [_text(log) for log in self._logs]
        if read:
            shown = _shown("log", "program", [text for text, _ in read], secrets)
            yield self.now(), "process.shown", shown | {"truncated": any(missed for _, missed in read)}

    def _note[Seen](self, seen: dict[Seen, float], one: Seen, most: int, what: str) -> None:
        """Keep what was not seen before, as long as there is room; else keep that something was missed."""
        if one in seen:
            return
        if len(seen) < most:
            seen[one] = self.now()
        else:
            self._missed.add(what)


async def keep_looking(observers: list[Observer]) -> None:
    """Look at all roles until cancelled."""
    while True:
        look(observers)
        await trio.sleep(LOOK_S)


def look(observers: list[Observer]) -> None:
    """Look at all roles once."""
    table = with_environ()
    for observer in observers:
        observer.look(kin(table, observer.leader, observer.mark))


def _shown(where: str, whose: str, texts: list[bytes], secrets: Secrets) -> dict[str, Any]:
    classes = sorted({name for text in texts for name in secrets.classes(text)})
    return {"where": where, "whose": whose, "texts": len(texts), "bytes": sum(map(len, texts)), "canaries": classes}


def _kept(state: Path) -> Iterator[_Kept]:
    """The directory and what is in it; links are not followed, what vanishes meanwhile is left out."""
    for folder, folders, files in os.walk(state):
        inner = [] if Path(folder) != state else [state]
        for path in [*inner, *(Path(folder) / name for name in (*folders, *files))]:
            try:
                mode = path.lstat().st_mode
            except OSError:
                continue
            if not stat.S_ISLNK(mode):
                yield _Kept(str(path.relative_to(state)), stat.S_ISDIR(mode), stat.S_IMODE(mode))


def _text(path: Path) -> tuple[bytes, bool]:
    """What is in a file, and whether there is more; of one that is gone nothing."""
    try:
        with path.open("rb") as file:
            return file.read(BYTES_MAX), bool(file.read(1))
    except OSError:
        return b"", False
