"""What only a host machine takes and gives: its owner's actions and its agent's words."""

from dataclasses import dataclass, field
from typing import Any, Literal

from reference.protocol.client_io import JsonObject

VERSION = "1"
"""Version of the protocol."""


@dataclass(frozen=True, slots=True)
class Contract:
    """The clauses of a profile that a host can be held to (docs/spec/sut.md, host ``start``).

    Attributes:
        outage_limit_s: awake seconds since the relay was last heard.
        on_outage: ``exit`` ends the host then; ``retry`` never does.
    """

    outage_limit_s: float = 600.0
    on_outage: Literal["exit", "retry"] = "exit"


@dataclass(frozen=True, slots=True)
class Start:
    """Open the session to devices.

    Attributes:
        ticket: the action to reply to.
        instance: this installation; one remote session each (ART-20).
        title: name in the list.
        cwd: where the agent works.
        credential: enrolment.
        permissions: ``skip`` is refused (ART-21).
        history: what a promoted session said before, oldest first: ``{role: user or agent, text}``.
        contract: clauses of the profile in force.
        version: of the protocol that this host speaks.
    """

    ticket: int
    instance: str
    title: str
    cwd: str
    credential: str
    permissions: str = "ask"
    history: tuple[JsonObject, ...] = ()
    contract: Contract = field(default_factory=Contract)
    version: str = VERSION


@dataclass(frozen=True, slots=True)
class Rename:
    """The owner names the session."""

    ticket: int
    title: str


@dataclass(frozen=True, slots=True)
class Type:
    """The owner types a prompt at the terminal."""

    ticket: int
    text: str


@dataclass(frozen=True, slots=True)
class Press:
    """The owner presses a key; space toggles the QR code (ART-06)."""

    ticket: int
    key: str


@dataclass(frozen=True, slots=True)
class Stop:
    """The owner ends the session, or closes the terminal it lives in (ART-17)."""

    ticket: int
    how: Literal["graceful", "terminal_closed"]


@dataclass(frozen=True, slots=True)
class AgentSaid:
    """One JSON-RPC object from the agent."""

    message: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AgentEnded:
    """The agent's output ended: there is no session any more."""


@dataclass(frozen=True, slots=True)
class LaunchAgent:
    """Start the agent in a directory."""

    cwd: str


@dataclass(frozen=True, slots=True)
class ToAgent:
    """Write one JSON-RPC object to the agent."""

    message: dict[str, Any]
