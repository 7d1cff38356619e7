"""Where a mutant goes in: subclasses of the reference's machines and drivers, given to its programs by their parameters.

Every method that a mutant overrides is its broken place; ``counted`` counts how often each is used, so that a mutant which was never asked
anything is not taken for one that was not caught. Deliberately absent: the mutants.
"""

import functools
import inspect

import reference.relay.shim
from reference.protocol.relay import RelayMachine
from reference.relay.service import RelayService


def methods(cls, base):
    """Name -> function of everything that ``cls`` and its ancestors up to ``base`` define."""
    return {
        name: part
        for ancestor in reversed(cls.__mro__)
        if ancestor is not base and (issubclass(ancestor, base) or base is object)
        for name, part in vars(ancestor).items()
        if inspect.isfunction(part) and name != "__init__"
    }


def counted(broken, base, count):
    """A subclass of ``broken`` whose every method that differs from ``base`` counts before it is used; ``base`` itself stays as it is."""
    if broken is base:
        return base
    own = {name: _before(part, count) for name, part in methods(broken, base).items()}
    return type(broken.__name__, (broken,), own)


def watched(cls, note):
    """A subclass of ``cls`` that notes the name of every method that is used."""
    own = {
        name: _before(part, functools.partial(note, f"{cls.__name__}.{name}"))
        for name, part in methods(cls, object).items()
    }
    return type(cls.__name__, (cls,), own)


def seams(*pairs):
    """Names of the methods that broken classes replace; nothing, which is to say unknown, where one is also made in another way."""
    changed = [(broken, base) for broken, base in pairs if broken is not base]
    if any("__init__" in vars(cls) for broken, base in changed for cls in broken.__mro__[: -len(base.__mro__)]):
        return frozenset()
    return frozenset(
        f"{base.__name__}.{name}" for broken, base in changed for name in methods(broken, base) if hasattr(base, name)
    )


def _before(method, act):
    @functools.wraps(method)
    def used(*args, **kwargs):
        act()
        return method(*args, **kwargs)

    return used


def relay(machine=RelayMachine, service=RelayService):
    """A relay with another machine or another driver."""

    def make(count):
        parts = {"machine": counted(machine, RelayMachine, count), "service": counted(service, RelayService, count)}
        return {"relay": functools.partial(reference.relay.shim.serve, **parts)}

    make.seams = seams((machine, RelayMachine), (service, RelayService))
    return make


def beside(splice, *others):
    """A broken program among others that are broken too, where right ones would hide what it does; only its own uses are counted."""

    def make(count):
        programs = {}
        for other in others:
            programs |= other(lambda: None)
        return programs | splice(count)

    make.seams = splice.seams
    return make


def watch(note):
    """The reference's relay, all of its methods watched."""
    parts = {"machine": watched(RelayMachine, note), "service": watched(RelayService, note)}
    return {"relay": functools.partial(reference.relay.shim.serve, **parts)}
