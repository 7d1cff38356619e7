"""What goes into the relay machine and what comes out of it; the whole border between the pure core and its drivers."""

from dataclasses import dataclass

type Headers = tuple[tuple[str, str], ...]
"""Answer headers in order; ``Content-Length``, ``Transfer-Encoding`` and ``Cache-Control`` are the driver's."""


# --- inputs


@dataclass(frozen=True, slots=True)
class Request:
    """One complete HTTP request.

    Attributes:
        rid: names the request in effects; never used twice.
        method: upper case.
        path: percent-encoded, without the query.
        query: without ``?``; the relay reads none.
        headers: names in lower case; a repeated name is refused by the gate or joined with ``, ``.
        body: decoded, at most ``BODY_BYTES_MAX``.
    """

    rid: int
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Gone:
    """The peer of a request or stream went away."""

    rid: int


@dataclass(frozen=True, slots=True)
class Flowed:
    """Back-pressure of a stream: sent when a ``more`` was drained (0 unsent) and when the cap was crossed."""

    rid: int
    unsent_bytes: int


@dataclass(frozen=True, slots=True)
class Committed:
    """Everything up to this record number is on stable storage."""

    upto: int


@dataclass(frozen=True, slots=True)
class StorageFailed:
    """A commit failed: nobody knows what is on the disk, so nothing is acknowledged from now on (fsyncgate)."""


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed."""


@dataclass(frozen=True, slots=True)
class Drain:
    """Send everybody away with a hint when to come back."""

    retry_after_s: float


@dataclass(frozen=True, slots=True)
class Issue:
    """The operator enrols a subject; answered by ``Told`` with the credential.

    Attributes:
        rid: names the answer.
        subject: who: the device id that stands as author, or the host's name.
        role: ``host`` or ``device``.
        account: whose sessions it may touch.
        scopes: what access tokens it may ask for; empty = all of the role.
        lives_s: life of the enrolment.
        access_lives_s: life of its access tokens, or None for the relay's own.
        plan: of the account.
        sign_in: ``account`` or ``api_key``.
    """

    rid: int
    subject: str
    role: str
    account: str
    scopes: tuple[str, ...]
    lives_s: float
    access_lives_s: float | None
    plan: str
    sign_in: str


@dataclass(frozen=True, slots=True)
class Revoke:
    """The operator revokes every enrolment of a subject; answered by ``Told`` with the number."""

    rid: int
    subject: str


type Input = Request | Gone | Flowed | Committed | StorageFailed | Tick | Drain | Issue | Revoke

# --- effects


@dataclass(frozen=True, slots=True)
class Respond:
    """One complete answer."""

    rid: int
    status: int
    headers: Headers
    body: bytes


@dataclass(frozen=True, slots=True)
class OpenStream:
    """The head of an answer without an end yet."""

    rid: int
    headers: Headers


@dataclass(frozen=True, slots=True)
class StreamData:
    """Bytes of an open stream; with ``more`` the driver says ``Flowed(rid, 0)`` once they have left."""

    rid: int
    data: bytes
    more: bool = False


@dataclass(frozen=True, slots=True)
class CloseStream:
    """The regular end of a stream."""

    rid: int


@dataclass(frozen=True, slots=True)
class Commit:
    """Make these records durable, then say ``Committed(upto)``; never two at a time."""

    upto: int
    records: list[bytes]


@dataclass(frozen=True, slots=True)
class Told:
    """The answer to ``Issue`` or ``Revoke``."""

    rid: int
    result: dict[str, str | int]


type Effect = Respond | OpenStream | StreamData | CloseStream | Commit | Told
