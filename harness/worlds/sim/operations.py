"""The fault operations that concern the network and the machines: a table name -> function.

``start`` and ``call`` are absent on purpose: they need the programs' doors. Each function takes the simulation and the operation's JSON
fields (``harness.faults.model.OPERATIONS``) and notes what the operating system would have seen.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from harness.base.errors import WorldError
from harness.faults.model import Operation
from harness.worlds.sim.link import DOWN, UP, Link
from harness.worlds.sim.machine import Machine
from harness.worlds.sim.middlebox import change as change_middlebox

if TYPE_CHECKING:
    from harness.worlds.sim.simulation import Simulation

_SIDES = {"both": (UP, DOWN), "up": (UP,), "down": (DOWN,)}


def _link(sim: "Simulation", name: str) -> Link:
    """The link of a name, whichever of its ends is written first."""
    a, _, b = name.partition("-")
    link = sim.links.get(name) or sim.links.get(f"{b}-{a}")
    if link is None:
        raise WorldError(f"there is no link {name}; there are {', '.join(sorted(sim.links))}")
    return link


def _machine(sim: "Simulation", name: str) -> Machine:
    if name not in sim.machines:
        raise WorldError(f"there is no machine {name}; there are {', '.join(sorted(sim.machines))}")
    return sim.machines[name]


def _block(sim: "Simulation", *, link: str, direction: str = "both", how: str = "drop") -> None:
    policy = _link(sim, link).policy
    rules = {"drop": policy.blocked, "hold": policy.held}
    if how not in rules:
        raise WorldError(f"a link cannot be blocked by {how!r}")
    for side in _SIDES[direction]:
        rules[how][side] = True


def _unblock(sim: "Simulation", *, link: str) -> None:
    one = _link(sim, link)
    one.policy.blocked[:] = [False, False]
    one.let_go(sim.kernel.now_ns)


def _count(link: Link, rule: str, *, on: bool) -> None:
    if on:
        link.counted.add(rule)
    else:
        link.counted.discard(rule)


def _delay(sim: "Simulation", *, link: str, latency_s: float | None = None, jitter_s: float | None = None) -> None:
    one = _link(sim, link)
    _count(one, "delay", on=latency_s is not None or jitter_s is not None)
    one.policy.latency_s = one.normal.latency_s if latency_s is None else latency_s
    one.policy.jitter_s = one.normal.jitter_s if jitter_s is None else jitter_s


def _rate(sim: "Simulation", *, link: str, bytes_per_s: float | None = None) -> None:
    one = _link(sim, link)
    _count(one, "rate", on=bytes_per_s is not None)
    one.policy.bytes_per_s = one.normal.bytes_per_s if bytes_per_s is None else bytes_per_s


def _lose(sim: "Simulation", *, link: str, probability: float | None = None) -> None:
    one = _link(sim, link)
    _count(one, "lose", on=probability is not None)
    one.policy.loss = one.normal.loss if probability is None else probability


def _cap(sim: "Simulation", *, link: str, segment_bytes: int | None = None) -> None:
    _link(sim, link).policy.segment_bytes = segment_bytes


def _truncate(sim: "Simulation", *, link: str, direction: str, bytes: int | None = None) -> None:  # noqa: A002
    one = _link(sim, link)
    (side,) = _SIDES[direction]
    one.policy.limit_bytes[side] = bytes
    for connection in sim.network.crossing(one):
        connection.restrict(side, bytes)


def _reset(sim: "Simulation", *, link: str, how: Any, side: str = "both") -> None:
    for connection in sim.network.crossing(_link(sim, link)):
        connection.break_up(how, _SIDES[side])


def _refuse(sim: "Simulation", *, link: str, how: Any = None) -> None:
    _link(sim, link).policy.refuse = how


def _forget(sim: "Simulation", *, link: str, idle_s: float | None = None, notice: Any = "none") -> None:
    policy = _link(sim, link).policy
    policy.idle_s, policy.idle_notice = idle_s, notice


def _move(sim: "Simulation", *, machine: str) -> None:
    address = sim.network.move(_machine(sim, machine))
    sim.observe(machine, "address.changed", {"address": address})


def _resolve(sim: "Simulation", *, machine: str, how: Any = None) -> None:
    sim.network.resolver_of(_machine(sim, machine)).fault = how


def _suspend(sim: "Simulation", *, machine: str) -> None:
    one = _machine(sim, machine)
    if not one.suspended:
        one.suspend()
        sim.observe(machine, "machine.suspended", {})


def _resume(sim: "Simulation", *, machine: str) -> None:
    one = _machine(sim, machine)
    if one.suspended:
        sim.observe(machine, "machine.resumed", {"slept_s": one.resume()})


def _freeze(sim: "Simulation", *, machine: str) -> None:
    _machine(sim, machine).freeze()
    sim.observe(machine, "process.frozen", {})


def _thaw(sim: "Simulation", *, machine: str) -> None:
    one = _machine(sim, machine)
    if one.frozen:
        sim.observe(machine, "process.thawed", {"frozen_s": one.thaw()})


def _step_clock(sim: "Simulation", *, machine: str, by_s: float | None = None, drift_ppm: float | None = None) -> None:
    clocks = _machine(sim, machine).clocks
    if by_s is not None:
        before_s = clocks.realtime()
        clocks.step(by_s)
        sim.observe(machine, "clock.stepped", {"by_s": clocks.realtime() - before_s})
    if drift_ppm is not None:
        _end_drift(sim, machine, drift_ppm)


def _end_drift(sim: "Simulation", machine: str, ppm: float) -> None:
    clocks = sim.machines[machine].clocks
    was_ppm = clocks.drift_ppm
    gained_s, over_s = clocks.drift(ppm)
    if was_ppm:
        sim.observe(machine, "clock.drifted", {"by_s": gained_s, "over_s": over_s})


def _kill(sim: "Simulation", *, machine: str, how: Any = "process") -> None:
    _machine(sim, machine).kill(how)
    if how == "power":
        sim.disk(machine).power_cut()


def _fill_disk(sim: "Simulation", *, machine: str) -> None:
    disk = sim.disk(_machine(sim, machine).name)
    if disk.fault is not None:
        raise WorldError(f"the disk of {machine} is full already")
    sim.observe(machine, "disk.tried", {"bytes": 1, "passed": int(bool(disk.names()))})
    disk.fault, disk.on_refused = "full", lambda size: sim.observe(machine, "disk.tried", {"bytes": size, "passed": 0})


def _free_disk(sim: "Simulation", *, machine: str) -> None:
    sim.disk(machine).fault = None


def _certify(sim: "Simulation", *, machine: str, how: Any = None) -> None:
    sim.certificates[_machine(sim, machine).name] = how


def _drop_answer(sim: "Simulation", *, machine: str, path: str, count: int) -> None:
    sim.dropped_answers.setdefault(_machine(sim, machine).name, {})[path] = count


PERFORM: dict[str, Callable[..., None]] = {
    "block": _block,
    "unblock": _unblock,
    "delay": _delay,
    "rate": _rate,
    "lose": _lose,
    "cap": _cap,
    "truncate": _truncate,
    "reset": _reset,
    "refuse": _refuse,
    "forget": _forget,
    "move": _move,
    "resolve": _resolve,
    "suspend": _suspend,
    "resume": _resume,
    "freeze": _freeze,
    "thaw": _thaw,
    "step_clock": _step_clock,
    "kill": _kill,
    "fill_disk": _fill_disk,
    "free_disk": _free_disk,
    "certify": _certify,
    "drop_answer": _drop_answer,
    "middlebox": change_middlebox,
}


def perform(sim: "Simulation", operation: Operation) -> None:
    """Carry out one operation at once; ``after_s`` is the caller's business.

    Raises:
        WorldError: the operation, its machine or its link is unknown here.
    """
    if operation.name not in PERFORM:
        raise WorldError(f"the simulated network has no operation {operation.name}")
    PERFORM[operation.name](sim, **operation.args)


def end_of_run(sim: "Simulation") -> None:
    """Tell what is told only at the end: sums of the last second, and drifts still on."""
    sim.traffic.flush()
    for name in sim.machines:
        _end_drift(sim, name, 0.0)
