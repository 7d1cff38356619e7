"""The fault operations of the wire world: a table name -> function; what each does really is measured and stands in docs/guide/wire.md.

Deliberately absent: what this world cannot do; a plan that asks for it is refused before it runs.
"""

import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.base.errors import WorldError
from harness.faults.model import Operation
from harness.faults.proof import GRACE_S
from harness.worlds.pki import Variant
from harness.worlds.wire.counters import Counters
from harness.worlds.wire.keeping import Keeping, Told
from harness.worlds.wire.namespaces import unavailable
from harness.worlds.wire.routed import Routed
from harness.worlds.wire.toxiproxy import STREAMS
from harness.worlds.wire.warp import calendar_s

if TYPE_CHECKING:
    from harness.worlds.wire.stage import WireStage

_SIDES = {"both": STREAMS, "up": ("upstream",), "down": ("downstream",)}
_HOLD_MS = 600_000
"""A close is kept back for so long; it is let go when the toxic is removed."""

_NEW = "tcp flags & (syn | ack) == syn"


def _client(link: str) -> str:
    return link.partition("-")[0]


def _routed(stage: "WireStage") -> Routed:
    if stage.routed is None:
        raise WorldError(f"this needs network namespaces: {unavailable()}")
    return stage.routed


# --- links, by toxiproxy


def _block(stage: "WireStage", *, link: str, direction: str = "both", how: str = "drop") -> None:
    if how not in _BLOCKS:
        raise WorldError(f"a link cannot be blocked by {how!r}")
    _BLOCKS[how](stage, link, direction)
    proxy = stage.links[link]
    counters = Counters(proxy.listens, proxy.leads)
    stage.watch(link, "toxiproxy", lambda: _attempted(stage.now, counters.read()))


def _drop(stage: "WireStage", link: str, direction: str) -> None:
    """Dead silence: bytes vanish, and no end of a connection is passed on either; the order matters (measured)."""
    proxy, client = stage.links[link], _client(link)
    for stream in _SIDES[direction]:
        proxy.add("timeout", stream, timeout=0)
    for stream in _SIDES[direction]:
        proxy.add("slow_close", stream, delay=_HOLD_MS)
    if direction != "up":
        stage.tap.hold(client, stage.now, lost=True, place="link")


def _hold(stage: "WireStage", link: str, direction: str) -> None:
    """The proxy stands, and the kernel keeps what it is given, dials and ends of connections too, until it goes on.

    Not the toxic ``bandwidth`` of rate 0: taking it away took 10 s where an end had gone meanwhile, and let pieces out before (measured).
    """
    if direction != "both":
        raise WorldError(f"the wire world cannot hold one direction of {link} only")
    stage.links[link].stand("held")
    stage.tap.hold(_client(link), stage.now, lost=False, place="link")
    stage.watch(link, "held", None)
    stage.watch(link, "held", Keeping(link, _routed(stage), "link.kept", least_s=GRACE_S))


_BLOCKS: dict[str, Callable[["WireStage", str, str], None]] = {"drop": _drop, "hold": _hold}


def _attempted(t: float, counts: dict[str, dict[str, int]]) -> Iterator[Told]:
    for direction, count in counts.items():
        if any(count.values()):
            yield t, "socket.attempted", {"direction": direction, **count}


def _unblock(stage: "WireStage", *, link: str) -> None:
    client, proxy = _client(link), stage.links[link]
    stage.watch(link, "toxiproxy", None)
    stage.tap.release(client, stage.now, "link")
    proxy.go_on("held")
    proxy.clear("timeout", "slow_close")
    stage.shape(client, proxy.shape)
    stage.watch_out(link, "held")


def _delay(stage: "WireStage", *, link: str, latency_s: float | None = None, jitter_s: float | None = None) -> None:
    network = stage.plan.given.get(_client(link), {}).get("network", {})
    shape, on = stage.links[link].shape, latency_s is not None or jitter_s is not None
    latency_s = network.get("rtt", 0.0) / 2 if latency_s is None else latency_s
    jitter_s = network.get("jitter", 0.0) / 2 if jitter_s is None else jitter_s
    _time(stage, link, "link.delayed", on=on)
    stage.shape(_client(link), replace(shape, latency_s=latency_s, jitter_s=jitter_s))


def _rate(stage: "WireStage", *, link: str, bytes_per_s: float | None = None) -> None:
    network = stage.plan.given.get(_client(link), {}).get("network", {})
    rate = network.get("rate") if bytes_per_s is None else bytes_per_s
    _time(stage, link, "link.throttled", on=bytes_per_s is not None, bytes_per_s=bytes_per_s)
    stage.shape(_client(link), replace(stage.links[link].shape, bytes_per_s=rate))


def _time(stage: "WireStage", link: str, what: str, *, on: bool, bytes_per_s: float | None = None) -> None:
    """Have it told how long the link's proxy keeps what it is given; of what it holds when it is told to let go nothing is said."""
    routed = _routed(stage)
    meter = Keeping(link, routed, what, bytes_per_s)
    stage.watch(link, what, meter if on else None)


# --- links, by the router and the kernel


