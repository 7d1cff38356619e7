"""What a host and a device have in common: lanes of calls, tokens, whose word an answer is, waking up.

A *lane* is one kind of request: at most one call of it is under way, and it has its own back-off; while nobody is reached, all lanes share one
more. After every input the machine looks at
what it still wants (``drive``), so that no answer, loss or wake can leave it waiting for something that nobody started.
Deliberately absent: streams (``client_stream.py``) and what the two roles are about.
"""

import math
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlencode

import msgspec

from reference.protocol.backoff import Backoff
from reference.protocol.client_answers import Accepted, Fault, Refused, relays_acceptance, relays_refusal, retry_after_s
from reference.protocol.client_io import Answered, Call, CallFailed, HangUp, Tick
from reference.protocol.errors import ERRORS
from reference.protocol.instant import Instant
from reference.protocol.renewal import Token, Tokens
from reference.protocol.timers import Timers

if TYPE_CHECKING:
    import random

WOKE_S = 1.0
"""Elapsed gained on awake by more than this means that the machine slept; clocks of one machine drift far less in a probe interval."""

FROZEN_S = 5.0
"""A tick so much late means that the program itself did not run (stopped, or paused with its container): as good as a sleep."""

TOKEN_TROUBLE = frozenset({"token-missing", "token-expired", "token-unknown", "token-revoked"})
"""Refusals of an access token. Only the token endpoint can say that the enrolment behind it is gone."""

FORM = "application/x-www-form-urlencoded"

TOKEN_ANSWER: tuple[tuple[str, Any], ...] = (("access_token", str), ("expires_in", int | float))

encode = msgspec.json.Encoder().encode


class ProtocolError(Exception):
    """An input that the table knows nothing of: a bug of the driver, never something a peer can cause."""


@dataclass
class Lane:
    """One kind of request; ``call`` is the one under way."""

    name: str
    backoff: Backoff
    call: int | None = None

    def is_free(self, now_s: float) -> bool:
        """Whether a call may be made now."""
        return self.call is None and self.backoff.is_over(now_s)


@dataclass(frozen=True, slots=True)
class Ask:
    """What to ask the relay, and with which token of which scope.

    ``needs`` names the fields (each with its type) without which a success is not the relay's: whoever answers 200 with something else, an echo or a
    gateway, is a network fault, or a client that trusted the status alone would ask again without a pause (OUT-11).
    """

    path: str
    body: bytes = b""
    token: Token | None = None
    scope: str = ""
    method: str = "POST"
    content_type: str = "application/json"
    needs: tuple[tuple[str, Any], ...] = ()

    def is_met_by(self, body: dict[str, Any]) -> bool:
        """Whether an answer carries what it must."""
        return all(isinstance(body.get(name), kind) and body[name] != "" for name, kind in self.needs)


@dataclass(frozen=True, slots=True)
class _Pending:
    lane: Lane
    request: Ask
    token: str
    accepted: Callable[[Any], None]
    refused: Callable[[Refused], None]


