"""What a run adds up to: the stage's events, what the tap heard, and what the operating system showed, as one history in order of time.

Deliberately absent: judgement.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.history.events import Event
from harness.sut.tap import decode
from harness.worlds.wire import syscalls
from harness.worlds.wire.census import Census
from harness.worlds.wire.secrets import Secrets, crossed
from harness.worlds.wire.tap import Tap, delivered

if TYPE_CHECKING:
    from harness.worlds.wire.stage import WireStage

PUBLIC_TEXTS_MAX = 5
"""So many of the texts that were said aloud are looked for as the scanner's positive control."""

TRACE = "relay.trace"
"""Where in the run's folder strace writes."""

OF_TAP = ("certificate.shown", "answer.dropped")
"""Observations whose connection is the tap's."""

type Numbers = Mapping[int | str, int]
"""The tap's number of a connection -> the history's."""


def account(stage: "WireStage") -> tuple[Event, ...]:
    """All events by time, numbered; of equals the first recorded stands first."""
    numbers = numbers_of(stage.tap, stage.routed.census) if stage.routed else {}
    heard = _heard(stage)
    ordered = _ordered(stage, heard)
    own = [_renumbered(event, numbers) if event.what in OF_TAP else event for event in stage.events]
    told = [*own, *(_renumbered(event, numbers) for event in (*heard, *ordered)), *_seen(stage)]
    merged = sorted(told, key=lambda event: event.t)
    return tuple(replace(event, n=n) for n, event in enumerate(merged))


def numbers_of(tap: Tap, census: Census) -> Numbers:
    """The k-th connection that a machine established is the k-th of it that reached the tap; one that the census does not know is negative."""
    found: dict[int | str, int] = {}
    for client, conns in tap.order.items():
        for order, conn in enumerate(conns):
            number = census.number_of(client, "relay", order)
            found[conn] = -conn if number is None else number
    return found


def _renumbered(event: Event, numbers: Numbers) -> Event:
    number = numbers.get(event.data.get("conn", ""))
    return event if number is None else replace(event, data=event.data | {"conn": number})


def _heard(stage: "WireStage") -> list[Event]:
    """What the tap heard while the story went on, under the tap's own numbers."""
    said = [event.data["text"] for event in stage.events if event.what == "agent.said"]
    canaries = stage.canaries | {"public": said[:PUBLIC_TEXTS_MAX]}
    chunks = [chunk for chunk in stage.tap.chunks if chunk.t <= stage.ended_at]
    heard = decode(delivered(chunks, stage.tap.holds), canaries)
    return [Event(0, round(one.t, 9), one.actor, "wire", one.what, one.data) for one in heard]


def _seen(stage: "WireStage") -> list[Event]:
    """What the operating system showed."""
    secrets = Secrets(tuple(stage.credentials.values()), crossed(stage.tap.chunks), str(stage.children.folder))
    told = [(name, one) for name, role in stage.roles.items() for one in role.observer.tell(secrets)]
    return [Event(0, round(t, 9), name, "os", what, data) for name, (t, what, data) in told]


def _ordered(stage: "WireStage", heard: list[Event]) -> list[Event]:
    """Whether the relay's answers came after the disk; nothing where nobody asked."""
    if not syscalls.wanted(stage.plan):
        return []
    folder = stage.children.folder
    with (folder / TRACE).open() as trace:
        found = list(syscalls.steps(trace, folder / "relay.state", stage.clock.of))
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
