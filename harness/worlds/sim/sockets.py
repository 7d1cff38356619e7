"""Sockets of a simulated machine, as trio programs see them.

Enough of ``trio.socket.SocketType`` for ``open_tcp_stream``, ``serve_tcp``, ``SocketStream``, ``SSLStream`` and the trio back-end of
httpcore2. Deliberately absent: UDP, IPv6, real file descriptors (``fileno`` is a number that no system call knows).
"""

import errno
import os
import socket as stdlib_socket
from collections import deque
from typing import TYPE_CHECKING, Any, Self

import trio
from trio import socket as tsocket

from harness.worlds.sim.endpoint import Address, Endpoint
from harness.worlds.sim.tls import bind_connection
from harness.worlds.sim.trio_compat import reschedule

if TYPE_CHECKING:
    from harness.worlds.sim.machine import Machine
    from harness.worlds.sim.network import Network

_ANY = ("", "0.0.0.0")  # noqa: S104  the wildcard address of a simulated machine
_FILENO_BASE = 1_000_000


def os_error(code: int) -> OSError:
    """The exception of an errno."""
    return OSError(code, os.strerror(code))


class WaitQueue:
    """Tasks that wait for a socket to change; woken from the host loop, without entering their run."""

    __slots__ = ("_machine", "_tasks")

    def __init__(self, machine: "Machine") -> None:
        self._machine = machine
        self._tasks: list[trio.lowlevel.Task] = []

    async def wait(self) -> None:
        """Sleep until ``wake``."""
        task = trio.lowlevel.current_task()
        self._tasks.append(task)

        def abort(_raise_cancel: object) -> trio.lowlevel.Abort:
            self._tasks.remove(task)
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(abort)

    def wake(self) -> None:
        """Make all waiting tasks runnable; a machine without a program has none."""
        if not self._tasks or not self._machine.alive:
            return
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            reschedule(task)
        self._machine.kernel.ready(self._machine)


