"""The table of ``given``: how the world is before the story begins.

``host.network: {only_way_out: password}`` is one row here. Keys stand in the plan as written, spans as seconds,
percentages as fractions, sizes as bytes. The schema and the guide are generated from it. Deliberately absent: how a
world arranges it.
"""

from dataclasses import dataclass

from harness.scenario.verbs import Role

WAYS_OUT = (
    "plain",
    "password",
    "inspects_tls",
    "buffers",
    "closes_idle_tunnels",
    "forbids",
    "answers_html",
    "redirects",
)
SECRET_PLACES = ("env", "files", "mcp_config")
SCOPES = ("host:register", "host:stream", "host:publish", "device:read", "device:send", "device:approve")
"""Scopes of access tokens (docs/spec/protocol.md, credentials)."""


@dataclass(frozen=True, slots=True)
class GivenRow:
    """One thing that may be given for an actor.

    Attributes:
        roles: of actors that have it.
        name: as written after the actor's name.
        arg: a kind of ``values.READERS``.
        about: one sentence for the guide.
        words: allowed values of ``word`` and ``words``.
        keys: allowed keys of ``object`` -> kind, or (kind, words).
        contract: field of the contract that it overrides for this run; ``""`` for none.
    """

    roles: tuple[Role, ...]
    name: str
    arg: str
    about: str
    words: tuple[str, ...] = ()
    keys: tuple[tuple[str, str | tuple[str, tuple[str, ...]]], ...] = ()
    contract: str = ""


ENDS: tuple[Role, ...] = ("host", "device")
ALL: tuple[Role, ...] = ("host", "relay", "device")

_NETWORK = (
    ("only_way_out", ("word", WAYS_OUT)),
    ("rtt", "span_or_zero"),
    ("jitter", "span_or_zero"),
    ("loss", "ratio"),
    ("rate", "size"),
)
_TOKEN = (("lives", "span"), ("renews", ("word", ("never", "in time"))), ("scopes", ("words", SCOPES)))
_ACCOUNT = (
    ("name", "text"),
    ("plan", ("word", ("max", "pro", "free", "team"))),
    ("sign_in", ("word", ("login", "api_key"))),
)
_CLOCK = (("drift_ppm", "number"), ("offset", "signed_span"))

GIVEN: tuple[GivenRow, ...] = (
    GivenRow(
        ENDS,
        "network",
        "object",
        "The way to the relay: its only way out, round trip, jitter, loss, rate a second.",
        keys=_NETWORK,
    ),
    GivenRow(ALL, "clock", "object", "How the machine's calendar differs: its offset, its drift.", keys=_CLOCK),
    GivenRow(ALL, "starts", "word", "`later`: only when the story says so.", words=("at once", "later")),
    GivenRow(ALL, "version", "text", "The version the program says it is."),
    GivenRow(
        ENDS,
        "token",
        "object",
        "Its access tokens: how long each lives, whether it is renewed, its scopes.",
        keys=_TOKEN,
    ),
    GivenRow(ENDS, "enrolment", "object", "Its long-lived credential.", keys=(("lives", "span"),)),
    GivenRow(ENDS, "account", "object", "Whose it is, on which plan, signed in how.", keys=_ACCOUNT),
    GivenRow(
        ("host",),
        "secrets_in",
        "words",
        "Random secrets are planted there and looked for in all that crosses the network.",
        words=SECRET_PLACES,
    ),
    GivenRow(
        ("host",),
        "history",
        "texts",
        "Lines of a local session that is running already; `host.promotes` makes it remote.",
    ),
    GivenRow(("host",), "title", "text", "The session's title at start."),
    GivenRow(
        ("host",),
        "instance",
        "text",
        "Which instance it is, its own name if not given: a newer host of the same one takes over.",
    ),
    GivenRow(
        ("host",),
        "permissions",
        "word",
        "Whether its owner asked it to skip permission questions.",
        words=("ask", "skip"),
    ),
    GivenRow(("host",), "capacity", "count", "Remote sessions of one instance.", contract="capacity"),
    GivenRow(("relay",), "disk", "object", "Its disk: how long one sync takes.", keys=(("sync", "span"),)),
    GivenRow(("relay",), "retention", "span", "How long it keeps a silent session.", contract="retention_s"),
)


def given_rows(role: str) -> dict[str, GivenRow]:
    """Rows that an actor of ``role`` may be given, by name."""
    return {row.name: row for row in GIVEN if role in row.roles}
