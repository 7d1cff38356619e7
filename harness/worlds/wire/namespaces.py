"""Network namespaces of one run: each machine, the relay, the middle where the proxies stand, and a router between them.

```
host ─┐
phone ─┼─ router ── middle (toxiproxy, corporate proxy, tap)
relay ─┘
```

They have no names: only open files hold them, so they are gone with whoever made them, however it ended. Deliberately absent: rules of the
router (``firewall``), what crosses it (``census``), names (``resolver``).
"""

import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import cache

from harness.base.errors import WorldError

MIDDLE = "10.250.0.2"
RESOLVER = "10.250.0.53"
RELAY = "10.251.0.2"
SEGMENT_BYTES = 1500
"""Offloads are off: what is counted is what a real line would carry."""

COMMAND_S = 10.0
"""A command of ``ip`` takes 5 ms."""

_TOOLS = ("ip", "nsenter", "unshare", "nft", "ss", "mount", "sysctl")
_PLACES = "/usr/sbin:/usr/bin:/sbin:/bin"

_RULES = """table inet trial {
    set dead { type ipv4_addr . inet_service; }
    chain forward {
        type filter hook forward priority filter; policy accept;
        ip saddr . tcp sport @dead drop
        iifname "m1" tcp flags & (syn | ack) == syn reject with tcp reset
        iifname "m1" meta l4proto tcp numgen random mod 10000 < 1 drop
        iifname "m1" meta l4proto tcp meta length > 1000 drop
        iifname "m1" ip daddr != { 10.250.2.1, 10.250.0.53 } drop
        iifname "m1" meta nfproto ipv6 drop
    }
}
"""
"""One of each kind of rule that faults put into the router: of each a kernel may lack the module."""

