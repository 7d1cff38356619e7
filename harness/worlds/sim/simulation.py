"""The door of the simulated world.

How to use it::

    with Simulation(seed=7, observe=note, tap=hear) as sim:
        relay = sim.machine("relay", "10.0.0.1")
        host = sim.machine("host", "10.0.0.2")
        sim.link("host", "relay", LinkPolicy(latency_s=0.03, jitter_s=0.01))
        sim.names["relay.test"] = "relay"
        relay.boot(relay_main)                      # an async function; one trio guest run
        host.boot(host_main)
        sim.run(until=60.0)                         # synchronous, resumable
        sim.perform(Operation("block", {"link": "host-relay"}))
        sim.run(until=720.0, stop=lambda: seen)
        host.inject(lambda: channel.send_nowait(request))
    sim.trace_sha256, sim.segments                  # stay readable after close

``observe(actor, what, data, t)`` gets what docs/spec/history.md names under kind ``os``; sums over a second come late, with the ``t`` of
their first segment: sort events by t when the run is over. ``tap(machine, conn, "out"|"in", plaintext, t)`` hears
clients. ``sim.server_context(machine, host_name)`` and ``sim.client_context(machine)`` make fresh TLS contexts.

Deliberately absent: roles, stories, judgement.
"""

import contextlib
import math
import ssl
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from harness.base.errors import WorldError
from harness.faults.answers import is_at
from harness.faults.model import Operation
from harness.worlds.pki import Authority, Variant, client_context, server_context
from harness.worlds.sim import entropy, escape, libclock, trio_compat
from harness.worlds.sim.census import Census
from harness.worlds.sim.disk import SimDisk
from harness.worlds.sim.kernel import Kernel
from harness.worlds.sim.link import Link, LinkPolicy
from harness.worlds.sim.machine import Machine
from harness.worlds.sim.middlebox import ForwardProxy, Middlebox, install
from harness.worlds.sim.network import Network
from harness.worlds.sim.operations import end_of_run, perform
from harness.worlds.sim.tls import Tap, attach_certificate, attach_tap, detach
from harness.worlds.sim.traffic import Observe, Traffic


def _nothing(_actor: str, _what: str, _data: dict[str, Any], _t: float) -> None:
    """Nobody watches."""


