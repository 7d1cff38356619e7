"""The one table of verbs: what a scenario may write, what becomes of it.

scenario verb -> SUT verb -> history event -> default deadline. The language validates against it, the director performs it, the schema and
docs/guide are generated from it. A new verb is one row here, plus a check if it may stand in ``expect``.
"""

from dataclasses import dataclass
from typing import Literal

type Role = Literal["host", "relay", "device", "wire"]
type ArgType = Literal[
    "nothing", "text", "texts", "span", "word", "text_or_lines", "texts_or_every_line", "count", "object", "budget"
]
"""How the value is written: ``texts`` is a text or a list; ``text_or_lines`` a text or ``{lines: 200, every: 250ms}``,
``size: 10kB`` beside it pads each line; ``texts_or_every_line`` a text, a list, or ``every line``; ``object`` a mapping whose keys the row
lists in ``keys``; ``word`` one of ``words``."""


@dataclass(frozen=True, slots=True)
class StoryVerb:
    """A verb that may stand in ``story`` or ``during``.

    Attributes:
        role: who can do it.
        name: as written after the actor's name.
        arg: how its value is written.
        about: one sentence for the guide.
        sut: SUT verb called on the actor; ``agent`` when the scripted agent does it; ``""`` when the director waits for an event.
        waits: the step is a *control*: it is done when the observation is there, failed after ``deadline_s``.
        deadline_s: default.
        words: allowed values of ``word``.
        keys: allowed keys of ``object`` -> their ArgType.
    """

    role: Role
    name: str
    arg: ArgType
    about: str
    sut: str = ""
    waits: bool = False
    deadline_s: float = 60.0
    words: tuple[str, ...] = ()
    keys: tuple[tuple[str, ArgType], ...] = ()


@dataclass(frozen=True, slots=True)
class ExpectVerb:
    """A verb that may stand in ``expect``; the check of the same (role, name) in ``harness.checks`` judges it.

    Attributes:
        role: whom it is about.
        name: as written after the actor's name.
        arg: how its value is written.
        about: one sentence for the guide.
        words: allowed values of ``word``.
        keys: allowed keys of ``object`` -> their ArgType, or (``word``, its words).
        required: keys without which the check has nothing to compare.
        modifiers: what beside ``proves`` the check reads; anything else would be written in vain. ``never`` is ``times: 0`` and no other number.
        samples: units in which ``in_at_least`` may be written; empty = it may not. ``bytes`` is a size: ``20kB``.
    """

    role: Role
    name: str
    arg: ArgType
    about: str
    words: tuple[str, ...] = ()
    keys: tuple[tuple[str, ArgType | tuple[ArgType, tuple[str, ...]]], ...] = ()
    required: tuple[str, ...] = ()
    modifiers: tuple[str, ...] = ()
    samples: tuple[str, ...] = ()


DOORS = ("read", "send", "approve", "open_stream")
PRESENCES = ("connecting", "online", "degraded", "offline", "ended")
STAGES = ("relay_stored", "host_received", "host_applied", "failed")
APPROVALS = ("pending", "resolved", "withdrawn")
_COUNTED = ("times", "within")
_STATE = ("never", "within")
_SAID = ("lines", "messages")
_SHUT_DOORS: tuple[tuple[Role, str], ...] = (("host", "exits: gated"), ("device", "answer"))

STORY: tuple[StoryVerb, ...] = (
    # --- the host's session: the scripted agent is what speaks, hears and asks
    StoryVerb("host", "says", "text_or_lines", "The session prints a line, or many lines on a schedule.", sut="agent"),
    StoryVerb(
        "host",
        "works",
        "span",
        "The session is busy for so long in a turn, printing a line every ten seconds; the story goes on meanwhile.",
        sut="agent",
    ),
    StoryVerb("host", "asks", "text", "The session asks leave to run this tool call; the story goes on.", sut="agent"),
    StoryVerb("host", "withdraws", "text", "The session takes its question back.", sut="agent"),
    StoryVerb("host", "hears", "texts", "Wait until the session was given this prompt.", waits=True),
    StoryVerb("host", "runs", "text", "Wait until this tool ran.", waits=True),
    # --- the host's terminal
    StoryVerb(
        "host",
        "starts",
        "nothing",
        "Start the host program (only needed where `given` says it starts later, or after it ended).",
        sut="start",
    ),
    StoryVerb("host", "promotes", "nothing", "Turn the running local session into a remote one.", sut="start"),
    StoryVerb(
        "host",
        "stops",
        "word",
        "The owner ends the session.",
        sut="stop",
        words=("gracefully", "by closing the terminal"),
    ),
    StoryVerb("host", "renames", "text", "Rename the session at the host.", sut="rename"),
    StoryVerb("host", "types", "text", "A prompt typed at the terminal.", sut="type"),
    StoryVerb("host", "presses", "word", "A key at the terminal.", sut="press", words=("space",)),
    StoryVerb(
        "host", "shows", "word", "Wait until the terminal shows this connection status.", waits=True, words=PRESENCES
    ),
    # --- devices
    StoryVerb(
        "device",
        "joins",
        "nothing",
        "Start the device, find the session in the list, attach.",
        sut="attach",
        deadline_s=90.0,
    ),
    StoryVerb(
        "device",
        "opens",
        "word",
        "Same as joins, for scenarios about the stream itself.",
        sut="attach",
        words=("stream",),
    ),
    StoryVerb("device", "leaves", "nothing", "Close the device's window.", sut="detach"),
    StoryVerb("device", "sees", "texts_or_every_line", "Wait until the device has shown this.", waits=True),
    StoryVerb(
        "device",
        "sends",
        "text_or_lines",
        "Send a prompt; the story goes on when the relay answered or the deadline passed.",
        sut="send",
    ),
    StoryVerb("device", "approves", "text", "Allow this tool call once.", sut="answer"),
    StoryVerb(
        "device",
        "approves_another",
        "text",
        "Allow this tool call with the digest of another one, as who was shown something else.",
        sut="answer",
    ),
    StoryVerb("device", "rejects", "text", "Reject this tool call once.", sut="answer"),
    StoryVerb("device", "renames", "text", "Rename the session from the device.", sut="rename"),
    StoryVerb("device", "lists", "nothing", "Ask for the list of sessions.", sut="list"),
    StoryVerb(
        "device",
        "tries",
        "word",
        "Knock at one door of the relay; approve makes its own pending request first.",
        sut="try",
        words=DOORS,
    ),
    StoryVerb(
        "device", "shows", "word", "Wait until the device shows this presence of the host.", waits=True, words=PRESENCES
    ),
)

