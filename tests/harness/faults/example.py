"""What a fault looks like in a history: one slice where it bit, one where it was tried and did nothing."""

from dataclasses import dataclass
from typing import Any

from harness.faults.model import Fault, Window
from harness.history.events import Event, Kind

BEGAN_AT = 100.0


def event(t: float, actor: str, what: str, kind: Kind = "os", **data: Any) -> Event:
    return Event(0, t, actor, kind, what, data)


def on_link(t: float, what: str, **data: Any) -> Event:
    return event(t, "host-relay", what, link="host-relay", **data)


def given(t: float, direction: str, size: int, passed: int, **data: Any) -> Event:
    return on_link(t, "socket.attempted", direction=direction, bytes=size, passed=passed, **data)


def at_host(t: float, what: str, **data: Any) -> Event:
    return event(t, "host", what, **data)


@dataclass(frozen=True)
class Example:
    """``bites``: events of a run where the fault did its work; ``fails``: where it was tried and did not."""

    fault: Fault
    bites: tuple[Event, ...]
    fails: tuple[Event, ...]
    irreversible: bool = False

    @property
    def window(self) -> Window:
        return Window(BEGAN_AT, BEGAN_AT + self.fault.lasts_s)