class SimSocket(tsocket.SocketType):
    """One TCP socket."""

    def __init__(self, net: "Network", machine: "Machine", number: int) -> None:
        super().__init__()
        self._net, self.machine = net, machine
        self._number = _FILENO_BASE + number
        self._options: dict[tuple[int, int], Any] = {}
        self._local: Address | None = None
        self._backlog: deque[Endpoint] | None = None
        self._end: Endpoint | None = None
        self._closed = False
        self._did_shutdown = False
        self._readable = WaitQueue(machine)
        self._writable = WaitQueue(machine)

    def _adopt(self, end: Endpoint) -> None:
        self._end, self._local = end, end.local
        end.on_readable, end.on_writable = self._readable.wake, self._writable.wake

    # --- what trio asks

    @property
    def family(self) -> stdlib_socket.AddressFamily:
        """AF_INET."""
        return stdlib_socket.AF_INET

    @property
    def type(self) -> stdlib_socket.SocketKind:
        """SOCK_STREAM."""
        return stdlib_socket.SOCK_STREAM

    @property
    def proto(self) -> int:
        """0: the only one."""
        return 0

    @property
    def did_shutdown_SHUT_WR(self) -> bool:  # noqa: N802  trio's name
        """Whether the sending direction was closed."""
        return self._did_shutdown

    def fileno(self) -> int:
        """A number that names the socket, -1 once closed."""
        return -1 if self._closed else self._number

    def setsockopt(self, level: int, optname: int, value: Any = None, optlen: int | None = None) -> None:
        """Remember the option; none changes the simulation."""
        del optlen
        self._options[level, optname] = value

    def getsockopt(self, level: int, optname: int, buflen: int | None = None) -> Any:
        """What was set; ``SO_ACCEPTCONN`` is true."""
        del buflen
        if (level, optname) == (stdlib_socket.SOL_SOCKET, stdlib_socket.SO_ACCEPTCONN):
            return int(self._backlog is not None)
        return self._options.get((level, optname), 0)

    def getsockname(self) -> Address:
        """Local address."""
        return self._local or ("0.0.0.0", 0)  # noqa: S104  what an unbound socket answers

    def getpeername(self) -> Address:
        """Peer's address, as this end sees it."""
        if self._end is None:
            raise os_error(errno.ENOTCONN)
        return self._end.peer

    @property
    def connection_number(self) -> int:
        """The number of its connection in the census, 0 while it has none."""
        return 0 if self._end is None else self._end.connection.number

    def is_readable(self) -> bool:
        """Whether a read would return at once; httpcore2 asks this of idle connections."""
        end = self._end
        return end is not None and bool(end.received or end.eof or end.error)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<SimSocket {self._number} of {self.machine.name}>"

    # --- listening

    async def bind(self, address: Any) -> None:
        """Take a local address; port 0 is an ephemeral one."""
        await trio.lowlevel.checkpoint()
        host, port = address[:2]
        self._local = ("" if host in _ANY else host, port or self._net.ephemeral_port(self.machine))

    def listen(self, backlog: int = 128) -> None:
        """Accept connections from now on."""
        del backlog
        if self._local is None:
            self._local = ("", self._net.ephemeral_port(self.machine))
        self._backlog = deque()
        self._net.listen(self, self._local)

    def offer(self, end: Endpoint) -> None:
        """A connection for ``accept``; called by the network."""
        assert self._backlog is not None
        self._backlog.append(end)
        self._readable.wake()

    async def accept(self) -> tuple["SimSocket", Address]:
        """Wait for a connection."""
        await trio.lowlevel.checkpoint()
        while True:
            if self._closed or self._backlog is None:
                raise os_error(errno.EBADF if self._closed else errno.EINVAL)
            if self._backlog:
                break
            await self._readable.wait()
        end = self._backlog.popleft()
        accepted = self._net.socket_of(self.machine)
        accepted._adopt(end)  # noqa: SLF001  same class
        return accepted, end.peer

    # --- connecting

    async def connect(self, address: Any) -> None:
        """Dial; refused, timed out (127 s) and cancelled as on Linux."""
        await trio.lowlevel.checkpoint()
        host, port = address[:2]
        local_port = self._local[1] if self._local else self._net.ephemeral_port(self.machine)
        dial = self._net.dial(self.machine, (self.machine.address, local_port), (host, port), self._readable.wake)
        try:
            while dial.outcome is None:
                await self._readable.wait()
                self._check_open()
        except BaseException:
            dial.give_up()
            raise
        if isinstance(dial.outcome, int):
            raise os_error(dial.outcome)
        self._adopt(dial.outcome)

    # --- talking

    def _check_open(self) -> None:
        if self._closed:
            raise os_error(errno.EBADF)

    def _connected(self) -> Endpoint:
        self._check_open()
        if self._end is None:
            raise os_error(errno.ENOTCONN)
        return self._end

    async def recv(self, buflen: int, flags: int = 0, /) -> bytes:
        """Wait for bytes; ``b""`` is the peer's FIN."""
        del flags
        await trio.lowlevel.checkpoint_if_cancelled()
        end = self._connected()
        bind_connection(end.connection.number)
        waited = False
        while not (end.received or end.eof):
            if end.error is not None:
                raise os_error(end.error)
            waited = True
            await self._readable.wait()
            end = self._connected()
        if not waited:
            await trio.lowlevel.cancel_shielded_checkpoint()
        return end.read(buflen)

    async def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        """Wait for bytes and put them into a buffer."""
        with memoryview(buffer).cast("B") as view:
            data = await self.recv(nbytes or len(view), flags)
            view[: len(data)] = data
        return len(data)

    async def send(self, data: Any, flags: int = 0, /) -> int:
        """Queue bytes once the send buffer has room; return how many."""
        del flags
        await trio.lowlevel.checkpoint()
        end = await self._until_room()
        bind_connection(end.connection.number)
        if self._did_shutdown:
            raise os_error(errno.EPIPE)
        taken = bytes(memoryview(data)[: end.tx.room])
        if taken:
            end.tx.push(taken)
        return len(taken)

    async def wait_writable(self) -> None:
        """Wait until the send buffer has room."""
        await trio.lowlevel.checkpoint()
        await self._until_room()

    async def _until_room(self) -> Endpoint:
        while True:
            end = self._connected()
            if end.error is not None or end.gone:
                raise os_error(end.error or errno.EPIPE)
            if end.tx.room > 0:
                return end
            await self._writable.wait()

    def shutdown(self, flag: int) -> None:
        """Close the sending direction; reading on is allowed."""
        end = self._connected()
        if flag in (stdlib_socket.SHUT_WR, stdlib_socket.SHUT_RDWR):
            self._did_shutdown = True
            end.tx.finish()

    def close(self) -> None:
        """Let go of the socket; wakes whoever waits on it."""
        if self._closed:
            return
        self._closed = True
        if self._backlog is not None:
            self._net.unlisten(self)
            for end in self._backlog:
                end.abort()
        if self._end is not None:
            self._end.close()
        self._readable.wake()
        self._writable.wake()


class SocketFactory(trio.abc.SocketFactory):
    """Makes the sockets of one machine."""

    def __init__(self, net: "Network", machine: "Machine") -> None:
        self._net, self._machine = net, machine

    def socket(
        self,
        family: int = stdlib_socket.AF_INET,
        type: int = stdlib_socket.SOCK_STREAM,  # noqa: A002  trio's name
        proto: int = 0,
    ) -> SimSocket:
        """A new TCP socket.

        Raises:
            OSError: EAFNOSUPPORT for anything but IPv4 streams.
        """
        del proto
        if family != stdlib_socket.AF_INET or type != stdlib_socket.SOCK_STREAM:
            raise os_error(errno.EAFNOSUPPORT)
        return self._net.socket_of(self._machine)
