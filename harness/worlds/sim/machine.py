"""One simulated machine: its power, its clocks, its program (one trio guest run) and its own entropy.

What can happen to it: boot, kill of the process, power cut, suspend, dark wake, freeze. Deliberately absent: what the program is, and what
its sockets do; the network is told what happens through ``Nic``.
"""

import math
from collections.abc import Awaitable, Callable
from typing import Any, Literal, Protocol

import outcome
import trio

from harness.base.errors import WorldError
from harness.worlds.sim.clocks import NS, MachineClocks, TrioClock
from harness.worlds.sim.current import CURRENT
from harness.worlds.sim.kernel import Kernel, Spent
from harness.worlds.sim.trio_compat import GuestRun, Remains

TICKS_PER_INSTANT_MAX = 20_000
"""A program that takes more turns than this without time passing spins."""

type OnExit = Callable[[outcome.Outcome[Any]], None]
type KillHow = Literal["process", "power"]


def _ignore(_outcome: outcome.Outcome[Any]) -> None:
    """Nobody cares how the program ended."""


class Nic(Protocol):
    """What the network does for a machine, and what it must hear of it."""

    def socket_factory(self, machine: "Machine") -> trio.abc.SocketFactory:
        """Sockets of this machine."""

    def hostname_resolver(self, machine: "Machine") -> trio.abc.HostnameResolver:
        """Name resolution of this machine."""

    def process_ended(self, machine: "Machine") -> None:
        """The operating system closes what the process had open."""

    def power_lost(self, machine: "Machine") -> None:
        """Everything about the machine's connections is forgotten, without a word to anybody."""

    def resumed(self, machine: "Machine") -> None:
        """The machine's own retransmission timers run again."""


