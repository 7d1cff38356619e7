"""What goes into a host or a device machine and what comes out: plain values, shared by both.

Deliberately absent: user actions, which belong to one role (``host_io``, ``device_io``), and any I/O.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

type JsonObject = dict[str, Any]
type Headers = tuple[tuple[str, str], ...]


# --- inputs


@dataclass(frozen=True, slots=True)
class Answered:
    """A call got an answer from somebody; whether from the relay is for the machine to judge. Header names are lower case."""

    call: int
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class CallFailed:
    """A call got no answer; ``why`` is for people."""

    call: int
    why: str


@dataclass(frozen=True, slots=True)
class StreamSent:
    """The request for a stream has left this machine: from now on a missing first byte is somebody else's doing."""

    stream: int


@dataclass(frozen=True, slots=True)
class StreamOpened:
    """The head of a stream's answer came; ``body`` is read to its end unless the status is 200."""

    stream: int
    status: int
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class StreamBytes:
    """Bytes of a stream's body."""

    stream: int
    data: bytes


@dataclass(frozen=True, slots=True)
class StreamEnded:
    """A stream is over; ``why`` is empty when it ended in good order."""

    stream: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class Tick:
    """The deadline asked for has come, and nothing else is waiting."""


# --- effects


@dataclass(frozen=True, slots=True)
class Call:
    """Ask the relay; exactly one ``Answered`` or ``CallFailed`` follows unless ``HangUp`` comes first."""

    call: int
    method: str
    path: str
    headers: Headers
    body: bytes
    timeout_s: float


@dataclass(frozen=True, slots=True)
class OpenStream:
    """Ask for a stream; it is waited for without limit, the machine drops it when it has waited enough."""

    stream: int
    path: str
    headers: Headers


@dataclass(frozen=True, slots=True)
class DropStream:
    """Close a stream; what it still says is ignored."""

    stream: int


@dataclass(frozen=True, slots=True)
class HangUp:
    """Abandon every call, stream and kept connection: after a sleep none of them can be trusted."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Answer the user's action ``ticket``: ``ok``, or ``err`` with code and message (docs/spec/sut.md)."""

    ticket: int
    ok: JsonObject | None = None
    err: JsonObject | None = None


@dataclass(frozen=True, slots=True)
class Tell:
    """An event for whoever drives the program, as docs/spec/sut.md names it."""

    event: str
    data: JsonObject


@dataclass(frozen=True, slots=True)
class Print:
    """One line for the terminal."""

    line: str


@dataclass(frozen=True, slots=True)
class Exit:
    """The program ends with this code; ``reason`` is a stable word, ``message`` is for the person at the terminal."""

    code: int
    reason: str
    message: str


type Effect = Call | OpenStream | DropStream | HangUp | Reply | Tell | Print | Exit
