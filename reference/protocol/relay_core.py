"""The core of the relay machine: time, routing, the door, and the rule of durability. ``relay.py`` puts the machine together.

Everything acknowledged is a record. What is said after a record was written is held back until the record is durable, reads included, so nobody
ever learns of something that a power cut could take back. Streams live in ``relay_streams.py``, durable state in ``relay_state.py``.
Every policy is a method or a class attribute, so that a variant is a subclass and never a flag.
"""

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import msgspec

from reference.protocol.age import Age
from reference.protocol.alarms import Alarms
from reference.protocol.credentials import Access, Enrolment, sha_of
from reference.protocol.instant import Instant
from reference.protocol.problem import Refused, problem
from reference.protocol.rate import Rates
from reference.protocol.relay_io import (
    Commit,
    Committed,
    Drain,
    Effect,
    Flowed,
    Gone,
    Headers,
    Input,
    Issue,
    OpenStream,
    Request,
    Respond,
    Revoke,
    StorageFailed,
    Tick,
    Told,
)
from reference.protocol.relay_state import RelayState, Session
from reference.protocol.timers import Timers

if TYPE_CHECKING:
    import random

    from reference.protocol.presence import Liveness

JSON_HEADERS: Headers = (("Content-Type", "application/json"),)


@dataclass(frozen=True, slots=True)
class Terms:
    """What one relay promises; its part of a profile.

    Attributes:
        url: public address, the base of session links.
        timers: protocol timers.
        token_lives_s: life of access tokens.
        approve_lives_s: life of ``device:approve`` tokens.
        retention_s: how long a silent session, and then an ended one, is kept.
        plans: plans that include remote sessions (ART-23).
        sign_ins_refused: ways of signing in that cannot open a session.
        versions: versions of the protocol that are spoken.
    """

    url: str = "https://relay"
    timers: Timers = Timers()
    token_lives_s: float = 600.0
    approve_lives_s: float = 120.0
    retention_s: float = 2_592_000.0
    plans: tuple[str, ...] = ("max",)
    sign_ins_refused: tuple[str, ...] = ("api_key",)
    versions: tuple[str, ...] = ("1",)


class Route(NamedTuple):
    """One row of the routing table; ``{s}`` in the path stands for a session id, an empty scope for none needed."""

    method: str
    path: str
    scope: str
    action: str


class Call(NamedTuple):
    """A request that was let through so far: who asks, for which session."""

    request: Request
    now: Instant
    access: Access | None = None
    session_id: str = ""

    @property
    def who(self) -> Access:
        """The token it came with; a route with a scope always has one."""
        assert self.access is not None
        return self.access


