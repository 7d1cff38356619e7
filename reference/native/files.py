"""A role's private directory.

Replaced whole and synced before the new name holds, so that a power cut leaves the old contents or the new, never half of them.
"""

import os
import re
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")


class BadState(Exception):  # noqa: N818 - it names what was met
    """The directory cannot be used; the message says which and why."""


@dataclass(frozen=True)
class NativeHome:
    """Implements ``reference.platform.Home``.

    Attributes:
        path: the directory; made with mode 0700 when missing.
    """

    path: Path

    def prepare(self) -> None:
        """Make the directory.

        Raises:
            BadState: it cannot be made, is no directory, or is open to others.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            mode = self.path.stat().st_mode
        except OSError as error:
            raise BadState(f"state directory {self.path}: {error.strerror}") from error
        if mode & 0o077:
            raise BadState(f"state directory {self.path}: others may look into it; chmod 700 {self.path}")

    def read(self, name: str) -> bytes | None:
        """Contents of a file, or None."""
        try:
            return self._at(name).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, name: str, data: bytes) -> None:
        """Replace a file atomically, mode 0600.

        Raises:
            OSError: the disk did not take it; the old contents stay.
        """
        target = self._at(name)
        handle, fresh = tempfile.mkstemp(dir=self.path, prefix=f".{name}.")  # 0600 by its contract
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(fresh).replace(target)
        except BaseException:
            with suppress(OSError):
                Path(fresh).unlink()
            raise
        _sync(self.path)

    def _at(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ValueError(f"not a name of a state file: {name!r}")
        return self.path / name


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
