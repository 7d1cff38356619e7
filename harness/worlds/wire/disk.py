"""A disk that can be full: a tmpfs(5) below one program's private directory, made no larger than what is in it.

It fails as a full disk does, with ENOSPC from the kernel, in whatever way a program writes. It is in memory: this machine's disk, whose syncs may
take a quarter of a second while others write, has no part in delays, and in a world at x60 such a sync would look like fifteen seconds. Deliberately
absent: slow disks, and syncs that fail.
"""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from harness.base.errors import WorldError
from harness.worlds.wire.namespaces import COMMAND_S, tool

DISK_BYTES = 1024 * 1024 * 1024
"""Of the whole disk; a relay's store of our longest story has 3 MiB, a new PostgreSQL 40. Memory is taken only for what is written."""

FILLS_MAX = 20
"""Tries to make it no larger than what is in it, while its program may write in between."""


@dataclass
class Disk:
    """A disk, empty and with room when it is made; whoever makes it has it unmounted at the end.

    Attributes:
        path: where it is mounted; programs get a folder in it, ``state``, which they make themselves.
        is_full: whether it was filled and not freed since.

    Raises:
        WorldError: it cannot be mounted.
    """

    path: Path
    is_full: bool = False

    def __post_init__(self) -> None:
        self.path.mkdir()
        self._mount("-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=755,nosuid,nodev", "relayproof")

    @property
    def state(self) -> Path:
        """The private directory of a program."""
        return self.path / "state"

    @property
    def is_used(self) -> bool:
        """Whether a program keeps anything there."""
        return self.state.is_dir() and any(self.state.iterdir())

    def fill(self) -> None:
        """Leave no room.

        Raises:
            WorldError: it is full already, there is nothing in it, or its program writes faster than it can be filled.
        """
        if self.is_full:
            raise WorldError(f"the disk at {self.path} is full already")
        for _ in range(FILLS_MAX):
            if self._resized(self._used_bytes()) and not self.takes():
                self.is_full = True
                return
        raise WorldError(f"the disk at {self.path} could not be filled")

    def free(self) -> None:
        """Give it room again."""
        self._mount("-o", f"remount,size={DISK_BYTES}")
        self.is_full = False

    def check(self, whose: str) -> None:
        """See that a disk that no fault has filled has room: else this world is why a program could not write.

        Raises:
            WorldError: it is full by what is in it.
        """
        if not self.is_full and os.statvfs(self.path).f_bfree == 0:
            raise WorldError(
                f"{whose}'s private directory has reached the {DISK_BYTES // 2**20} MiB that one may have here, so what it could not write shows"
                " nothing; have it keep less there, or go without namespaces, where it is on this machine's disk"
            )

    def takes(self) -> bool:
        """Whether it takes one byte more, by a file that has no name: nobody who looks into the directory finds it."""
        try:
            probe = os.open(self.path, os.O_TMPFILE | os.O_WRONLY, 0o600)
        except OSError:
            return False
        try:
            return os.write(probe, b"x") == 1
        except OSError:
            return False
        finally:
            os.close(probe)

    def _used_bytes(self) -> int:
        told = os.statvfs(self.path)
        return max(1, told.f_blocks - told.f_bfree) * told.f_frsize

    def _resized(self, size_bytes: int) -> bool:
        """Whether the size could be set: not to less than what is in it by now."""
        return self._asked("-o", f"remount,size={size_bytes}").returncode == 0

    def _mount(self, *how: str) -> None:
        done = self._asked(*how)
        if done.returncode:
            raise WorldError(f"no disk can be had at {self.path}: {done.stderr.strip()}")

    def _asked(self, *how: str) -> "subprocess.CompletedProcess[str]":
        """Ask mount(8), which bears the path, so that the guard finds it should it outlive the harness."""
        command, environ = [tool("mount"), *how, str(self.path)], {"RELAYPROOF_DISK": str(self.path)}
        return subprocess.run(  # noqa: S603
            command, env=environ, capture_output=True, text=True, check=False, timeout=COMMAND_S
        )