def _count(stage: "WireStage", link: str, by: str, *, on: bool) -> None:
    """Have the census tell what the router was given on a link and what left it."""
    routed = _routed(stage)
    if on:
        routed.census.counted.add(link)
        stage.watch(link, by, lambda: _tallied(routed, link, by))
    else:
        stage.watch(link, by, None)
        routed.census.stop_counting(link)


def _tallied(routed: Routed, link: str, by: str) -> Iterator[Told]:
    for direction, tally in routed.census.told(link, routed.stamp()).items():
        t, sums = routed.seconds(tally.ns), {"bytes": tally.bytes, "passed": tally.passed, "largest": tally.largest}
        yield t, "socket.attempted", {"direction": direction, **sums}
        if by == "lose" and tally.stopped:
            yield t, "link.lost", {"direction": direction, "segments": tally.stopped}
        if by == "cap" and tally.over_cap:
            yield t, "link.capped", {"direction": direction, "segments": tally.over_cap}


def _refuse(stage: "WireStage", *, link: str, how: str | None = None) -> None:
    routed = _routed(stage)
    near = routed.namespaces.near(_client(link))
    action = {"rst": "reject with tcp reset", "silence": "drop"}.get(how or "", "")
    routed.firewall.put(f"refuse {link}", *([f'iifname "{near}" {_NEW} {action}'] if action else []))
    _count(stage, link, "refuse", on=how is not None)


def _truncate(stage: "WireStage", *, link: str, direction: str, bytes: int | None = None) -> None:  # noqa: A002
    """Exactly so many bytes pass, from here on or from a later dial on, then comes an end (measured)."""
    routed, proxy = _routed(stage), stage.links[link]
    if bytes is None:
        routed.heal_limits(link, direction)  # first: what passes while the proxy is told may be of either side
        proxy.clear("limit_data", streams=_SIDES[direction])
    else:
        limit = routed.limit(link, direction, bytes)
        proxy.add("limit_data", *_SIDES[direction], bytes=bytes)
        limit.set_ns = routed.stamp()


def _reset(stage: "WireStage", *, link: str, how: str, side: str = "both") -> None:
    routed, client = _routed(stage), _client(link)
    if how == "rst":
        routed.kill_sockets(client)
    elif how == "fin":
        ended = routed.census.live(link)
        stage.links[link].drop_connections()
        for flow in ended:
            routed.buried(flow)
    else:
        _half_open(routed, link, side)


def _half_open(routed: Routed, link: str, side: str) -> None:
    """One end of each connection is gone, and what it says about it is lost: that of the ``side``."""
    flows = routed.census.live(link)
    for flow in flows:
        routed.bury(flow, "half_open")
    for flow in flows:
        if side == "up":
            routed.kill_sockets(flow.machine, flow)
        else:
            routed.kill_own(flow)


def _lose(stage: "WireStage", *, link: str, probability: float | None = None) -> None:
    routed = _routed(stage)
    near, share = routed.namespaces.near(_client(link)), round((probability or 0.0) * _SHARES)
    rules = [f'{way} "{near}" meta l4proto tcp numgen random mod {_SHARES} < {share} drop' for way in _WAYS]
    routed.firewall.put(f"lose {link}", *(rules if share else []))
    _count(stage, link, "lose", on=bool(share))


_WAYS = ("iifname", "oifname")
_SHARES = 10_000
"""Of a probability: a hundredth of a per cent."""


def _cap(stage: "WireStage", *, link: str, segment_bytes: float | None = None) -> None:
    """Larger segments than this vanish; headers are 40 bytes, with time stamps 52 (RFC 7323)."""
    routed = _routed(stage)
    near = routed.namespaces.near(_client(link))
    rules = [
        f'{way} "{near}" meta l4proto tcp meta length > {round(segment_bytes or 0) + _HEADERS} drop' for way in _WAYS
    ]
    routed.firewall.put(f"cap {link}", *(rules if segment_bytes is not None else []))
    if segment_bytes is not None:
        routed.census.caps[link] = round(segment_bytes)
    _count(stage, link, "cap", on=segment_bytes is not None)


_HEADERS = 52


def _forget(stage: "WireStage", *, link: str, idle_s: float | None = None, notice: str = "none") -> None:
    _routed(stage).forget_idle(link, idle_s, notice)


def _move(stage: "WireStage", *, machine: str) -> None:
    routed = _routed(stage)
    before = routed.namespaces.seen(machine)
    routed.move(machine)
    now = routed.namespaces.seen(machine)
    if now != before:
        stage.record(machine, "os", "address.changed", address=now)


def _resolve(stage: "WireStage", *, machine: str, how: str | None = None) -> None:
    _routed(stage).resolver.names[machine].fault = how


# --- the tap


def _certify(stage: "WireStage", *, machine: str, how: Variant | None = None) -> None:
    """The next handshakes are shown another certificate; the tap beside the relay stands in for it."""
    certificate = stage.children.folder / f"{machine}.{how or 'good'}.pem"
    certificate.write_bytes(stage.authority.leaf_pem(stage.ground.relay_name, how))
    stage.tap.certify(certificate, how or "good")


