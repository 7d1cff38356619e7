"""Why a host ends: reason -> exit code and what it says to the person at the terminal (docs/spec/protocol.md, host exit codes)."""

from reference.protocol.client_io import Exit

EXITS: dict[str, tuple[int, str]] = {
    "owner": (0, "The session was ended by its owner."),
    "terminal-closed": (0, "The terminal was closed, and the session with it."),
    "permissions-skipped": (
        64,
        "A remote session cannot skip permissions: every tool call needs an approval. Start without skipping.",
    ),
    "bad-request": (64, "The relay does not understand this host's registration."),
    "version-unsupported": (69, "The relay does not speak this version of the protocol; update this program."),
    "epoch-superseded": (69, "Another run of this instance has taken the session over."),
    "session-ended": (69, "The relay has ended the session."),
    "unknown-session": (69, "The relay does not know this session any more."),
    "outbox-lost": (69, "The relay has lost what it had stored; the session cannot go on truthfully."),
    "agent-ended": (70, "The session's agent ended by itself."),
    "outage": (
        75,
        "No word from the relay for {limit_s:.0f} s while awake: the session has ended. Start it again when the network is back.",
    ),
    "plan-not-eligible": (77, "This account's plan does not include remote sessions."),
    "api-key-refused": (77, "Remote sessions need a signed-in account; an API key cannot open them."),
    "token-revoked": (77, "This machine's enrolment was revoked; enrol it again."),
    "token-expired": (77, "This machine's enrolment has expired; enrol it again."),
    "token-unknown": (77, "The relay does not know this machine's enrolment; enrol it again."),
    "insufficient-scope": (77, "This machine's enrolment does not cover hosting a session."),
}
"""Reason -> (code, message). 64 and up are the BSD sysexits."""

UNFORESEEN = (69, "The relay refused this host: {reason}.")


def exit_for(reason: str, limit_s: float = 0.0) -> Exit:
    """The exit for a reason: a key of ``EXITS`` or any error code of the relay."""
    code, message = EXITS.get(reason, UNFORESEEN)
    return Exit(code, reason, message.format(limit_s=limit_s, reason=reason))
