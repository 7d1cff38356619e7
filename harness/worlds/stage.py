"""What a world offers to the director that walks a story: the border between the two.

The director is a generator: it acts through a ``Stage`` and yields ``Until`` whenever time has to pass; the world runs until the condition
holds or the deadline is reached, and resumes it. So the same director serves virtual and real time.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Protocol

from harness.faults.model import Operation
from harness.history.events import Event, Kind


@dataclass(frozen=True, slots=True)
class Until:
    """Let time pass until ``holds()`` or ``at`` (true seconds), whichever is first."""

    at: float
    holds: Callable[[], bool] = lambda: False


type Directions = Generator[Until, None, None]


@dataclass(slots=True)
class Call:
    """A SUT verb under way; ``reply`` is the SUT's reply object once there is one."""

    reply: dict[str, Any] | None = None

    @property
    def done(self) -> bool:
        """Whether the role has answered."""
        return self.reply is not None


class Stage(Protocol):
    """One world while it runs one plan."""

    @property
    def now(self) -> float:
        """True seconds since the world began."""

    @property
    def events(self) -> list[Event]:
        """Events so far (without the tap's, which is decoded after the run)."""

    def record(self, actor: str, kind: Kind, what: str, **data: Any) -> Event:
        """Append an event."""

    def call(self, actor: str, verb: str, args: dict[str, Any]) -> Call:
        """Call a SUT verb on a role; records nothing."""

    def agent(self, actor: str, act: str, args: dict[str, Any]) -> None:
        """Tell the scripted agent of a host to ``say``, ``work``, ``ask`` or ``withdraw``."""

    def perform(self, operation: Operation) -> None:
        """Carry out one fault operation at once."""
