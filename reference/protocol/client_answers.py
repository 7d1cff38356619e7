"""Whose word an answer is: the relay's, or that of something in between.

Only ``application/problem+json`` with our ``type`` refuses, only the media type of protocol.md succeeds; everything else is a network fault,
whatever its status (OUT-10: captive portals, proxies, gateways in maintenance).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from reference.protocol.client_io import JsonObject
from reference.protocol.errors import TYPE_PREFIX

RETRY_AFTER_S_MAX = 600.0
"""A longer wish is cut: a broken middlebox must not be able to silence a host for a day."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The relay said yes."""

    body: JsonObject


@dataclass(frozen=True, slots=True)
class Refused:
    """The relay said no: ``code`` is a word of errors.yaml, ``body`` the problem document."""

    code: str
    body: JsonObject = field(default_factory=dict)
    retry_after_s: float = 0.0

    @property
    def message(self) -> str:
        """The relay's sentence for people."""
        return str(self.body.get("title", self.code))


@dataclass(frozen=True, slots=True)
class Fault:
    """Nobody who counts has answered."""

    why: str
    retry_after_s: float = 0.0


def media_type(headers: Mapping[str, str]) -> str:
    """The media type of an answer, lower case, without parameters."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def json_object(data: bytes | str) -> JsonObject | None:
    """Decode a JSON object; None for anything else."""
    try:
        value = msgspec.json.decode(data)
    except msgspec.DecodeError:
        return None
    return value if isinstance(value, dict) else None


def retry_after_s(headers: Mapping[str, str]) -> float:
    """Seconds asked for by ``Retry-After``; its date form is ignored, for it would need a calendar that both agree on."""
    value = headers.get("retry-after", "").strip()
    return min(float(value), RETRY_AFTER_S_MAX) if value.isascii() and value.isdigit() else 0.0


def relays_refusal(status: int, headers: Mapping[str, str], body: bytes) -> Refused | None:
    """The relay's refusal, or None if this answer is not the relay's (RFC 9457; docs/spec/protocol.md, transport rules)."""
    if status < 400 or media_type(headers) != "application/problem+json":
        return None
    problem = json_object(body) or {}
    kind = str(problem.get("type", ""))
    if not kind.startswith(TYPE_PREFIX):
        return None
    return Refused(kind.removeprefix(TYPE_PREFIX), problem, retry_after_s(headers))


def relays_acceptance(status: int, headers: Mapping[str, str], body: bytes) -> Accepted | None:
    """The relay's success, or None."""
    if not 200 <= status < 300 or media_type(headers) != "application/json":
        return None
    answer = json_object(body)
    return None if answer is None else Accepted(answer)
