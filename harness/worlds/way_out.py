"""What a corporate network or a hotel puts into a machine's way out, the same in every world: settings, names, and the pages that it answers with.

Deliberately absent: bytes on their way, sockets, processes; each world has those of its own.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from harness.base.errors import WorldError

PROXY_NAME, PROXY_PORT = "proxy.corp", 3128
PROXY_USER = "employee"
PASSWORD = "correct horse"  # noqa: S105  of a proxy that exists in a run only
PORTAL_NAME = "portal.hotel"

type Answer = Literal["forbidden", "html", "redirect"]
type Authority = Literal["trusted", "untrusted"]


@dataclass(frozen=True, slots=True)
class Settings:
    """How a middlebox behaves; fields are ``harness.faults.model.MIDDLEBOX_SETTINGS`` but for ``drop_tunnels``, which is done once."""

    password: str | None = None
    buffers: bool | None = None
    idle_s: float | None = None
    answers: Answer | None = None
    inspects: Authority | None = None
    rewrites_auth: Literal["strip", "replace", "mix_up"] | None = None
    portal: bool | None = None

    def changed(self, given: "Settings", wanted: Mapping[str, Any]) -> "Settings":
        """These settings with some changed: an absent one stays, None is what was given.

        Raises:
            WorldError: an unknown setting.
        """
        unknown = sorted(set(wanted) - {field.name for field in fields(Settings)})
        if unknown:
            raise WorldError(f"a middlebox has no setting {', '.join(unknown)}")
        return replace(self, **{name: getattr(given, name) if to is None else to for name, to in wanted.items()})

    def proxy_url(self, place: str) -> str:
        """What a machine's user configures for a proxy at ``name:port``."""
        user = f"{PROXY_USER}:{self.password.replace(' ', '%20')}@" if self.password else ""
        return f"http://{user}{place}"


WAYS_OUT: dict[str, Settings] = {
    "plain": Settings(),
    "password": Settings(password=PASSWORD),
    "inspects_tls": Settings(inspects="trusted"),
    "buffers": Settings(inspects="trusted", buffers=True),
    "closes_idle_tunnels": Settings(idle_s=60.0),
    "forbids": Settings(answers="forbidden"),
    "answers_html": Settings(answers="html"),
    "redirects": Settings(answers="redirect"),
}
"""What ``given: {host.network: {only_way_out: ...}}`` may say -> settings."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a middlebox answers in another's place."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = (
        b"<html><head><title>Access denied</title></head><body>Your request was blocked by policy.</body></html>"
    )

    @property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """All header fields, the length too."""
        return (*self.headers, ("content-length", str(len(self.body))), ("connection", "close"))

    @property
    def raw(self) -> bytes:
        """The whole response."""
        head = [f"HTTP/1.1 {self.status} {self.reason}", *(f"{name}: {value}" for name, value in self.fields), "", ""]
        return "\r\n".join(head).encode() + self.body


_TEXT = ("content-type", "text/html")
CHALLENGE = Page(407, "Proxy Authentication Required", (("proxy-authenticate", 'Basic realm="corp"'),))
BAD_GATEWAY = Page(502, "Bad Gateway")
TO_PORTAL = Page(302, "Found", (("location", f"http://{PORTAL_NAME}/"), _TEXT))
PAGES: dict[Answer, Page] = {
    "forbidden": Page(403, "Forbidden", (_TEXT,)),
    "html": Page(200, "OK", (_TEXT,)),
    "redirect": Page(302, "Found", (("location", "http://login.corp/"), _TEXT)),
}
"""Setting ``answers`` -> what is answered."""


def refusal(settings: Settings, method: str, credentials: str) -> Page | None:
    """What a proxy answers to a request instead of doing it; None for a tunnel that it opens.

    Args:
        settings: of the moment.
        method: of the request; only CONNECT is done.
        credentials: value of its Proxy-Authorization header; empty if it has none.
    """
    if settings.password and not _authorised(credentials, settings.password):
        return CHALLENGE
    if method != "CONNECT" or (settings.answers and not settings.inspects):
        return PAGES["redirect" if settings.portal else settings.answers or "forbidden"]
    return None


def _authorised(credentials: str, password: str) -> bool:
    """Whether the password is right, by RFC 7617; the user's name is not looked at."""
    scheme, _, value = credentials.partition(" ")
    try:
        return scheme.lower() == "basic" and base64.b64decode(value).partition(b":")[2] == password.encode()
    except ValueError:
        return False