class Simulation:
    """One world. Use it as a context manager, or call ``close``.

    Args:
        seed: everything random derives from it.
        observe: takes observations of kind ``os``.
        tap: takes the plaintext of clients; None records nothing.
        keep_trace: keep a readable line for every delivered segment in ``kernel.trace.lines``.
        is_overdue: whether the run takes too much of the real time that nobody in here can see.

    Raises:
        WorldError: an untested trio, or a trio run is current in this thread.
    """

    def __init__(
        self,
        seed: int,
        observe: Observe = _nothing,
        *,
        tap: Tap | None = None,
        keep_trace: bool = False,
        is_overdue: Callable[[], bool] = lambda: False,
    ) -> None:
        trio_compat.verify()
        if trio_compat.in_trio_run():
            raise WorldError("a simulation cannot run inside a trio run")
        self.seed = seed
        self._observe, self._tap = observe, tap
        self._closed = False
        self.kernel = Kernel(seed, keep_trace=keep_trace, is_overdue=is_overdue)
        self.census = Census(self.kernel, self.observe)
        self.traffic = Traffic(self.kernel, self.observe)
        self.network = Network(self.kernel, self.census, self.traffic)
        self.public_authority = Authority(seed, "public")
        self.corporate_authority = Authority(seed, "corporate")
        self.certificates: dict[str, Variant | None] = {}
        self.trusts_corporate: set[str] = set()
        self.dropped_answers: dict[str, dict[str, int]] = {}
        self.middleboxes: dict[str, Middlebox] = {}
        self._disks: dict[str, SimDisk] = {}
        self._contexts: list[ssl.SSLContext] = []
        self._patches = contextlib.ExitStack()
        self._patches.enter_context(trio_compat.reproducible_scheduling())
        self._patches.enter_context(trio_compat.threads_are_new())
        self.entropy_tier = self._patches.enter_context(entropy.machine_entropy())
        self._patches.enter_context(libclock.machine_time())
        self._patches.enter_context(escape.escapes_forbidden())

    # --- building

    def machine(self, name: str, address: str) -> Machine:
        """Add a machine; its name is also a DNS name."""
        machine = Machine(self.kernel, self.network, name, address, escape.check)
        self.network.add(machine)
        return machine

    def only_way_out(self, machine: str, way_out: str) -> ForwardProxy:
        """Make a proxy the only way out of a machine whose link is laid; its ``proxy_url`` is what a user configures.

        Args:
            machine: its name.
            way_out: a key of ``harness.worlds.way_out.WAYS_OUT``.
        """
        return install(self, self.machines[machine], way_out)

    def disk(self, machine: str) -> SimDisk:
        """A machine's disk; it outlives its programs."""
        return self._disks.setdefault(machine, SimDisk())

    @property
    def machines(self) -> dict[str, Machine]:
        """All machines by name."""
        return self.network.machines

    def link(self, a: str, b: str, policy: LinkPolicy | None = None) -> Link:
        """Lay a link named ``a-b``; b is the end that lies up, towards the relay."""
        return self.network.link(a, b, policy)

    @property
    def links(self) -> dict[str, Link]:
        """All links by name."""
        return self.network.links

    @property
    def names(self) -> dict[str, str]:
        """DNS name -> machine name; add to it."""
        return self.network.names

    def server_context(self, machine: str, host_name: str) -> ssl.SSLContext:
        """A fresh server context; in each handshake it shows the certificate of the moment (operation ``certify``)."""

        def present() -> ssl.SSLContext | None:
            variant = self.certificates.get(machine)
            return server_context(self.public_authority.leaf_pem(host_name, variant)) if variant else None

        def shown(connection: int) -> None:
            how = self.certificates.get(machine) or "good"
            self.observe(machine, "certificate.shown", {"conn": connection, "how": how})

        context = server_context(self.public_authority.leaf_pem(host_name))
        attach_certificate(context, present, shown)
        self._contexts.append(context)
        return context

    def client_context(self, machine: str) -> ssl.SSLContext:
        """A fresh client context that trusts what the machine trusts, heard by the tap."""
        corporate = (self.corporate_authority,) if machine in self.trusts_corporate else ()
        context = client_context(self.public_authority, *corporate)
        attach_tap(context, machine, lambda: self.kernel.now, self._heard)
        self._contexts.append(context)
        return context

    # --- running

    @property
    def now(self) -> float:
        """True seconds since the world began."""
        return self.kernel.now

    def run(self, until: float = math.inf, stop: Callable[[], bool] = lambda: False) -> None:
        """Let time pass until ``stop()`` or ``until``; see ``Kernel.run``."""
        assert not self._closed
        self.kernel.run(until, stop)

    def perform(self, operation: Operation) -> None:
        """Carry out a fault operation at once; ``start`` and ``call`` belong to whoever knows the programs.

        Raises:
            WorldError: an unknown operation, or one that names no machine or link of this world.
        """
        perform(self, operation)

    def call_at(self, t: float, fn: Callable[[], None]) -> None:
        """Call a function of the host loop at true seconds ``t``."""
        self.kernel.call_at(t, fn)

    def observe(self, actor: str, what: str, data: dict[str, Any], t: float | None = None) -> None:
        """Pass on an observation; nothing is observed once the world is closed."""
        if not self._closed:
            self._observe(actor, what, data, self.now if t is None else t)

    def _heard(self, machine: str, connection: int, direction: str, data: bytes, t: float) -> None:
        if self._closed:
            return
        if self._tap is not None:
            self._tap(machine, connection, direction, data, t)
        if direction == "out" and self.dropped_answers.get(machine):
            self._drop_answer(machine, connection, data)

    def _drop_answer(self, machine: str, connection: int, data: bytes) -> None:
        """Let the answer to a request that begins here vanish, if its path is armed."""
        words = data.split(b"\r\n", 1)[0].split(b" ")
        armed = self.dropped_answers[machine]
        path = words[1].split(b"?")[0].decode("ascii", "replace") if words[-1].startswith(b"HTTP/") else ""
        live = self.network.connections.get(connection)
        template = next((one for one, count in armed.items() if count and is_at(path, one)), None)
        if template is None or live is None:
            return
        armed[template] -= 1
        live.passage.mute = 1 - live.dialled_up
        live.passage.on_muted = lambda: self.observe(machine, "answer.dropped", {"conn": connection, "path": path})

    # --- the end

    @property
    def trace_sha256(self) -> str:
        """Digest of every delivered segment."""
        return self.kernel.trace.sha256()

    @property
    def segments(self) -> int:
        """How many segments were delivered."""
        return self.kernel.trace.segments

    def close(self) -> None:
        """End the world: programs stop where they stand, and everything process-wide is as before."""
        if self._closed:
            return
        end_of_run(self)
        self._closed = True
        for machine in self.machines.values():
            machine.kill("power")
        for machine in self.machines.values():
            machine.bury()
        detach(self._contexts)
        self._patches.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
