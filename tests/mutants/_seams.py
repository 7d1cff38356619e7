"""Where a mutant goes in: subclasses of the reference's machines and drivers, given to its programs by their parameters.

Every method that a mutant overrides is its broken place; ``counted`` counts how often each is used, so that a mutant which was never asked
anything is not taken for one that was not caught. Deliberately absent: the mutants.
"""

import functools
import inspect

import reference.relay.shim
from reference.protocol.relay import RelayMachine
from reference.relay.service import RelayService


def counted(broken, base, count):
    """A subclass of ``broken`` whose every method that differs from ``base`` counts before it is used; ``base`` itself stays as it is."""
    if broken is base:
        return base
    own = {
        name: part
        for cls in reversed(broken.__mro__)
        if issubclass(cls, base) and cls is not base
        for name, part in vars(cls).items()
        if inspect.isfunction(part) and name != "__init__"
    }
    return type(broken.__name__, (broken,), {name: _counting(part, count) for name, part in own.items()})


def _counting(method, count):
    @functools.wraps(method)
    def used(*args, **kwargs):
        count()
        return method(*args, **kwargs)

    return used


def relay(machine=RelayMachine, service=RelayService):
    """A relay with another machine or another driver."""

    def programs(count):
        parts = {
            "machine": counted(machine, RelayMachine, count),
            "service": counted(service, RelayService, count),
        }
        return {"relay": functools.partial(reference.relay.shim.serve, **parts)}

    return programs
