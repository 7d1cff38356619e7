"""``python -m harness.worlds.wire``: says in one line what of the wire world cannot be had on this machine, and builds what has to be built once.

It leaves with 3 where nothing can be played, which no error of its own does.
"""

import sys
from collections.abc import Iterator

from harness.base.errors import WorldError
from harness.worlds.wire import namespaces, syscalls
from harness.worlds.wire.linux import why_not_here
from harness.worlds.wire.toxiproxy_server import WrongModule, server_program
from harness.worlds.wire.warp import why_no_shim

IMPOSSIBLE = 3
"""Exit code; Python's own are 1 and 2."""


def impossible() -> str:
    """Why nothing can be played here; empty if something can. A module that is not the pinned one is raised."""
    try:
        server_program()
    except WrongModule:
        raise
    except WorldError as error:
        return str(error)
    return ""


def lacking() -> Iterator[str]:
    """What cannot be had, each with what it costs and the remedy."""
    if why := why_no_shim():
        yield f"everything goes in real time, long stories are left out: {why}"
    if why := namespaces.unavailable():
        yield f"faults of the kernel are left out: {why}"
    if why := syscalls.lacking():
        yield f"the order of writes and answers is left out: {why}"


def main() -> int:
    """Print the line; ``IMPOSSIBLE`` where nothing can be played."""
    elsewhere = why_not_here()
    why = elsewhere or impossible()
    told = [*([f"nothing can be played: {why}"] if why else []), *(() if elsewhere else lacking())]
    print(f"wire world: {'; '.join(told) or 'nothing is missing'}")  # noqa: T201 - a person reads it
    return IMPOSSIBLE if why else 0


if __name__ == "__main__":
    sys.exit(main())
