"""The relay machine, put together: one sans-io object with ``restore``, ``handle`` and ``next_deadline``.

The parts, from the ground up: ``relay_core`` (time, door, durability), ``relay_streams`` (readers, presence), and on them ``relay_credentials``,
``relay_hosts`` and ``relay_devices`` (the routes). Policies are methods: a variant is a subclass.
"""

from reference.protocol.relay_core import Route, Terms
from reference.protocol.relay_credentials import RelayCredentials
from reference.protocol.relay_devices import RelayDevices
from reference.protocol.relay_hosts import RelayHosts

__all__ = ["RelayMachine", "Route", "Terms"]


class RelayMachine(RelayCredentials, RelayHosts, RelayDevices):
    """Everything a relay does.

    Laws: nothing is acknowledged or fanned out before it is durable; after a ``Tick`` the deadline lies in the future; at most one
    ``Commit`` is under way.
    """
