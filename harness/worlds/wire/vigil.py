"""Whether the harness's own processes still do their work: the proxies of the links, the tap, the corporate proxies.

One that was killed, stopped, or wedged would cut a link that no story cuts, and a system would be blamed for it. Deliberately absent: the systems
on trial, which may end as they like (``roles``).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import trio

from harness.base.errors import WorldError
from harness.worlds.wire.children import Child
from harness.worlds.wire.process_table import PROC
from harness.worlds.wire.toxiproxy import CALL_S, LinkProxy

LOOK_S = 1.0
"""True seconds between two looks; one takes below 1 ms, and one at a proxy that does not answer ``CALL_S``."""

# Its list of proxies, not its version: a server in which a toxic waits for a receiver that does not read tells its version still (measured).
_ASK = b"GET /proxies HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@dataclass
class Vigil:
    """One run's.

    Attributes:
        links: machine -> its link's proxy.
        others: processes that must live and run.
        stands: whether a machine's link is stopped by ourselves, because it sleeps or the link is held.
    """

    links: Mapping[str, LinkProxy]
    others: Sequence[Child]
    stands: Callable[[str], bool]
    _over: bool = field(default=False)

    async def keep(self) -> None:
        """Look until the run is over.

        Raises:
            WorldError: one does not do its work.
        """
        while not self._over:
            await self.look()
            await trio.sleep(LOOK_S)

    def end(self) -> None:
        """From now on they may end."""
        self._over = True

    async def look(self) -> None:
        """Look at all of them once; raises as ``keep``."""
        for child in self.others:
            self._check(f"the {child.name}", child)
        for machine, link in self.links.items():
            await self._look_at(machine, link)

    def _check(self, name: str, child: Child, *, may_stand: bool = False) -> None:
        if self._over:
            return
        if child.process.returncode is not None:
            words = child.last_words()
            raise WorldError(f"{name} ended in mid-run, code {child.process.returncode}{': ' if words else ''}{words}")
        if not may_stand and _is_stopped(child.pid):
            raise WorldError(f"{name} was stopped in mid-run")

    async def _look_at(self, machine: str, link: LinkProxy) -> None:
        name = f"the toxiproxy-server of {machine}"
        stood = self.stands(machine)
        self._check(name, link.child, may_stand=stood)
        answers = await _answers(link.port)
        if not (answers or stood or self.stands(machine) or self._over):
            self._check(name, link.child)
            raise WorldError(f"{name} does not answer in mid-run, {CALL_S:g} s long")


def _is_stopped(pid: int) -> bool:
    try:
        return (PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()[0] == b"T"
    except OSError:
        return False


async def _answers(port: int) -> bool:
    """Whether a server says anything at all within ``CALL_S``."""
    with trio.move_on_after(CALL_S):
        try:
            async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
                await stream.send_all(_ASK)
                return bool(await stream.receive_some())
        except (OSError, trio.BrokenResourceError):
            return False
    return False
