"""What was given to a link and what passed, read from the kernel's counters of the proxy's own sockets.

Toxiproxy tells of a connection only when it is over (measured); ``ss`` tells now. Deliberately absent: what follows from it.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field

from harness.base.errors import WorldError

_SOCKET = re.compile(r"^\S+\s+\d+\s+\d+\s+(?P<here>\S+)\s+(?P<there>\S+)")
_COUNT = re.compile(r"\b(bytes_sent|bytes_retrans|bytes_received):(\d+)")

type Key = tuple[str, str]


@dataclass
class Counters:
    """Counts of one link between two readings.

    Attributes:
        listens: ``address:port`` of the proxy on the dialling side.
        upstream: ``address:port`` that it dials.
    """

    listens: str
    upstream: str
    _last: dict[Key, dict[str, int]] = field(default_factory=dict)

    def read(self) -> dict[str, dict[str, int]]:
        """Since the last reading: direction -> ``bytes`` given and ``passed``."""
        near, far = {"bytes_sent": 0, "bytes_received": 0}, {"bytes_sent": 0, "bytes_received": 0}
        now: dict[Key, dict[str, int]] = {}
        for key, counts in _sockets(self.listens, self.upstream):
            now[key] = counts
            before = self._last.get(key, {})
            leg = near if key[0] == self.listens else far
            for name, count in counts.items():
                leg[name] += max(count - before.get(name, 0), 0)
        self._last = now
        return {
            "up": {"bytes": near["bytes_received"], "passed": far["bytes_sent"]},
            "down": {"bytes": far["bytes_received"], "passed": near["bytes_sent"]},
        }


def _sockets(listens: str, upstream: str) -> Iterator[tuple[Key, dict[str, int]]]:
    """The proxy's own sockets: those that it accepted and those that it dialled."""
    program = shutil.which("ss", path="/usr/sbin:/usr/bin:/sbin:/bin")
    if program is None:
        raise WorldError("no `ss` to read a link's counters with: install iproute2")
    wanted = f"( src {listens} or dst {upstream} )"
    command = [program, "-tinH", "state", "all", "exclude", "listening", "exclude", "time-wait", wanted]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)  # noqa: S603
    if done.returncode:
        raise WorldError(f"`ss` cannot read the counters: {done.stderr.strip()}")
    key: Key | None = None
    for line in done.stdout.splitlines():
        found = None if line[:1].isspace() else _SOCKET.match(line)
        if found:
            key = found["here"], found["there"]
        elif key is not None:
            yield key, _counts(line)


def _counts(line: str) -> dict[str, int]:
    """What a socket took and gave; what it gave again is no more than once."""
    found = {name: int(count) for name, count in _COUNT.findall(line)}
    sent = found.get("bytes_sent", 0) - found.get("bytes_retrans", 0)
    return {"bytes_sent": sent, "bytes_received": found.get("bytes_received", 0)}
