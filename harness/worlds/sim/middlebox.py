"""What stands in a machine's way out: settings, firewall, and the machine that runs the proxy or the portal.

``install`` puts a corporate network around a machine: a forward proxy at ``proxy.corp:3128`` is the only way out, direct connections are
dropped and counted, direct DNS does not answer. ``Middlebox.change`` is the operation ``middlebox``. Deliberately absent: the bytes; those
are ``proxy`` and ``portal``.
"""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from harness.base.errors import WorldError
from harness.worlds.sim.endpoint import Address
from harness.worlds.sim.network import Verdict
from harness.worlds.sim.portal import Portal
from harness.worlds.sim.proxy import Proxy
from harness.worlds.way_out import PROXY_NAME, PROXY_PORT, WAYS_OUT, Settings

if TYPE_CHECKING:
    from harness.worlds.sim.machine import Machine
    from harness.worlds.sim.simulation import Simulation


class Firewall:
    """Lets a machine dial one address only; everything else gets no answer."""

    def __init__(self, *allowed: str) -> None:
        self._allowed = allowed

    def judge(self, to: Address) -> Verdict:
        """Whether a new connection may leave."""
        return "pass" if to[0] in self._allowed else "drop"


class Middlebox(ABC):
    """A machine that stands in the way of another.

    Args:
        sim: the world.
        machine: in whose way out it stands; its link must be laid.
        kind: last part of the name of the middlebox's own machine.
        given: how it behaves without any fault.

    Attributes:
        settings: how it behaves now.
        address: where it listens.
    """

    def __init__(self, sim: "Simulation", machine: "Machine", kind: str, given: Settings) -> None:
        self.sim, self.machine = sim, machine
        self.given = self.settings = given
        self.box = sim.machine(f"{machine.name}.{kind}", f"10.250.0.{1 + len(sim.middleboxes)}")
        self.address = self.box.address
        sim.network.route(machine.name, self.box.name, sim.network.uplink(machine))
        sim.middleboxes[machine.name] = self

    @abstractmethod
    def change(self, settings: dict[str, Any]) -> None:
        """Carry out the operation ``middlebox``: an absent setting stays, None is what was given."""

    def note(self, what: str, **data: Any) -> None:
        """Observe something about the machine's way out."""
        self.sim.observe(self.machine.name, f"middlebox.{what}", data)


class ForwardProxy(Middlebox):
    """The only way out of a machine in a corporate network."""

    def __init__(self, sim: "Simulation", machine: "Machine", given: Settings) -> None:
        super().__init__(sim, machine, "proxy", given)
        self._program = Proxy(self)
        self.box.boot(self._program.run)
        network = sim.network
        network.egress[machine.name] = Firewall(self.address, machine.address)
        network.proxies[machine.name] = self.box.name
        resolver = network.resolver_of(machine)
        resolver.closed = True
        resolver.local[PROXY_NAME] = self.address
        sim.trusts_corporate.add(machine.name)

    @property
    def proxy_url(self) -> str:
        """What the machine's user configures, with the password that was right at the beginning."""
        return self.given.proxy_url(f"{PROXY_NAME}:{PROXY_PORT}")

    def change(self, settings: dict[str, Any]) -> None:
        """See ``Middlebox.change``.

        Raises:
            WorldError: an unknown setting.
        """
        drop = settings.pop("drop_tunnels", None)
        self.settings = self.settings.changed(self.given, settings)
        self.box.inject(self._program.settings_changed)
        if drop:
            self.box.inject(self._program.drop_tunnels)


class CaptivePortal(Middlebox):
    """A portal in the way of a machine that has no proxy: it answers for every name until it is switched off."""

    def __init__(self, sim: "Simulation", machine: "Machine") -> None:
        super().__init__(sim, machine, "portal", Settings())
        self.box.boot(Portal(self).run)

    def change(self, settings: dict[str, Any]) -> None:
        """Switch it on or off; open connections go dark when it comes."""
        unknown = sorted(set(settings) - {"portal", "drop_tunnels"})
        if unknown:
            raise WorldError(f"{self.machine.name} has no proxy that could change {', '.join(unknown)}")
        closed = bool(settings.get("portal"))
        network = self.sim.network
        network.resolver_of(self.machine).hijacked = self.address if closed else None
        if not closed:
            network.egress.pop(self.machine.name, None)
            return
        network.egress[self.machine.name] = Firewall(self.address)
        for connection in network.crossing(network.uplink(self.machine)):
            if not connection.passage.forgotten:
                connection.link.forget(connection.passage, "portal")


def install(sim: "Simulation", machine: "Machine", way_out: str) -> ForwardProxy:
    """Make a proxy the only way out of a machine; its links must exist already.

    Args:
        sim: the world.
        machine: around which the corporate network is laid.
        way_out: a key of ``WAYS_OUT``.
    """
    return ForwardProxy(sim, machine, WAYS_OUT[way_out])


def change(sim: "Simulation", *, machine: str, **settings: Any) -> None:
    """The operation ``middlebox``; a machine without one can only get a portal.

    Raises:
        WorldError: no such machine or setting.
    """
    if machine not in sim.machines:
        raise WorldError(f"there is no machine {machine}")
    if machine not in sim.middleboxes:
        CaptivePortal(sim, sim.machines[machine])
    sim.middleboxes[machine].change(dict(settings))
