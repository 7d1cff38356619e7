"""What only a device machine takes: its person's actions. ``ticket`` names the action to reply to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Start:
    """Sign in. ``renew`` False mints each token once (an enrolment that is not renewed)."""

    ticket: int
    credential: str
    renew: bool = True


@dataclass(frozen=True, slots=True)
class List:
    """Ask for the account's sessions."""

    ticket: int


@dataclass(frozen=True, slots=True)
class Attach:
    """Open a session's window, or its stream anew."""

    ticket: int
    session: str


@dataclass(frozen=True, slots=True)
class Detach:
    """Close the window."""

    ticket: int


@dataclass(frozen=True, slots=True)
class Send:
    """Send a prompt; an empty ``msg_id`` has one minted."""

    ticket: int
    text: str
    msg_id: str = ""


@dataclass(frozen=True, slots=True)
class Decide:
    """Decide a question with one of its options; ``digest`` says of what, empty for what this device was shown."""

    ticket: int
    request: str
    option: str
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Rename:
    """Name the session."""

    ticket: int
    title: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Close the program."""

    ticket: int
