"""What a run adds up to: the stage's events, what the tap heard, and what the operating system showed, as one history in order of time.

Deliberately absent: judgement.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.history.events import Event
from harness.sut.tap import Chunk, decode
from harness.worlds.wire import syscalls
from harness.worlds.wire.limiting import Unread, read_only
from harness.worlds.wire.secrets import Secrets, crossed
from harness.worlds.wire.tap import Own, delivered

if TYPE_CHECKING:
    from harness.worlds.wire.stage import WireStage

PUBLIC_TEXTS_MAX = 5
"""So many of the texts that were said aloud are looked for as the scanner's positive control."""

TRACE = "relay.trace"
"""Where in the run's folder strace writes."""

OF_TAP = ("certificate.shown", "answer.dropped", "answer.ordered")
"""Observations whose connection is the tap's."""

type Name = int | str
"""Of a connection: the tap has numbers, a middlebox texts, the history the census's numbers."""


def account(stage: "WireStage") -> tuple[Event, ...]:
    """All events by time, numbered; of equals the first recorded stands first."""
    return _in_order([*_observed(stage), *_seen(stage)])


def so_far(stage: "WireStage") -> tuple[Event, ...]:
    """The same of a run that goes on, without what the operating system shows of programs, which is read at the end."""
    return _in_order(_observed(stage))


def _in_order(events: list[Event]) -> tuple[Event, ...]:
    return tuple(replace(event, n=n) for n, event in enumerate(sorted(events, key=lambda event: event.t)))


def _observed(stage: "WireStage") -> list[Event]:
    tunnels, numbers = _tunnels(stage), _numbers(stage)
    heard_of = (chunk for chunk in stage.tap.chunks if chunk.t <= stage.ended_at)
    chunks = _renamed(read_only(heard_of, _unread(stage)), tunnels)
    heard = _heard(stage, _renamed(delivered(chunks, stage.tap.holds, _owns(stage, numbers)), numbers))
    own = [_renumbered(event, numbers) for event in (*stage.events, *_ordered(stage))]
    late = [
        Event(0, round(t, 9), "world", "os", "clock.late", {"late_s": round(late_s, 6)})
        for t, late_s in stage.pulse.told()
        if t <= stage.ended_at
    ]
    waited = [
        Event(
            0,
            round(one.until, 9),
            "world",
            "os",
            "cpu.waited",
            {k: round(v, 6) for k, v in one._asdict().items() if k != "until"},
        )
        for one in stage.runqueue.told()
        if one.until <= stage.ended_at
    ]
    return [*own, *heard, *late, *waited]


def _unread(stage: "WireStage") -> dict[Name, Unread]:
    """The tap's connections that were ended in mid-stream on the way to their client."""
    if stage.routed is None:
        return {}
    ended = {one.port: one for limit in stage.routed.limits if limit.direction == "down" for one in limit.ended()}
    seconds = stage.routed.seconds
    return {
        conn: Unread(ended[port].passed, tuple((round(seconds(ns), 9), offset) for ns, offset in ended[port].given))
        for conn, port in stage.tap.sources.items()
        if port in ended
    }


def _tunnels(stage: "WireStage") -> dict[Name, str]:
    """The tap's connections that came by a proxy -> the machine's connections to it."""
    found: dict[Name, str] = {}
    for box in stage.boxes.values():
        found |= box.tunnels((conn, stage.tap.sources[conn]) for conn in stage.tap.order[box.machine])
    return found


def _numbers(stage: "WireStage") -> dict[Name, int]:
    """A connection as the tap or a middlebox has it -> the census's number: the k-th that a machine established is the k-th that came there."""
    if stage.routed is None:
        return {}
    number_of, found = stage.routed.census.number_of, dict[Name, int]()
    for client, conns in stage.tap.order.items():
        if stage.proxy_of(client) is None:
            found |= {conn: number_of(client, "relay", order) or -conn for order, conn in enumerate(conns)}
    for box in stage.boxes.values():
        numbers = {label: number_of(box.machine, box.kind, order) for order, label in enumerate(box.order)}
        found |= {label: number for label, number in numbers.items() if number is not None}
    return found


def _owns(stage: "WireStage", numbers: Mapping[Name, int]) -> dict[Name, Own]:
    """What the census saw of the machines' own ends of connections; nothing where nothing was ever held."""
    if stage.routed is None or not stage.tap.holds:
        return {}
    seconds, flows = stage.routed.seconds, stage.routed.census.flows
    found = ((conn, flows[number]) for conn, number in numbers.items() if number in flows)
    return {
        conn: Own([seconds(ns) for ns in flow.said_ns], seconds(flow.left_ns) if flow.left_ns else math.inf)
        for conn, flow in found
    }


def _renamed(
    chunks: Iterable[Chunk], names: Mapping[Name, Name] | Mapping[Name, str] | Mapping[Name, int]
) -> list[Chunk]:
    """The same bytes, of connections by other names."""
    return [chunk._replace(conn=names.get(chunk.conn, chunk.conn)) for chunk in chunks]


def _renumbered(event: Event, numbers: Mapping[Name, int]) -> Event:
    """An event that the tap or a middlebox told, with the history's number of its connection."""
    conn = event.data.get("conn")
    if conn is None or not (event.what in OF_TAP or isinstance(conn, str)):
        return event
    return replace(event, data=event.data | {"conn": numbers.get(conn, conn)})


def _heard(stage: "WireStage", chunks: list[Chunk]) -> list[Event]:
    """What clients said and read."""
    said = [event.data["text"] for event in stage.events if event.what == "agent.said"]
    heard = decode(chunks, stage.canaries | {"public": said[:PUBLIC_TEXTS_MAX]})
    return [Event(0, round(one.t, 9), one.actor, "wire", one.what, one.data) for one in heard]


def _seen(stage: "WireStage") -> list[Event]:
    """What the operating system showed."""
    secrets = Secrets(tuple(stage.credentials.values()), crossed(stage.tap.chunks), str(stage.children.folder))
    told = [(name, one) for name, role in stage.roles.items() for one in role.observer.tell(secrets)]
    return [Event(0, round(t, 9), name, "os", what, data) for name, (t, what, data) in told]


def _ordered(stage: "WireStage") -> list[Event]:
    """Whether the relay's answers came after the disk; nothing where nobody asked."""
    if not syscalls.wanted(stage.plan):
        return []
    heard = _heard(stage, [chunk for chunk in stage.tap.chunks if chunk.t <= stage.ended_at])
    folder = stage.children.folder
    with (folder / TRACE).open() as trace:
        found = list(syscalls.steps(trace, stage.roles[stage.tap.relay].observer.state, stage.clock.of))
    return [
        Event(
            0,
            one.t,
            "relay",
            "os",
            "answer.ordered",
            {"conn": one.conn, **syscalls.order_of(one.t, stage.tap.ports.get(one.conn), found)},
        )
        for one in syscalls.answers(heard)
    ]
