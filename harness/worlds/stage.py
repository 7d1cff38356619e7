"""What a world offers to the director that walks a story: the border between the two.

The director is a generator: it acts through a ``Stage`` and yields ``Until`` whenever time has to pass; the world runs until the condition
holds or the deadline is reached, and resumes it. So the same director serves virtual and real time.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Protocol

from harness.faults.model import Operation
from harness.history.events import Event, Kind
from harness.sut.contract import Call


def NEVER() -> bool:  # noqa: N802 - a constant that is called
    """The condition of a wait that only time ends."""
    return False


@dataclass(frozen=True, slots=True)
class Until:
    """Let time pass until ``holds()`` or ``at`` (true seconds), whichever is first."""

    at: float
    holds: Callable[[], bool] = NEVER


type Directions[T] = Generator[Until, None, T]


class Stage(Protocol):
    """One world while it runs one plan."""

    @property
    def now(self) -> float:
        """True seconds since the world began."""

    @property
    def stood_s(self) -> float:
        """Seconds of the world so far by which the harness's own beats were late, as everybody may have been; 0 in virtual time."""

    @property
    def events(self) -> list[Event]:
        """Events so far (without the tap's, which is decoded after the run)."""

    def record(self, actor: str, kind: Kind, what: str, /, **data: Any) -> Event:
        """Append an event."""

    def call(self, actor: str, verb: str, args: dict[str, Any]) -> Call:
        """Call a SUT verb on a role; records nothing."""

    def alive(self, actor: str) -> bool:
        """Whether the role's program runs."""

    def boot(self, actor: str) -> None:
        """Start the role's program once more, on the same machine with the same files."""

    def keep_credential(self, actor: str, credential: str) -> None:
        """Remember an enrolment credential that the relay issued for an actor; it goes into ``start_args`` and nowhere else."""

    def start_args(self, actor: str) -> dict[str, Any]:
        """Arguments of the role's ``start`` verb: addresses, credential, contract."""

    def agent(self, actor: str, act: str, args: dict[str, Any]) -> None:
        """Tell the scripted agent of a host to ``say``, ``work``, ``ask`` or ``withdraw``."""

    def perform(self, operation: Operation) -> None:
        """Carry out one fault operation at once."""

    def realised_by(self, operation: Operation) -> tuple[str, ...]:
        """By what this world carries out an operation: words of docs/spec/history.md, such as ``sim`` or ``toxiproxy``."""