EXPECT: tuple[ExpectVerb, ...] = (
    ExpectVerb(
        "host",
        "hears",
        "texts",
        "The session was given these prompts, in this order.",
        modifiers=_COUNTED,
        samples=_SAID,
    ),
    ExpectVerb("host", "ran", "text", "This tool ran (`times: 0`: it never did).", modifiers=_COUNTED),
    ExpectVerb(
        "host",
        "exits",
        "word",
        "The host program ended.",
        words=("about outage_limit", "cleanly", "gated", "superseded", "any"),
        modifiers=("never", "within", "since"),
    ),
    ExpectVerb(
        "host",
        "process",
        "word",
        "The host program is the one that was started first.",
        words=("same as before", "running", "ended"),
    ),
    ExpectVerb(
        "host",
        "shows",
        "word",
        "What the terminal shows at the end.",
        words=(*PRESENCES, "qr", "no qr", "url"),
        modifiers=_STATE,
    ),
    ExpectVerb(
        "host",
        "direct_attempts",
        "count",
        "Connections tried past the proxy; a probe of ours first made this counter 1.",
    ),
    ExpectVerb("host", "listens", "word", "Listening sockets of the host.", words=("nowhere",)),
    *(
        ExpectVerb(
            role,
            "attempts",
            "object",
            "Attempts to reach the relay: dials, and requests that are refused or answered by somebody else.",
            keys=(("at_most", "count"), ("per", "span")),
            required=("at_most", "per"),
            samples=("attempts",),
        )
        for role in ("host", "device")
    ),
    *(
        ExpectVerb(
            role,
            "refused",
            "object",
            f"The relay refused it by this code of errors.yaml, at least so often, as seen on the wire; a door that stays shut is `{shut}`.",
            keys=(("as", "text"), ("at_least", "count")),
            required=("as",),
        )
        for role, shut in _SHUT_DOORS
    ),
    *(
        ExpectVerb(
            role,
            "obeys",
            "word",
            "Told when to come back, it does not ask the same again before.",
            words=("retry-after",),
        )
        for role in ("host", "device")
    ),
    ExpectVerb(
        "relay",
        "syncs",
        "word",
        "What it says is stored was on the disk before it said so, by the order of its system calls; in the wire world only.",
        words=("before it answers",),
        samples=("answers",),
    ),
    ExpectVerb(
        "device",
        "resumes",
        "word",
        "A stream that it asks for again sends nothing that it had shown by then.",
        words=("where it was",),
    ),
    ExpectVerb(
        "device",
        "sees",
        "texts_or_every_line",
        "The device showed these, in this order.",
        modifiers=_COUNTED,
        samples=_SAID,
    ),
    ExpectVerb(
        "device", "shows", "word", "Presence of the host as the device showed it.", words=PRESENCES, modifiers=_STATE
    ),
    ExpectVerb(
        "device",
        "answer",
        "word",
        "The relay's last answer to this device: `accepted` or an error code of errors.yaml.",
        modifiers=("effects",),
    ),
    ExpectVerb("device", "stream", "word", "The device's stream.", words=("open", "closed"), modifiers=("within",)),
    ExpectVerb(
        "device",
        "delay",
        "budget",
        "Time from when the story meant the session's line to be said to the device's screen, e.g. `p(99) <= rtt + 600ms`.",
        samples=_SAID,
    ),
    ExpectVerb(
        "device",
        "approval",
        "object",
        "A request as this device showed it.",
        keys=(("of", "text"), ("is", ("word", APPROVALS))),
        required=("of", "is"),
        modifiers=("within",),
    ),
    ExpectVerb(
        "device",
        "message",
        "object",
        "The stage a message of this device reached.",
        keys=(("of", "text"), ("reaches", ("word", STAGES))),
        required=("of", "reaches"),
    ),
    ExpectVerb(
        "device",
        "list",
        "object",
        "The last list.",
        keys=(("sessions", "count"), ("title", "text"), ("presence", ("word", PRESENCES))),
    ),
    ExpectVerb("device", "title", "text", "The session's title as the device shows it."),
    ExpectVerb(
        "wire",
        "carries",
        "word",
        "Planted secrets in anything that crossed the network in clear.",
        words=("no secret",),
        samples=("bytes",),
    ),
)
