"""Requests and answers of one tunnel that a corporate proxy has opened: what goes on of the bytes, and what is kept back, changed or answered.

One request after the other, as every HTTP/1.1 client asks; of pipelined ones only the first is changed. Deliberately absent: TLS and sockets
(``proxy_process``).
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from harness.sut.tap_http import Head, Messages
from harness.worlds.way_out import PAGES, Settings

_AUTHORIZATION = b"authorization"
OWN = b"Authorization: Bearer issued-by-the-proxy"
"""What ``rewrites_auth: replace`` puts into every request."""

type Tell = Callable[..., None]
"""``tell(what, **data)``."""


@dataclass
class Policy:
    """What holds for all tunnels of a proxy.

    Attributes:
        settings: of the moment.
        first_seen: the first Authorization line that came by under them, as far as anybody asked for it.
    """

    settings: Settings
    first_seen: bytes = b""


@dataclass
class Exchange:
    """One opened tunnel.

    Attributes:
        policy: of the proxy.
        tell: takes what it does: ``answered``, ``rewrote``, ``held``.
        clock: true nanoseconds.
    """

    policy: Policy
    tell: Tell
    clock: Callable[[], int]
    _head: bytes | None = b""
    _refused: bool = False
    _switched: bool = False
    _method: str = ""
    _page: bytes = b""
    _held: bytes = b""
    _since_ns: int = 0
    _requests: Messages = field(init=False)
    _answers: Messages = field(init=False)

    def __post_init__(self) -> None:
        self._requests = Messages(until_close=False)
        self._answers = Messages(until_close=True, no_body=self._has_no_body)

    # --- towards the relay

    def ask(self, data: bytes) -> bytes:
        """What goes on of bytes from the client; ``has_page`` afterwards if there is an answer of the proxy's own."""
        ends = False
        for part in self._requests.feed(data):
            ends |= part.what == "end"
            self._method = part.head.start.partition(" ")[0] if part.head else self._method
        onward = self._onward(data)
        if ends:
            self._head = b""
            self._refuse()
        return onward

    @property
    def has_page(self) -> bool:
        """Whether the proxy has an answer of its own to give."""
        return bool(self._page)

    def _onward(self, data: bytes) -> bytes:
        if self._switched:
            return data
        if self._head is None:
            return b"" if self._refused else data
        head, found, body = (self._head + data).partition(b"\r\n\r\n")
        if not found:
            self._head = head
            return b""
        self._head, self._refused = None, self.policy.settings.answers is not None
        return b"" if self._refused else self._rewritten(head) + found + body

    def _refuse(self) -> None:
        answers = self.policy.settings.answers or "forbidden"
        if self._refused:
            self._refused = False
            self._page += PAGES[answers].raw
            self.tell("answered", status=PAGES[answers].status)

    def _rewritten(self, head: bytes) -> bytes:
        how = self.policy.settings.rewrites_auth
        if how is None:
            return head
        first, *lines = head.split(b"\r\n")
        own = next((line for line in lines if _name(line) == _AUTHORIZATION), b"")
        rest = [line for line in lines if _name(line) != _AUTHORIZATION]
        if how == "replace":
            rest.append(OWN)
        elif how == "mix_up" and own:
            self.policy.first_seen = self.policy.first_seen or own
            rest.append(self.policy.first_seen)
        target = first.split(b" ")[1:2] or [b""]
        self.tell("rewrote", path=target[0].partition(b"?")[0].decode("latin-1"))
        return b"\r\n".join([first, *rest])

    # --- towards the client

    def answer(self, data: bytes) -> bytes:
        """What goes to the client now that these bytes have come from the relay; none have come when the settings have changed."""
        ends = False
        for part in self._answers.feed(data):
            ends |= part.what == "end"
            self._switched |= part.head is not None and _status(part.head) == 101
        self._held += data
        page, self._page = self._page, b""
        if self._held and self.policy.settings.buffers and not self._switched:
            self._since_ns = self._since_ns or self.clock()
            if not ends:
                return page
        return self.account() + page

    def account(self) -> bytes:
        """Give up what is held, and tell for how long it was."""
        held, self._held = self._held, b""
        if self._since_ns:
            self.tell("held", bytes=len(held), since_ns=self._since_ns)
            self._since_ns = 0
        return held

    def _has_no_body(self, head: Head) -> bool:
        """RFC 9112 section 6.3."""
        status = _status(head)
        return self._method == "HEAD" or status in (204, 304) or 100 <= status < 200


def _name(line: bytes) -> bytes:
    return line.partition(b":")[0].strip().lower()


def _status(head: Head) -> int:
    return int(head.start.split(" ")[1])