class RelayCore:
    """Time, durability, routing and dispatch; what the routes do is added by the classes above it."""

    ROUTES: ClassVar[tuple[Route, ...]] = (
        Route("POST", "/v1/token", "", "mint_access"),
        Route("POST", "/v1/revoke", "", "revoke_token"),
        Route("POST", "/v1/sessions", "host:register", "register"),
        Route("GET", "/v1/sessions", "device:read", "list_sessions"),
        Route("GET", "/v1/sessions/{s}/inbox", "host:stream", "open_inbox"),
        Route("POST", "/v1/sessions/{s}/outbox", "host:publish", "take_outbox"),
        Route("POST", "/v1/sessions/{s}/end", "host:publish", "end_session"),
        Route("GET", "/v1/sessions/{s}/events", "device:read", "open_events"),
        Route("POST", "/v1/sessions/{s}/messages", "device:send", "take_message"),
        Route("POST", "/v1/sessions/{s}/decisions", "device:approve", "take_decision"),
        Route("POST", "/v1/sessions/{s}/title", "device:send", "take_title"),
    )

    INPUTS: ClassVar[dict[type, str]] = {
        Request: "_on_request",
        Tick: "_on_tick",
        Committed: "_on_committed",
        Gone: "_on_gone",
        Flowed: "_on_flowed",
        Drain: "_on_drain",
        StorageFailed: "_on_storage_failed",
        Issue: "_on_issue",
        Revoke: "_on_revoke",
    }

    ALARMS: ClassVar[dict[str, str]] = {
        "beat": "_beat",
        "poll": "_end_poll",
        "presence": "_review",
        "expiry": "_expire",
        "retain": "_retain",
    }
    """Kind of an alarm -> what happens; keys are (kind, id)."""

    def __init__(self, terms: Terms, entropy: "random.Random") -> None:
        """Make an empty relay; ``restore`` comes before the first input."""
        self.terms = terms
        self.entropy = entropy
        self.state = RelayState()
        self.rates = Rates()
        self.age = Age()
        self.awake_alarms: Alarms[tuple[str, Any]] = Alarms()
        self.age_alarms: Alarms[tuple[str, Any]] = Alarms()
        self.liveness: dict[str, Liveness] = {}
        self.draining_s: float | None = None
        self._now = Instant(0.0, 0.0, 0.0)
        self._age_ahead_s = 0.0
        self._table = {(route.method, route.path): route for route in self.ROUTES}
        self._written = 0
        self._sent_off = 0
        self._durable = 0
        self._records: list[bytes] = []
        self._held: deque[tuple[int, Effect]] = deque()
        self._out: list[Effect] = []
        self._storage_failed = False

    # --- time

    def restore(self, records: Iterable[bytes], now: Instant) -> None:
        """Rebuild everything from the store's records, in order; an empty store makes a new relay."""
        last = None
        for raw in records:
            last = msgspec.json.decode(raw)
            self.state.apply(last)
        self.age.restore(last, now)
        self._advance(now)
        for session in self.state.sessions.values():
            self._watch(session)
        for access in self.state.credentials.accesses.values():
            if self.accepts_token_at(access, self.age.at(now)):
                self.age_alarms.set(("expiry", access.sha), access.expires_at)

    def next_deadline(self) -> float | None:
        """Awake seconds at which a ``Tick`` is wanted, or None."""
        aged = self.age_alarms.next()
        times = (self.awake_alarms.next(), None if aged is None else aged - self._age_ahead_s)
        return min((at for at in times if at is not None), default=None)

    def _advance(self, now: Instant) -> None:
        self._now = now
        self._age_ahead_s = self.age.at(now) - now.awake_s

    def _on_tick(self, _: Tick) -> None:
        for alarms, time_s in ((self.age_alarms, self.age.at(self._now)), (self.awake_alarms, self._now.awake_s)):
            while (alarm := alarms.pop(time_s)) is not None:
                kind, key = alarm
                getattr(self, self.ALARMS[kind])(key)

    # --- dispatch

    def handle(self, what: Input, now: Instant) -> list[Effect]:
        """Take one input; returns what is to be done, in order."""
        self._advance(now)
        self._out = []
        getattr(self, self.INPUTS[type(what)])(what)
        self._send_off()
        return self._out

    def _on_request(self, request: Request) -> None:
        try:
            self._refuse_all(request)
            route, session_id = self._route(request)
            access = self._authorise(request, route) if route.scope else None
            getattr(self, route.action)(Call(request, self._now, access, session_id))
        except Refused as refused:
            self._say(problem(request.rid, refused.code, refused.headers, **refused.extra))

    def _refuse_all(self, _: Request) -> None:
        if self._storage_failed:
            raise Refused("storage-failed")
        if self.draining_s is not None:
            raise Refused("draining", (("Retry-After", str(round(self.draining_s))),))

    def _route(self, request: Request) -> tuple[Route, str]:
        head, _, tail = request.path.removeprefix("/v1/sessions/").partition("/")
        nested = request.path.startswith("/v1/sessions/")
        path = f"/v1/sessions/{{s}}/{tail}" if nested else request.path
        route = self._table.get((request.method, path))
        if route is None:
            allowed = [route.method for route in self.ROUTES if route.path == path]
            if allowed:
                raise Refused("method-not-allowed", (("Allow", ", ".join(allowed)),))
            raise Refused("not-found")
        return route, head if nested else ""

    def _authorise(self, request: Request, route: Route) -> Access:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if not token or scheme.lower() != "bearer":
            raise Refused("token-missing")
        access = self.find_access(token.strip())
        if access is None:
            raise Refused("token-unknown")
        if access.revoked:
            raise Refused("token-revoked")
        if not self.accepts_token_at(access, self.age.at(self._now)):
            raise Refused("token-expired")
        if not self.allows(access, route.scope):
            raise Refused("insufficient-scope", scope=route.scope)
        self.limit(access.enrolment)
        return access

    # --- policies of the door

    def find_access(self, token: str) -> Access | None:
        """Look an access token up; no other credential opens a door."""
        return self.state.credentials.accesses.get(sha_of(token))

    def accepts_token_at(self, access: Access, age_s: float) -> bool:
        """Whether the token still lives at this age of the relay."""
        return age_s < access.expires_at

    def allows(self, access: Access, scope: str) -> bool:
        """Whether the token covers what a route needs: its one scope, exactly."""
        return access.scope == scope

    def limit(self, enrolment: Enrolment) -> None:
        """Who floods is told when to come back, and delays nobody else.

        Raises:
            Refused: ``rate-limited``, with ``Retry-After``; the request had no effect.
        """
        wait_s = self.rates.take(enrolment.sha, self._now.awake_s)
        if wait_s > 0.0:
            raise Refused("rate-limited", (("Retry-After", str(math.ceil(wait_s))),))

    def owns(self, access: Access, session: Session) -> bool:
        """Whether the session exists as far as this account is concerned (AZN-1)."""
        return session.account == access.enrolment.account

    def session_of(self, call: Call) -> Session:
        """The session a request is about.

        Raises:
            Refused: ``unknown-session``, the same for a foreign one as for one that never was.
        """
        session = self.state.sessions.get(call.session_id)
        if session is None or not self.owns(call.who, session):
            raise Refused("unknown-session")
        return session

    # --- durability

    def _write(self, kind: str, /, **fields: Any) -> dict[str, Any]:
        """Write a record: it counts from now on for every decision, and is spoken of once it is durable."""
        record: dict[str, Any] = {"t": kind, **self.age.stamp(self._now), **fields}
        self._records.append(msgspec.json.encode(record))
        self._written += 1
        self.state.apply(record)
        return record

    def _say(self, effect: Effect) -> None:
        """Emit an effect, or hold it until all that was written before it is durable."""
        if self._written == self._durable:
            self._out.append(effect)
        else:
            self._held.append((self._written, effect))

    def _answer(self, call: Call, status: int, body: dict[str, Any]) -> None:
        self._say(Respond(call.request.rid, status, JSON_HEADERS, msgspec.json.encode(body)))

    def _send_off(self) -> None:
        """Commit what was gathered, one batch at a time: while one is under way the next one grows (group commit)."""
        if self._records and self._sent_off == self._durable and not self._storage_failed:
            self._sent_off = self._written
            self._out.append(Commit(self._written, self._records))
            self._records = []

    def _on_committed(self, committed: Committed) -> None:
        assert self._durable < committed.upto <= self._sent_off, committed
        self._durable = committed.upto
        while self._held and self._held[0][0] <= self._durable:
            self._out.append(self._held.popleft()[1])

    def _on_storage_failed(self, _: StorageFailed) -> None:
        """Acknowledge nothing any more and end the streams: what is in memory only may never have been (RES-5). A new start reads what is stored."""
        self._storage_failed = True
        for _upto, effect in self._held:
            if isinstance(effect, Respond | OpenStream):
                self._out.append(problem(effect.rid, "storage-failed"))
            elif isinstance(effect, Told):
                self._out.append(Told(effect.rid, {"error": "storage-failed"}))
        self._held.clear()
        self._written = self._durable
        self._records = []
        self._drop_streams()

    # --- what the classes above add

    def _watch(self, session: Session) -> None:
        raise NotImplementedError

    def _drop_streams(self) -> None:
        raise NotImplementedError
