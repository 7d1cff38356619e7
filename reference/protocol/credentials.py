"""Opaque credentials: enrolments that mint access tokens of one scope each. Only SHA-256 of a token is kept.

Times are seconds of the relay's *age*, a clock of its own that runs on in sleep, never steps back and goes on over restarts (``age.py``):
so neither a clock step nor a restart gives an expired token its life back. Deliberately absent: who may do what with a session.
"""

import base64
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random

SCOPES: dict[str, tuple[str, ...]] = {
    "host": ("host:register", "host:stream", "host:publish"),
    "device": ("device:read", "device:send", "device:approve"),
}
"""Role -> what its access tokens may be asked for; one verb family each (AUT-4)."""

ENROLMENT_PREFIX = "rcr_"
ACCESS_PREFIX = "rca_"


@dataclass(slots=True)
class Enrolment:
    """A long-lived credential of one subject; fields as in ``relay_io.Issue``, ``expires_at`` in seconds of age."""

    sha: str
    subject: str
    role: str
    account: str
    scopes: tuple[str, ...]
    expires_at: float
    access_lives_s: float | None
    plan: str
    sign_in: str
    revoked: bool = False


@dataclass(slots=True)
class Access:
    """A short-lived credential of one scope, minted from an enrolment."""

    sha: str
    enrolment: Enrolment
    scope: str
    expires_at: float
    revoked: bool = False


@dataclass(slots=True)
class Credentials:
    """All that are known, by hash. Enrolments and access tokens never share a table (AUT-6)."""

    enrolments: dict[str, Enrolment] = field(default_factory=dict)
    accesses: dict[str, Access] = field(default_factory=dict)

    def issued(self, record: dict[str, Any]) -> None:
        """Apply an ``issued`` record."""
        fields = {key: value for key, value in record.items() if key in Enrolment.__slots__}
        self.enrolments[record["sha"]] = Enrolment(**{**fields, "scopes": tuple(record["scopes"])})

    def minted(self, record: dict[str, Any]) -> None:
        """Apply a ``minted`` record."""
        parent = self.enrolments[record["of"]]
        self.accesses[record["sha"]] = Access(
            record["sha"], parent, record["scope"], record["expires_at"], revoked=parent.revoked
        )

    def revoked(self, record: dict[str, Any]) -> None:
        """Apply a ``revoked`` record: an access token alone, or an enrolment with all that was minted from it."""
        sha = record["sha"]
        if access := self.accesses.get(sha):
            access.revoked = True
        if enrolment := self.enrolments.get(sha):
            enrolment.revoked = True
            for child in self.accesses.values():
                child.revoked |= child.enrolment is enrolment

    def of_subject(self, subject: str) -> list[Enrolment]:
        """Live enrolments of a subject."""
        return [
            enrolment
            for enrolment in self.enrolments.values()
            if enrolment.subject == subject and not enrolment.revoked
        ]

    def forget(self, before: float) -> None:
        """Drop access tokens that expired before this age."""
        for sha in [sha for sha, access in self.accesses.items() if access.expires_at < before]:
            del self.accesses[sha]


def mint(entropy: "random.Random", prefix: str) -> str:
    """Make a token of 256 random bits (AUT-8)."""
    return prefix + base64.urlsafe_b64encode(entropy.randbytes(32)).rstrip(b"=").decode()


def sha_of(token: str) -> str:
    """The hash under which a token is kept; no salt, because 256 random bits cannot be guessed."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
