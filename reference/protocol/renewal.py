"""Access tokens on the client's side: one for each scope, renewed well before they end, each at a moment of its own.

Lives are counted on the elapsed clock, which runs on in sleep, from the moment the token was *asked for*, and never compared with the
calendar (AUT-9, AUT-18).
"""

from typing import TYPE_CHECKING, NamedTuple

from reference.protocol.timers import Timers

if TYPE_CHECKING:
    import random


class Token(NamedTuple):
    """One access token; both moments are elapsed seconds of this machine."""

    value: str
    renew_at_s: float
    expires_at_s: float


class Tokens:
    """The access tokens of one enrolment.

    Args:
        timers: says in which part of its life a token is renewed.
        entropy: draws the moment, so that tokens minted together are not renewed together.
        renews: False for an enrolment that mints each token once; then an expired token is still shown to the relay, whose word counts.
    """

    def __init__(self, timers: Timers, entropy: "random.Random", *, renews: bool = True) -> None:
        self._timers = timers
        self._entropy = entropy
        self._tokens: dict[str, Token] = {}
        self.renews = renews

    def store(self, scope: str, value: str, life_s: float, asked_at_s: float) -> None:
        """Keep a token that was asked for at ``asked_at_s`` and lives ``life_s`` seconds."""
        self._tokens[scope] = Token(value, asked_at_s + self.renew_after_s(life_s), asked_at_s + life_s)

    def renew_after_s(self, life_s: float) -> float:
        """Draw how long a token is used before a new one is asked for: 50 to 80 % of its life."""
        return life_s * self._entropy.uniform(self._timers.renew_from, self._timers.renew_to)

    def usable(self, scope: str, elapsed_s: float) -> Token | None:
        """The token to show, or None if there is none that the relay could accept."""
        token = self._tokens.get(scope)
        if not self.renews:
            return token or self._expired(elapsed_s)
        return token if token is not None and elapsed_s < token.expires_at_s else None

    def is_due(self, scope: str, elapsed_s: float) -> bool:
        """Whether a new token should be asked for: there is none, or the time of renewal has come."""
        token = self._tokens.get(scope)
        if not self.renews:
            return token is None and self._expired(elapsed_s) is None
        return token is None or elapsed_s >= token.renew_at_s

    def renew_at_s(self, scope: str) -> float | None:
        """When the token of a scope is to be renewed (elapsed), or None."""
        token = self._tokens.get(scope)
        return token.renew_at_s if self.renews and token is not None else None

    def discard(self, scope: str, value: str) -> bool:
        """The relay refused this token; returns whether another one may be asked for."""
        token = self._tokens.get(scope)
        if self.renews and token is not None and token.value == value:
            del self._tokens[scope]
        return self.renews

    def is_last(self, scope: str) -> bool:
        """Whether there is a token of this scope and the relay mints none after it."""
        token = self._tokens.get(scope)
        return token is not None and token.renew_at_s == token.expires_at_s

    def use_up(self, scope: str) -> None:
        """The relay mints no more of this scope: what there is serves to its end, and is not renewed before."""
        token = self._tokens.get(scope)
        if token is not None:
            self._tokens[scope] = token._replace(renew_at_s=token.expires_at_s)

    def _expired(self, elapsed_s: float) -> Token | None:
        """An enrolment that does not renew has ended with the first of its tokens: nothing new is minted after that."""
        first = min(self._tokens.values(), key=lambda token: token.expires_at_s, default=None)
        return first if first is not None and elapsed_s >= first.expires_at_s else None