_TRIALS = (
    ("pair of veth interfaces", ("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "m1"), ""),
    ("forwarding of packets", ("sysctl", "-qw", "net.ipv4.ip_forward=1"), ""),
    ("nftables rules", ("nft", "-f", "-"), _RULES),
    ("bind mount", ("unshare", "--mount", "mount", "--bind", "/etc/resolv.conf", "/etc/resolv.conf"), ""),
)
"""What a ground is made of, by the commands with which it is made; all of it is gone with its namespace."""


@cache
def unavailable() -> str:
    """Why namespaces cannot be had here, with the remedy; empty if they can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    missing = [tool for tool in _TOOLS if shutil.which(tool, path=_PLACES) is None]
    if missing:
        return f"{', '.join(missing)} missing: apt install iproute2 util-linux nftables procps"
    try:
        file = _made()
    except OSError as error:
        return _not_given("network namespaces", error.strerror or str(error))
    try:
        return _untried(f"/proc/{os.getpid()}/fd/{file}")
    finally:
        os.close(file)


def _untried(path: str) -> str:
    """What of a ground cannot be had in a trial namespace, as ``unavailable`` says it. To ask takes 20 ms."""
    for what, command, text in _TRIALS:
        try:
            done = _asked(path, command, text)
        except (OSError, subprocess.SubprocessError) as error:
            return _not_given(what, str(error))
        if done.returncode:
            return _not_given(
                what, (done.stderr.strip() or f"`{command[0]}` leaves with {done.returncode}").splitlines()[0]
            )
    return ""


def _not_given(what: str, why: str) -> str:
    return (
        f"this machine gives no {what} ({why}); a container needs --privileged, a kernel the modules nf_tables and veth"
    )


def _asked(path: str, command: Sequence[str], text: str) -> "subprocess.CompletedProcess[str]":
    """Run a command of the system in the namespace that a file holds."""
    return subprocess.run(  # noqa: S603
        [*_inside(path), *command],
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=COMMAND_S,
        env={"PATH": _PLACES},
    )


def _inside(path: str) -> list[str]:
    return [tool("nsenter"), f"--net={path}", "--"]


def tool(name: str) -> str:
    """Where a program of the system is, whatever the environment says."""
    return shutil.which(name, path=_PLACES) or name


def _made() -> int:
    """A file that holds a new namespace; made by a thread of its own, because a thread that leaves its namespace cannot be trusted any more."""
    made: list[int] = []
    failed: list[OSError] = []

    def leave() -> None:
        try:
            os.unshare(os.CLONE_NEWNET)
            made.append(os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC))
        except OSError as error:
            failed.append(error)

    thread = threading.Thread(target=leave)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return made[0]


@contextmanager
def closed_on_failure(close: Callable[[], None]) -> Iterator[None]:
    """Let go of what was made so far if the rest cannot be made."""
    with ExitStack() as made:
        made.callback(close)
        yield
        made.pop_all()


class Namespaces:
    """The namespaces of one run, laid out and connected.

    Args:
        clients: machines that dial the relay, in order.

    Raises:
        OSError: no namespace can be had.
        WorldError: they cannot be connected; then none is left.
    """

    def __init__(self, clients: Sequence[str]) -> None:
        self.clients = list(clients)
        self._home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self._files: dict[str, int] = {}
        self._moved = dict.fromkeys(clients, 0)
        with closed_on_failure(self.close):
            for name in (*clients, "relay", "middle", "router"):
                self._files[name] = _made()
            self._lay()

    # --- addresses

    def number(self, client: str) -> int:
        """Which of the machines it is, from 1."""
        return self.clients.index(client) + 1

    def address(self, client: str) -> str:
        """Where a machine is now."""
        return f"10.{self._moved[client] + 1}.{self.number(client)}.2"

    def front(self, client: str, kind: str) -> str:
        """Where a machine finds the ``relay``, its ``proxy`` or a ``portal``: an address of the middle that is for it alone."""
        return f"10.250.{('relay', 'proxy', 'portal').index(kind) + 1}.{self.number(client)}"

    def near(self, client: str) -> str:
        """The router's interface towards a machine."""
        return f"m{self.number(client)}"

    # --- places

    def inside(self, place: str) -> list[str]:
        """What stands before a command that runs in a namespace."""
        return _inside(self._path(place))

    @property
    def paths(self) -> list[str]:
        """Files by which other processes of this user find them."""
        return [self._path(place) for place in self._files]

    def _path(self, place: str) -> str:
        return f"/proc/{os.getpid()}/fd/{self._files[place]}"

    def run(self, place: str, *command: str, text: str = "") -> str:
        """Run a command of the system in a namespace and return what it says.

        Raises:
            WorldError: it fails.
        """
        done = _asked(self._path(place), command, text)
        if done.returncode:
            raise WorldError(f"{place}: `{' '.join(command)}` fails: {done.stderr.strip()[:500]}")
        return done.stdout

    def enter(self, place: str) -> None:
        """Let this thread be in a namespace until ``close``."""
        os.setns(self._files[place], os.CLONE_NEWNET)

    @contextmanager
    def within(self, place: str) -> Iterator[None]:
        """Let this thread be in a namespace for a moment, in which nothing may be awaited; sockets made there stay there."""
        here = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        os.setns(self._files[place], os.CLONE_NEWNET)
        try:
            yield
        finally:
            os.setns(here, os.CLONE_NEWNET)
            os.close(here)

    def move(self, client: str) -> str:
        """Give a machine another address and return it; what it had open keeps the old one."""
        old = self.address(client)
        self._moved[client] += 1
        self._settle(client)
        self.run(client, "ip", "address", "del", f"{old}/24", "dev", "eth0")
        return self.address(client)

    def seen(self, client: str) -> str:
        """The address that a machine itself says it has; empty without one."""
        said = self.run(client, "ip", "-4", "-o", "address", "show", "dev", "eth0").split()
        return said[said.index("inet") + 1].partition("/")[0] if "inet" in said else ""

    def close(self) -> None:
        """Let go of all of them."""
        os.setns(self._home, os.CLONE_NEWNET)
        for file in (*self._files.values(), self._home):
            with suppress(OSError):
                os.close(file)

    # --- laying

    def _lay(self) -> None:
        for place in self._files:
            self.run(place, "ip", "link", "set", "lo", "up")
            self.run(place, "sysctl", "-eqw", "net.ipv6.conf.all.disable_ipv6=1")  # nobody gets past by it
        self._cable("middle", "mid")
        self._cable("relay", "rel")
        fronts = [self.front(client, kind) for client in self.clients for kind in ("relay", "proxy", "portal")]
        self._batch("middle", [f"address add {one}/16 dev eth0" for one in (MIDDLE, RESOLVER, *fronts)])
        self._batch("middle", ["route add default via 10.250.0.1"])
        self._batch("router", ["address add 10.250.0.1/16 dev mid", "address add 10.251.0.1/24 dev rel"])
        self._batch("relay", [f"address add {RELAY}/24 dev eth0", "route add default via 10.251.0.1"])
        for client in self.clients:
            self._cable(client, self.near(client))
            self._settle(client)
        self.run("router", "sysctl", "-qw", "net.ipv4.ip_forward=1")

    def _cable(self, place: str, end: str) -> None:
        """A cable between a namespace and the router."""
        self.run(place, "ip", "link", "add", "eth0", "type", "veth", "peer", "name", end, "netns", self._path("router"))
        for where, name in ((place, "eth0"), ("router", end)):
            settings = ("gso_max_segs", "1", "gso_max_size", str(SEGMENT_BYTES))
            self.run(where, "ip", "link", "set", name, *settings, "up")

    def _settle(self, client: str) -> None:
        """Put a machine and the router's end of its cable at the machine's present address."""
        address = self.address(client)
        gateway = address.removesuffix("2") + "1"
        self._batch("router", [f"address add {gateway}/24 dev {self.near(client)}"])
        self._batch(client, [f"address add {address}/24 dev eth0", f"route replace default via {gateway}"])

    def _batch(self, place: str, lines: list[str]) -> None:
        self.run(place, "ip", "-batch", "-", text="\n".join(lines) + "\n")