class Client:
    """The common part of both machines.

    ``handle`` takes one input and returns what is to be done, in order; ``next_deadline`` says when the next ``Tick`` is due, on the awake
    clock, and lies in the future after every ``handle``.
    """

    TABLE: ClassVar[dict[tuple[Any, type], str]] = {}
    """(phase, input type) -> method. A miss is a protocol error unless the pair is in ``IGNORED``."""

    IGNORED: ClassVar[frozenset[tuple[Any, type]]] = frozenset()

    phase: Any

    def __init__(self, timers: Timers, entropy: "random.Random") -> None:
        self.timers = timers
        self.entropy = entropy
        self.tokens = Tokens(timers, entropy)
        self.credential = ""
        self.heard_s = 0.0
        self._lanes: dict[str, Lane] = {}
        self._way = self.make_backoff()
        self._calls: dict[int, _Pending] = {}
        self._numbers = 0
        self._now = Instant(0.0, 0.0, 0.0)
        self._slept_s: float | None = None
        self._effects: list[Any] = []
        self._due_s = self._probe_at_s = math.inf

    # --- the shape

    def handle(self, event: Any, now: Instant) -> list[Any]:
        """Take one input at ``now`` and return effects in the order in which they are to be done.

        Raises:
            ProtocolError: the table has no row for this input in this phase.
        """
        self._effects = []
        late_s = self._late_s(event, now)
        self._now = now
        self._notice_sleep(late_s)
        if not self._effects and type(event) is Tick and now.awake_s < self._due_s:
            # Only the probe was due, and nobody slept: an idle client does this every two seconds.
            self._probe_at_s = now.awake_s + self.probe_every_s()
            return self._effects
        method = self.TABLE.get((self.phase, type(event)))
        if method is not None:
            getattr(self, method)(event)
        elif (self.phase, type(event)) not in self.IGNORED:
            raise ProtocolError(f"{type(event).__name__} while {self.phase}")
        self.drive()
        self._due_s = min(self.deadlines(), default=math.inf)
        self._probe_at_s = now.awake_s + self.probe_every_s()
        return self._effects

    def next_deadline(self) -> float | None:
        """When to ``Tick`` unless an input comes first, in awake seconds; None for never."""
        due_s = min(self._due_s, self._probe_at_s)
        return None if due_s == math.inf else due_s

    def probe_every_s(self) -> float:
        """How often to look whether the machine slept; infinite for not at all."""
        return math.inf

    def deadlines(self) -> Iterator[float]:
        """All moments at which something becomes due; each lies in the future."""
        now_s = self._now.awake_s
        for backoff in (self._way, *(lane.backoff for lane in self._lanes.values())):
            if backoff.until_s > now_s:
                yield backoff.until_s

    @abstractmethod
    def drive(self) -> None:
        """Start whatever is wanted and not under way."""

    @abstractmethod
    def screen(self) -> dict[str, Any]:
        """What the person in front of this machine sees (docs/spec/sut.md)."""

    # --- policies

    def is_relays_word(self, status: int, headers: Mapping[str, str], body: bytes) -> Accepted | Refused | None:
        """What the relay said, or None if this is not the relay's word."""
        return relays_refusal(status, headers, body) or relays_acceptance(status, headers, body)

    def outage_clock(self, now: Instant) -> float:
        """The clock on which silence counts: it stands still in sleep, so that a night is no outage (OUT-4)."""
        return now.awake_s

    # --- sleep

    def _late_s(self, event: Any, now: Instant) -> float:
        """How much later than asked for a tick comes."""
        due_at_s = self.next_deadline() if isinstance(event, Tick) else None
        return 0.0 if due_at_s is None else now.awake_s - due_at_s

    def _notice_sleep(self, late_s: float) -> None:
        asleep_s = self._now.elapsed_s - self._now.awake_s
        slept_s = 0.0 if self._slept_s is None else asleep_s - self._slept_s
        self._slept_s = asleep_s
        if slept_s > WOKE_S:
            self.woke(slept_s)
        elif late_s > FROZEN_S:
            self.heard_s += late_s
            self.woke(late_s)

    def woke(self, slept_s: float) -> None:
        """Nothing that was under way can be trusted: start over at once instead of waiting for timers that stood still (OUT-5)."""
        del slept_s
        self._calls.clear()
        for lane in self._lanes.values():
            lane.call = None
            lane.backoff.forgive()
        self._way.forgive()
        self.do(HangUp())

    # --- calls

    def do(self, effect: Any) -> None:
        """Append an effect."""
        self._effects.append(effect)

    def number(self) -> int:
        """Mint a number for a call or a stream; never reused."""
        self._numbers += 1
        return self._numbers

    def lane(self, name: str) -> Lane:
        """The lane of this name."""
        if name not in self._lanes:
            self._lanes[name] = Lane(name, self.make_backoff())
        return self._lanes[name]

    def may_try(self, lane: Lane) -> bool:
        """Whether a lane may make an attempt now.

        Where attempts found nobody and nothing was heard for a heartbeat, there is nothing to gain from every lane finding that out by
        itself: then one attempt of any lane is under way at a time, and all share the pauses between them.
        """
        now_s = self._now.awake_s
        if not lane.is_free(now_s):
            return False
        is_down = self._way.failures > 0 and self.outage_clock(self._now) - self.heard_s >= self.timers.heartbeat_s
        return not is_down or (self._way.is_over(now_s) and not self.is_trying())

    def is_trying(self) -> bool:
        """Whether any attempt is under way."""
        return bool(self._calls)

    def make_backoff(self) -> Backoff:
        """A new back-off: of a lane, or of reaching the relay at all."""
        return Backoff(self.timers, self.entropy)

    def ask(
        self, lane: Lane, request: Ask, accepted: Callable[[dict[str, Any]], None], refused: Callable[[Refused], None]
    ) -> None:
        """Make a call in a lane; exactly one of ``accepted`` and ``refused`` hears the relay's word, or the lane backs off."""
        lane.call = self.number()
        headers: tuple[tuple[str, str], ...] = (("Content-Type", request.content_type),) if request.body else ()
        value = "" if request.token is None else request.token.value
        if value:
            headers = (("Authorization", f"Bearer {value}"), *headers)
        self._calls[lane.call] = _Pending(lane, request, value, accepted, refused)
        self.do(Call(lane.call, request.method, request.path, headers, request.body, self.timers.request_s))

    def on_answered(self, answer: Answered) -> None:
        """An answer came: the relay's word goes to who asked, anything else to the back-off."""
        pending = self._calls.pop(answer.call, None)
        if pending is None:
            return
        pending.lane.call = None
        word = self.is_relays_word(answer.status, answer.headers, answer.body)
        if word is None or (isinstance(word, Accepted) and not pending.request.is_met_by(word.body)):
            self._unreached(pending, Fault(f"HTTP {answer.status} not from the relay", retry_after_s(answer.headers)))
            return
        self.heard()
        if isinstance(word, Accepted):
            pending.lane.backoff.worked(self._now.awake_s)
            pending.accepted(word.body)
        else:
            self._refused(pending, word)

    def on_call_failed(self, failure: CallFailed) -> None:
        """No answer came."""
        pending = self._calls.pop(failure.call, None)
        if pending is not None:
            pending.lane.call = None
            self._unreached(pending, Fault(failure.why))

    def _refused(self, pending: _Pending, refused: Refused) -> None:
        row = ERRORS.get(refused.code)
        if (
            pending.request.scope
            and refused.code in TOKEN_TROUBLE
            and self.tokens.discard(pending.request.scope, pending.token)
        ):
            self._fault(pending, Fault(refused.code))
        elif row is not None and row.retryable:
            self._fault(pending, Fault(refused.code, refused.retry_after_s))
        else:
            pending.lane.backoff.worked(self._now.awake_s)
            pending.refused(refused)

    def _unreached(self, pending: _Pending, fault: Fault) -> None:
        self._way.failed(self._now.awake_s, fault.retry_after_s)
        self._fault(pending, fault)

    def _fault(self, pending: _Pending, fault: Fault) -> None:
        pending.lane.backoff.failed(self._now.awake_s, fault.retry_after_s)
        self.on_fault(pending.lane, fault)

    def on_fault(self, lane: Lane, fault: Fault) -> None:
        """A call did not reach the relay; the lane tries again by itself."""

    def heard(self) -> None:
        """The relay itself was heard, over verified TLS."""
        now_s = self.outage_clock(self._now)
        if self._way.failures:
            self._way.forgive()
            if now_s - self.heard_s >= self.timers.silence_s:
                # What failed in the outage says nothing of what comes now: a token that died in it must not cost a pause of half a minute.
                for lane in self._lanes.values():
                    lane.backoff.forgive()
        self.heard_s = now_s

    # --- tokens

    def token(self, scope: str) -> Token | None:
        """The token of a scope, asking for a new one where that is due; while the old one lives it is used (AUT-12)."""
        lane = self.lane("token")
        if self.tokens.is_due(scope, self._now.elapsed_s) and self.may_try(lane):
            self._ask_token(lane, scope)
        return self.tokens.usable(scope, self._now.elapsed_s)

    def _ask_token(self, lane: Lane, scope: str) -> None:
        form = {"grant_type": "refresh_token", "refresh_token": self.credential, "scope": scope}
        asked_at_s = self._now.elapsed_s

        def accepted(body: dict[str, Any]) -> None:
            self.tokens.store(scope, str(body.get("access_token", "")), float(body.get("expires_in", 0.0)), asked_at_s)

        def refused(word: Refused) -> None:
            self.tokens.use_up(scope)
            self.on_enrolment_refused(scope, word)

        request = Ask("/v1/token", urlencode(form).encode(), content_type=FORM, needs=TOKEN_ANSWER)
        self.ask(lane, request, accepted, refused)

    @abstractmethod
    def on_enrolment_refused(self, scope: str, refused: Refused) -> None:
        """The relay does not mint tokens from this enrolment any more."""