def _drop_answer(stage: "WireStage", *, machine: str, path: str, count: int) -> None:
    stage.tap.drop(machine, path, count)


# --- what stands in a machine's way out


def _middlebox(stage: "WireStage", *, machine: str, **settings: Any) -> None:
    box = stage.boxes[machine]
    if box.kind == "proxy":
        box.change(settings)
        return
    unknown = sorted(set(settings) - {"portal", "drop_tunnels"})
    if unknown:
        raise WorldError(f"{machine} has no proxy that could change {', '.join(unknown)}")
    if stage.routed is not None:
        stage.routed.portal(machine, on=bool(settings.get("portal")))
    else:
        stage.link_of(machine).lead(
            f"127.0.0.1:{box.listens if settings.get('portal') else stage.tap.listens[machine]}"
        )
        stage.shape(machine, stage.link_of(machine).shape)


# --- machines


def _suspend(stage: "WireStage", *, machine: str) -> None:
    """A lid closes: programs stand, MONOTONIC with them, and nothing passes the machine's link, ends of connections neither."""
    role = stage.roles[machine]
    if role.slept_since is None and role.alive:
        role.signal(signal.SIGSTOP)
        stage.link_of(machine).stand("asleep")
        role.slept_since = stage.now
        stage.tap.hold(machine, stage.now, lost=False, place="machine")
        stage.record(machine, "os", "machine.suspended")


def _resume(stage: "WireStage", *, machine: str) -> None:
    """The lid opens: BOOTTIME and the calendar have gone on."""
    role = stage.roles[machine]
    if role.slept_since is not None:
        slept_s = stage.now - role.slept_since
        role.slept_since = None
        role.clocks.awake_ns -= round(slept_s * 1e9)
        stage.clock.tell()
        woke = stage.record(machine, "os", "machine.resumed", slept_s=round(slept_s, 9))
        stage.tap.release(machine, woke.t, "machine")
        stage.link_of(machine).go_on("asleep")
        stage.shape(machine, stage.link_of(machine).shape)
        role.signal(signal.SIGCONT)


def _freeze(stage: "WireStage", *, machine: str) -> None:
    role = stage.roles[machine]
    if role.frozen_since is None:
        role.signal(signal.SIGSTOP)
        role.frozen_since = stage.now
        stage.tap.hold(machine, stage.now, lost=False, place="machine")
        stage.record(machine, "os", "process.frozen")


def _thaw(stage: "WireStage", *, machine: str) -> None:
    role = stage.roles[machine]
    if role.frozen_since is not None:
        frozen_s, role.frozen_since = stage.now - role.frozen_since, None
        thawed = stage.record(machine, "os", "process.thawed", frozen_s=round(frozen_s, 9))
        stage.tap.release(machine, thawed.t, "machine")
        role.signal(signal.SIGCONT)


def _step_clock(stage: "WireStage", *, machine: str, by_s: float | None = None, drift_ppm: float | None = None) -> None:
    if drift_ppm is not None:
        raise WorldError("the wire world cannot make a clock drift")
    if by_s is not None:
        environ = stage.roles[machine].environ
        began_at, before_s = stage.now, calendar_s(environ)
        stage.roles[machine].clocks.wall_ns += round(by_s * 1e9)
        stage.clock.tell()
        moved_s = calendar_s(environ) - before_s - (stage.now - began_at)
        stage.record(machine, "os", "clock.stepped", by_s=round(moved_s, 3))


def _fill_disk(stage: "WireStage", *, machine: str) -> None:
    disk = stage.disks[machine]

    def tried() -> Iterator[Told]:
        yield stage.now, "disk.tried", {"bytes": 1, "passed": int(disk.takes())}

    keeps = disk.is_used and disk.takes()
    stage.record(machine, "os", "disk.tried", bytes=1, passed=int(keeps))
    disk.fill()
    stage.watch(machine, "disk", tried)


def _free_disk(stage: "WireStage", *, machine: str) -> None:
    stage.watch(machine, "disk", None)
    stage.disks[machine].free()


def _kill(stage: "WireStage", *, machine: str, how: Any = "process") -> None:
    stage.roles[machine].kill(how)


PERFORM: dict[str, Callable[..., None]] = {
    "block": _block,
    "unblock": _unblock,
    "delay": _delay,
    "rate": _rate,
    "refuse": _refuse,
    "reset": _reset,
    "lose": _lose,
    "cap": _cap,
    "truncate": _truncate,
    "forget": _forget,
    "move": _move,
    "resolve": _resolve,
    "certify": _certify,
    "drop_answer": _drop_answer,
    "middlebox": _middlebox,
    "suspend": _suspend,
    "resume": _resume,
    "freeze": _freeze,
    "thaw": _thaw,
    "step_clock": _step_clock,
    "kill": _kill,
    "fill_disk": _fill_disk,
    "free_disk": _free_disk,
}


def perform(stage: "WireStage", operation: Operation) -> None:
    """Carry out one operation at once.

    Raises:
        WorldError: this world has no such operation.
    """
    if operation.name not in PERFORM:
        raise WorldError(f"the wire world has no operation {operation.name} yet")
    PERFORM[operation.name](stage, **operation.args)
