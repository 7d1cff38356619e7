"""Where a broken host or device goes in: its machine, its driver, its way of dialling, or the whole program.

Deliberately absent: the mutants, and how uses of a broken place are counted (``_seams``).
"""

import functools

import trio

import reference.device.shim
import reference.host.shim
from reference.device.driver import DeviceDriver
from reference.dial import Dialler
from reference.host.driver import HostDriver
from reference.protocol.backoff import Backoff
from reference.protocol.device import DeviceMachine
from reference.protocol.host import HostMachine

from ._seams import counted, seams, watched


def _splice(role, serve, machine, driver, dialler):
    """A splice for a role whose parts are given as ``(broken, base)`` each."""

    def make(count):
        parts = {"machine": counted(*machine, count), "driver": _dialling(counted(*driver, count), dialler, count)}
        return {role: functools.partial(serve, **parts)}

    make.seams = seams(machine, driver, dialler)
    return make


def host(machine=HostMachine, driver=HostDriver, dialler=Dialler):
    """A host with another machine, another driver, or another way of dialling."""
    pairs = (machine, HostMachine), (driver, HostDriver), (dialler, Dialler)
    return _splice("host", reference.host.shim.serve, *pairs)


def device(machine=DeviceMachine, driver=DeviceDriver, dialler=Dialler):
    """A device with another machine, another driver, or another way of dialling."""
    pairs = (machine, DeviceMachine), (driver, DeviceDriver), (dialler, Dialler)
    return _splice("device", reference.device.shim.serve, *pairs)


def _dialling(driver, dialler, count):
    """The driver with this dialler in the place of the one that it is given."""
    if dialler[0] is dialler[1]:
        return driver
    return _with_dialler(driver, counted(*dialler, count))


def _with_dialler(driver, dialler):
    def begin(self, platform, machine, given, send):
        driver.__init__(self, platform, machine, dialler(platform, given.relay_url, given.proxy), send)

    return type(driver.__name__, (driver,), {"__init__": begin})


def watch_hosts(note):
    """The reference's host, all of its methods watched."""
    driver = _with_dialler(watched(HostDriver, note), watched(Dialler, note))
    return {"host": functools.partial(reference.host.shim.serve, machine=watched(HostMachine, note), driver=driver)}


def watch_devices(note):
    """The reference's device, all of its methods watched; how it dials is watched at the host."""
    parts = {"machine": watched(DeviceMachine, note), "driver": watched(DeviceDriver, note)}
    return {"device": functools.partial(reference.device.shim.serve, **parts)}


def whole(role, serve):
    """A program that is not the reference's at all: ``serve(door, platform)``."""

    def programs(count):
        async def program(door, platform):
            count()
            return await serve(door, platform)

        return {role: program}

    return programs


class EverySecond(Backoff):
    """No back-off at all: the next attempt comes one second later, for ever."""

    def pause_s(self, failures):
        del failures
        return 1.0


class Queue:
    """Hands things on in order, each so much later than it came.

    Args:
        nursery: where the waiting is done.
        delay_s: how much later.
        hand_on: takes a thing.
    """

    def __init__(self, nursery, delay_s, hand_on):
        self._nursery, self._delay_s, self._hand_on = nursery, delay_s, hand_on
        self._waiting = []

    def put(self, thing):
        """Hand a thing on when its time has come."""
        self._waiting.append((trio.current_time() + self._delay_s, thing))
        if len(self._waiting) == 1:
            self._nursery.start_soon(self._run)

    async def _run(self):
        while self._waiting:
            at, thing = self._waiting[0]
            await trio.sleep_until(at)
            self._hand_on(thing)
            del self._waiting[0]


# --- programs that answer everything alike


async def silent(door, _platform):
    """Takes every request and answers none."""
    async for _ in door.requests:
        pass


async def echo(door, _platform):
    """Answers every request with its own arguments."""
    async for request in door.requests:
        door.send({"id": request["id"], "ok": request.get("args") or {}})


async def crashes(door, _platform):
    """Knows no verb but two, and dies of the second."""
    async for request in door.requests:
        if request["verb"] == "start":
            raise RuntimeError("nobody expected to be started")
        hello = {"ok": {"name": "crasher", "version": "0", "verbs": ["hello", "start"], "claims": {}}}
        unknown = {"err": {"code": "unsupported", "message": "no such verb"}}
        door.send({"id": request["id"], **(hello if request["verb"] == "hello" else unknown)})


def liar(answers):
    """A program that knows all verbs, says that all went well, and never dials anybody."""

    async def serve(door, _platform):
        async for request in door.requests:
            known = answers.get(request["verb"])
            reply = {"ok": known} if known is not None else {"err": {"code": "unsupported", "message": "no such verb"}}
            door.send({"id": request["id"], **reply})

    return serve
