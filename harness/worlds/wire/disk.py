"""A disk that can be full: a tmpfs(5) for one program's private directory, made no larger than what is in it.

It fails as a full disk does, with ENOSPC from the kernel, in whatever way a program writes. Deliberately absent: slow disks, and syncs that fail.
"""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import harness.faults.catalogue  # noqa: F401  fills FAULTS
from harness.base.errors import WorldError
from harness.faults.model import FAULTS
from harness.history.plan import Plan, every_step
from harness.worlds.wire.namespaces import COMMAND_S, tool

DISK_BYTES = 64 * 1024 * 1024
"""Of the whole disk; a relay's store of our longest story has 3 MiB."""

FILLS_MAX = 20
"""Tries to make it no larger than what is in it, while its program may write in between."""


def wanted(plan: Plan, machine: str) -> bool:
    """Whether a plan fills the disk of a machine."""
    faults = [FAULTS[step.verb](**step.args) for step in every_step(plan.story) if step.do == "fault"]
    return any(one.name == "fill_disk" and one.args["machine"] == machine for fault in faults for one in fault.begin())


@dataclass(frozen=True)
class Disk:
    """The disk below one private directory, empty and with room when it is made; whoever makes it has it unmounted at the end.

    Attributes:
        path: of the directory; it is there afterwards.

    Raises:
        WorldError: it cannot be mounted.
    """

    path: Path

    def __post_init__(self) -> None:
        self.path.mkdir(mode=0o700)
        self._mount("-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=700,nosuid,nodev", "relayproof")

    def fill(self) -> None:
        """Leave no room.

        Raises:
            WorldError: its program writes faster than it can be filled.
        """
        for _ in range(FILLS_MAX):
            if self._resized(self._used_bytes()):
                return
        raise WorldError(f"the disk at {self.path} could not be filled")

    def free(self) -> None:
        """Give it room again."""
        self._mount("-o", f"remount,size={DISK_BYTES}")

    def takes(self) -> bool:
        """Whether it takes one byte more, by a file that has no name: nobody who looks into the directory finds it."""
        probe = os.open(self.path, os.O_TMPFILE | os.O_WRONLY, 0o600)
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
        command = [tool("mount"), "-o", f"remount,size={size_bytes}", str(self.path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=COMMAND_S)  # noqa: S603
        return done.returncode == 0

    def _mount(self, *how: str) -> None:
        command = [tool("mount"), *how, str(self.path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=COMMAND_S)  # noqa: S603
        if done.returncode:
            raise WorldError(f"no disk can be had at {self.path}: {done.stderr.strip()}")
