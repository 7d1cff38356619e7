"""What has been seen so far, indexed as it comes, so that a waiting step costs a look-up and not a walk over the history.

This is the director's eye for *when to go on*; what it means is for the checks, which share no code with it.
"""

from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any

from harness.worlds.stage import Stage

_OBSERVED = frozenset({"os", "saw", "ok"})

_WHERE: dict[str, tuple[str, str]] = {
    "sees": ("shown", "text"),
    "hears": ("agent.heard", "text"),
    "runs": ("tool.ran", "tool"),
    "ran": ("tool.ran", "tool"),
}
"""Waiting verb -> (event name, field) in which its value must turn up."""

AWAITED = frozenset({"sees", "hears", "ran", "shows", "exits", "approval"})
"""Verbs of ``expect`` that a run waits for before its end, as long as anybody may take."""


class Seen:
    """An index over a stage's growing list of events."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._read = 0
        self._index: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)

    def data(self, actor: str, what: str) -> list[dict[str, Any]]:
        """Data of all observations of this name by this actor, in order."""
        events = self._stage.events
        while self._read < len(events):
            event = events[self._read]
            self._read += 1
            if event.kind in _OBSERVED:
                self._index[event.actor, event.what].append(event.data)
        return self._index[actor, what]

    def condition(self, actor: str, verb: str, value: Any) -> Callable[[], bool]:
        """The condition under which ``actor.verb: value`` has come true."""
        if verb in _STATES:
            return partial(_STATES[verb], self, actor, value)
        what, field = _WHERE[verb]
        if value == "every line":
            return lambda: self._has_every_line(actor)
        wanted = [value] if isinstance(value, str) else list(value)
        return lambda: self._has(actor, what, field, wanted)

    def _has(self, actor: str, what: str, field: str, wanted: list[str]) -> bool:
        texts = {one.get(field) for one in self.data(actor, what)}
        return all(text in texts for text in wanted)

    def _has_every_line(self, actor: str) -> bool:
        said = [one["text"] for one in self.data("host", "agent.said")]
        return bool(said) and self._has(actor, "shown", "text", said)

    def _shows(self, actor: str, value: str) -> bool:
        states = self.data(actor, "presence") or self.data(actor, "status")
        return bool(states) and states[-1].get("state") == value

    def _exits(self, actor: str, _value: str) -> bool:
        return bool(self.data(actor, "process.exited"))

    def _approval(self, actor: str, value: dict[str, Any]) -> bool:
        states = [one.get("state") for one in self.data(actor, "approval") if one.get("tool") == value.get("of")]
        return states[-1:] == [value.get("is")]


_STATES: dict[str, Callable[[Seen, str, Any], bool]] = {
    "shows": Seen._shows,  # noqa: SLF001 - the table of this class
    "exits": Seen._exits,  # noqa: SLF001 - same
    "approval": Seen._approval,  # noqa: SLF001 - same
}
"""Verb -> how to see that it has come true, where that is more than a text that turns up."""
