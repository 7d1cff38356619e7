"""The user's cache: what is built once, and what those who run beside one another lock. Deliberately absent: what is in it, and when it is locked."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path

from harness.base.errors import WorldError


def folder() -> Path:
    """Where it is; nothing is made (XDG Base Directory Specification)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "relayproof"


@contextmanager
def writing() -> Iterator[Path]:
    """The folder, made if it is not there, for a block that writes into it.

    Raises:
        WorldError: it cannot be written.
    """
    place = folder()
    try:
        place.mkdir(parents=True, exist_ok=True)
        yield place
    except OSError as error:
        raise WorldError(
            f"the cache {place} cannot be written ({error.strerror or error}): set XDG_CACHE_HOME"
        ) from error


def lock_file(name: str) -> TextIOWrapper:
    """A file of the cache to be locked; open for writing, without which NFS gives no exclusive lock (flock(2)). Raises as ``writing``."""
    with writing() as place:
        return (place / name).open("w")
