"""Writing a file whole or not at all."""

import contextlib
import os
import tempfile
from pathlib import Path

from harness.base.errors import UsageError


def write_whole(path: Path, text: str) -> None:
    """Replace a file by ``text`` in one step: a reader sees the old or the new one, never half of it.

    Raises:
        UsageError: the file cannot be written; nothing is left behind.
    """
    try:
        number, scratch = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror or error})") from error
    try:
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(scratch, 0o644)  # noqa: PTH101 - mkstemp makes 0600; a report is for everybody
        os.replace(scratch, path)  # noqa: PTH105 - the name is a string from mkstemp
    except BaseException as error:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(scratch)  # noqa: PTH108 - same
        if isinstance(error, OSError):
            raise UsageError(f"{path}: cannot be written ({error.strerror or error})") from error
        raise
