"""The registry of errors that cross the wire; docs/spec/errors.yaml is the document, a test holds both equal.

``definite`` is maelstrom's idea: does the error prove that the request had no effect? Only then may it be asked again under another id.
"""

from dataclasses import dataclass

TYPE_PREFIX = "urn:relayproof:"
"""A refusal is the relay's word only when its problem type starts so."""


@dataclass(frozen=True, slots=True)
class WireError:
    """One row of the registry.

    Attributes:
        code: stable word; the problem type is ``TYPE_PREFIX`` and this.
        status: HTTP status.
        title: one sentence for people.
        retryable: the same request may succeed later, unchanged.
        definite: the request certainly had no effect.
    """

    code: str
    status: int
    title: str
    retryable: bool
    definite: bool = True


_ROWS = (
    WireError("bad-request", 400, "The request is malformed.", retryable=False),
    WireError("token-missing", 401, "No access token was sent.", retryable=False),
    WireError("token-expired", 401, "The token has expired; get a new one.", retryable=False),
    WireError("token-revoked", 401, "The token was revoked; enrol again.", retryable=False),
    WireError("token-unknown", 401, "The token is not known here.", retryable=False),
    WireError("insufficient-scope", 403, "The token does not cover this request.", retryable=False),
    WireError("plan-not-eligible", 403, "The account's plan does not include remote sessions.", retryable=False),
    WireError(
        "api-key-refused", 403, "Remote sessions need a signed-in account; API keys cannot open them.", retryable=False
    ),
    WireError("unknown-session", 404, "There is no such session.", retryable=False),
    WireError("unknown-request", 404, "The session never asked this.", retryable=False),
    WireError("not-found", 404, "There is nothing at this path.", retryable=False),
    WireError("method-not-allowed", 405, "This path does not take that method.", retryable=False),
    WireError("timeout", 408, "The request did not arrive in time.", retryable=True),
    WireError("epoch-superseded", 409, "A newer incarnation of this instance has taken over.", retryable=False),
    WireError("outbox-gap", 409, "Items are missing before the first one sent.", retryable=False),
    WireError("msg-id-reused", 409, "This msg_id was used for another message.", retryable=False),
    WireError("already-resolved", 409, "The request was decided before.", retryable=False),
    WireError(
        "digest-mismatch", 409, "The decision was made about something else than what is asked.", retryable=False
    ),
    WireError("request-withdrawn", 409, "The session took the request back.", retryable=False),
    WireError("session-ended", 410, "The session has ended.", retryable=False),
    WireError("too-large", 413, "The body is larger than the relay takes.", retryable=False),
    WireError("uri-too-long", 414, "The request target is longer than the relay takes.", retryable=False),
    WireError("version-unsupported", 426, "This version of the protocol is not spoken here.", retryable=False),
    WireError("rate-limited", 429, "Too many requests.", retryable=True),
    WireError("head-too-large", 431, "The head is larger than the relay takes.", retryable=False),
    WireError("draining", 503, "The relay is being restarted; come back shortly.", retryable=True),
    WireError("storage-failed", 503, "The relay cannot store anything now.", retryable=True, definite=False),
)

ERRORS: dict[str, WireError] = {row.code: row for row in _ROWS}
"""Code -> row."""

assert len(ERRORS) == len(_ROWS)
