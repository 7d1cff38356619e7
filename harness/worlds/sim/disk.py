"""A simulated disk: what was not synced is gone after a power cut, what was written is safe from a killed process.

``SimHome`` and ``SimStore`` have the shapes of the platform's home and store. A sync costs virtual time. A sync that failed is fatal to the
file: its pages are marked clean although they were lost ("fsyncgate"), so a second sync must not be believed. Deliberately absent:
directories, permissions, and reordering between files.
"""

import errno
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import trio

if TYPE_CHECKING:
    from collections.abc import Callable

SYNC_S = 0.002
"""One fsync on a consumer solid-state disk."""

STORE = "store.log"

type DiskFault = Literal["sync_error", "full"]


@dataclass(slots=True)
class _File:
    cached: bytes = b""
    durable: bytes | None = None


class SimDisk:
    """The disk of one machine; it outlives every program.

    Attributes:
        fault: ``sync_error``: the next syncs fail with EIO; ``full``: writes fail with ENOSPC; None: healthy.
        syncs: how many syncs succeeded.
        sync_s: seconds that one sync takes.
        on_refused: is told how many bytes a full disk did not take.
    """

    def __init__(self) -> None:
        self.sync_s = SYNC_S
        self._files: dict[str, _File] = {}
        self.fault: DiskFault | None = None
        self.syncs = 0
        self.on_refused: Callable[[int], None] = lambda _bytes: None

    def names(self) -> list[str]:
        """Names of all files, sorted."""
        return sorted(self._files)

    def read(self, name: str) -> bytes | None:
        """Contents as a program sees them, None if there is no such file."""
        file = self._files.get(name)
        return file.cached if file else None

    def write(self, name: str, data: bytes) -> None:
        """Replace contents in the page cache.

        Raises:
            OSError: ENOSPC.
        """
        self._take(len(data))
        self._files.setdefault(name, _File()).cached = data

    def append(self, name: str, data: bytes) -> None:
        """Add to the end, in the page cache.

        Raises:
            OSError: ENOSPC.
        """
        self._take(len(data))
        self._files.setdefault(name, _File()).cached += data

    def _take(self, size: int) -> None:
        if self.fault == "full":
            self.on_refused(size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def sync(self, name: str) -> None:
        """Make contents durable, without any cost; programs go through ``SimHome`` and ``SimStore``.

        Raises:
            OSError: EIO; what was not durable is lost then, silently.
        """
        file = self._files[name]
        if self.fault == "sync_error":
            file.cached = file.durable or b""
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        file.durable = file.cached
        self.syncs += 1

    def power_cut(self) -> None:
        """Forget everything that was never synced."""
        durable = {name: file.durable for name, file in self._files.items() if file.durable is not None}
        self._files = {name: _File(data, data) for name, data in durable.items()}


class SimHome:
    """A program's private files: each write is atomic and durable at once (write, fsync, rename)."""

    def __init__(self, disk: SimDisk) -> None:
        self._disk = disk

    def read(self, name: str) -> bytes | None:
        """Contents of a file, or None."""
        return self._disk.read(f"home/{name}")

    def write(self, name: str, data: bytes) -> None:
        """Replace a file.

        Raises:
            OSError: EIO or ENOSPC.
        """
        self._disk.write(f"home/{name}", data)
        self._disk.sync(f"home/{name}")


class SimStore:
    """An append-only log of records; each is stored with its length, so a torn end is noticed."""

    def __init__(self, disk: SimDisk, name: str = STORE) -> None:
        self._disk, self._name = disk, name
        self._broken = False
        self._committing = trio.Lock()

    async def load(self) -> list[bytes]:
        """All durable records in order."""
        await trio.lowlevel.checkpoint()
        return _records(self._disk.read(self._name) or b"")

    async def commit(self, records: list[bytes]) -> None:
        """Append records and make them durable; returns after the disk's ``sync_s``.

        Raises:
            OSError: ENOSPC, or EIO; after EIO every later commit fails too.
        """
        async with self._committing:
            if self._broken:
                raise OSError(errno.EIO, "an earlier sync failed")
            self._disk.append(self._name, b"".join(len(one).to_bytes(4) + one for one in records))
            await trio.sleep(self._disk.sync_s)
            try:
                self._disk.sync(self._name)
            except OSError:
                self._broken = True
                raise

    async def aclose(self) -> None:
        """Nothing is open between commits."""
        await trio.lowlevel.checkpoint()


def _records(data: bytes) -> list[bytes]:
    records, at = [], 0
    while at + 4 <= len(data):
        size = int.from_bytes(data[at : at + 4])
        if at + 4 + size > len(data):
            break
        records.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    return records