class Machine:
    """A machine of the world.

    Args:
        kernel: its world's time.
        nic: its network.
        name: name of the cast or of a piece of infrastructure.
        address: IPv4 address.
        check: called after each turn of its program; raises what an escape detector found.

    Attributes:
        clocks: MONOTONIC, BOOTTIME and REALTIME.
        entropy: all randomness of the running process.
        boots: how many processes were started.
        result: outcome of the last program that ended by itself.
        ticks: turns taken, for cost figures.
    """

    def __init__(
        self, kernel: Kernel, nic: Nic, name: str, address: str, check: Callable[[], None] = lambda: None
    ) -> None:
        self.kernel, self.name, self.address = kernel, name, address
        self._nic, self._check = nic, check
        self.clocks = MachineClocks(lambda: kernel.now_ns, self._fresh_offset_ns(0))
        self.entropy = kernel.rng("entropy", name, 0)
        self._on_exit: OnExit = _ignore
        self.boots = 0
        self.result: outcome.Outcome[Any] | None = None
        self.ticks = 0
        self.powered, self.suspended, self.frozen = True, False, False
        self._frozen_since_ns = 0
        self._run: GuestRun | None = None
        self._unreaped: outcome.Outcome[Any] | None = None
        self._clock = TrioClock()
        self._deadline_ns: int | None = None
        self._alarm_ns: int | None = None
        self._remains: list[Remains] = []
        self._slept_since_ns = 0
        self._awake_ns, self._awake_since_ns = 0, 0
        self._instant_ns, self._instant_ticks = -1, 0

    def _fresh_offset_ns(self, boot: int) -> int:
        return self.kernel.rng("uptime", self.name, boot).randrange(1_000 * NS, 100_000 * NS)

    # --- state

    @property
    def alive(self) -> bool:
        """Whether its program runs (asleep and frozen count as running)."""
        return self._run is not None

    @property
    def reachable(self) -> bool:
        """Whether its network interface answers: powered and not asleep; a frozen process has a live operating system."""
        return self.powered and not self.suspended

    @property
    def awake_s(self) -> float:
        """True seconds that it had a live process and did not sleep."""
        running_ns = self.kernel.now_ns - self._awake_since_ns if self.alive and not self.suspended else 0
        return (self._awake_ns + running_ns) / NS

    # --- program

    def boot(self, main: Callable[[], Awaitable[object]], on_exit: OnExit = _ignore) -> None:
        """Start a program as one trio run of its own, at this instant.

        Args:
            main: the program.
            on_exit: called from the host loop with the ``outcome.Outcome`` when the program ends by itself, never when it is killed.

        Raises:
            WorldError: it already runs one, or somebody else's trio run is current.
        """
        if self.alive:
            raise WorldError(f"{self.name} already runs a program")
        if not self.powered:
            self.powered = True
            self.clocks.reboot(self._fresh_offset_ns(self.boots))
        self.boots += 1
        self.result, self._on_exit = None, on_exit
        self.entropy = self.kernel.rng("entropy", self.name, self.boots)
        self._clock = TrioClock()
        self._clock.set(self.clocks.monotonic_ns())
        self._deadline_ns = None

        async def program() -> object:
            trio.socket.set_custom_socket_factory(self._nic.socket_factory(self))
            trio.socket.set_custom_hostname_resolver(self._nic.hostname_resolver(self))
            return await main()

        scheduler = self.kernel.rng("schedule", self.name, self.boots)
        CURRENT.machine = self
        try:
            self._run = GuestRun(program, clock=self._clock, scheduler=scheduler, ended=self._ended)
        finally:
            CURRENT.machine = None
        self._awake_since_ns = self.kernel.now_ns
        self.kernel.ready(self)

    def inject(self, fn: Callable[[], object]) -> None:
        """Call a function inside the machine's run, e.g. to put something into a channel, and let the program react.

        Raises:
            WorldError: there is no program.
        """
        if self._run is None:
            raise WorldError(f"{self.name} runs no program")
        self._within(self._run, fn)
        self._reap()
        self.kernel.ready(self)

    def _within(self, run: GuestRun, fn: Callable[[], object]) -> None:
        self._clock.set(self.clocks.monotonic_ns())
        CURRENT.machine = self
        run.enter()
        try:
            fn()
        finally:
            run.leave()
            CURRENT.machine = None

    def run_until_idle(self) -> None:
        """Run the program until it waits for time or for the network; called by the kernel."""
        if self._run is None or self.suspended or self.frozen:
            return
        self._within(self._run, self._turns)
        self._check()
        self._reap()
        self._set_alarm()

    def _turns(self) -> None:
        clock, run = self._clock, self._run
        assert run is not None
        if self._instant_ns != self.kernel.now_ns:
            self._instant_ns, self._instant_ticks = self.kernel.now_ns, 0
        before = self.ticks
        while self._run is not None:
            clock.turn()
            run.tick()
            self.ticks += 1
            self._instant_ticks += 1
            if clock.asked is not None and not run.has_io:
                break
            if self._instant_ticks > TICKS_PER_INSTANT_MAX:
                raise Spent(f"livelock: {self.name} spins at {self.kernel.now:.6f} s without time passing")
        self.kernel.took_turns(self.name, self.ticks - before)

    def _ended(self, result: outcome.Outcome[Any]) -> None:
        self._count_awake()
        self._run, self._unreaped = None, result

    def _reap(self) -> None:
        if self._unreaped is not None:
            self.result, self._unreaped = self._unreaped, None
            self._nic.process_ended(self)
            self._on_exit(self.result)

    def _count_awake(self) -> None:
        if not self.suspended:
            self._awake_ns += self.kernel.now_ns - self._awake_since_ns
        self._awake_since_ns = self.kernel.now_ns

    # --- its alarm: one pending heap entry at most that matters

    def _set_alarm(self) -> None:
        asked = self._clock.asked
        if self._run is None or asked is None or asked == math.inf:
            self._deadline_ns = None
            return
        self._deadline_ns = max(self.clocks.true_ns(math.ceil(asked * NS)), self.kernel.now_ns)
        if self._alarm_ns is None or self._deadline_ns < self._alarm_ns:
            self._alarm_ns = self._deadline_ns
            self.kernel.at_ns(self._alarm_ns, self._alarm)

    def _alarm(self) -> None:
        if self._alarm_ns != self.kernel.now_ns:
            return
        self._alarm_ns = None
        if self._deadline_ns is None or self._run is None or self.suspended:
            return
        if self._deadline_ns > self.kernel.now_ns:
            self._alarm_ns = self._deadline_ns
            self.kernel.at_ns(self._alarm_ns, self._alarm)
            return
        assert self._clock.asked is not None
        self._clock.met(self._clock.asked)
        self._deadline_ns = None
        self.kernel.ready(self)

    # --- what can happen to it

    def kill(self, how: KillHow) -> None:
        """End the program without notice: no ``finally`` runs.

        Args:
            how: ``process``: the operating system closes its sockets; ``power``: silence, and unsynced data is gone.
        """
        assert CURRENT.machine is not self
        if how == "power":
            self.powered = False
            self.suspended = self.frozen = False
            self._nic.power_lost(self)
        if self._run is not None:
            self._count_awake()
            self._remains.append(self._run.abandon())
            self._run = None
        if how == "process":
            self.frozen = False
            self._nic.process_ended(self)

    def suspend(self) -> None:
        """Sleep: MONOTONIC stands, nothing runs, the network interface is down."""
        if self.suspended or not self.powered:
            return
        self._count_awake()
        self.suspended = True
        self._slept_since_ns = self.kernel.now_ns
        self.clocks.suspend()

    def resume(self) -> float:
        """Wake; return how many true seconds it slept, 0.0 if it did not."""
        if not self.suspended:
            return 0.0
        self.suspended = False
        self.clocks.resume()
        self._awake_since_ns = self.kernel.now_ns
        self._rearm()
        self._nic.resumed(self)
        return (self.kernel.now_ns - self._slept_since_ns) / NS

    def dark_wake(self, for_s: float) -> None:
        """Wake for a moment with the lid closed (1 to 30 s on laptops), then sleep again."""
        self.resume()
        self.kernel.call_later(for_s, self.suspend)

    def freeze(self) -> None:
        """SIGSTOP: the program stands still while all clocks and the operating system run on."""
        if not self.frozen:
            self.frozen, self._frozen_since_ns = True, self.kernel.now_ns

    def thaw(self) -> float:
        """SIGCONT; return how many true seconds it stood still, 0.0 if it did not."""
        if not self.frozen:
            return 0.0
        self.frozen = False
        self.kernel.ready(self)
        return (self.kernel.now_ns - self._frozen_since_ns) / NS

    def _rearm(self) -> None:
        """Have the program run, so that its deadline is computed on the clocks as they are now."""
        self._alarm_ns = None
        self.kernel.ready(self)

    def bury(self) -> None:
        """Let go of killed programs; only when nobody watches any more."""
        for remains in self._remains:
            remains.bury()
        self._remains.clear()
