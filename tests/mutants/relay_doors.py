"""Relays whose doors are broken: credentials, scopes, accounts, gates."""

from typing import ClassVar

from harness.run.gallery import Mutant
from reference.protocol.credentials import sha_of
from reference.protocol.problem import Refused
from reference.protocol.relay import RelayMachine

from ._seams import relay

CACHE_S = 900.0


class AcceptsExpired(RelayMachine):
    def accepts_token_at(self, access, age_s):
        return True


class AcceptsExpiredForAMinute(RelayMachine):
    def accepts_token_at(self, access, age_s):
        return age_s < access.expires_at + 60.0


class ExpiresAtHalf(RelayMachine):
    def accepts_token_at(self, access, age_s):
        lives_s = self.lives_s(access.enrolment, access.scope)
        return age_s < access.expires_at - lives_s / 2


class StreamOutlivesToken(RelayMachine):
    def _expire(self, sha):
        self._write("stamp")


class StreamOutlivesRevocation(RelayMachine):
    def revoked_streams_of(self, sha):
        return []


class RevocationIgnored(RelayMachine):
    def _revoke(self, sha):
        pass


class RevocationCached(RelayMachine):
    ALARMS: ClassVar = {**RelayMachine.ALARMS, "revoke": "_revoke_at_last"}

    def _revoke(self, sha):
        self.awake_alarms.set(("revoke", sha), self._now.awake_s + CACHE_S)

    def _revoke_at_last(self, sha):
        super()._revoke(sha)


class RevokesTheWholeAccount(RelayMachine):
    def _on_revoke(self, revoke):
        accounts = {one.account for one in self.state.credentials.of_subject(revoke.subject)}
        for one in list(self.state.credentials.enrolments.values()):
            if one.account in accounts and not one.revoked and one.subject != revoke.subject:
                self._revoke(one.sha)
        super()._on_revoke(revoke)


class MintsAnyScope(RelayMachine):
    def mint_access(self, call):
        for enrolment in self.state.credentials.enrolments.values():
            enrolment.scopes = tuple(route.scope for route in self.ROUTES)
        super().mint_access(call)


class IgnoresScope(RelayMachine):
    def allows(self, access, scope):
        return True


class NeverLimits(RelayMachine):
    def limit(self, enrolment):
        pass


class EnrolmentsLiveForEver(RelayMachine):
    def accepts_enrolment(self, token):
        try:
            return super().accepts_enrolment(token)
        except Refused as refused:
            if refused.code != "token-expired":
                raise
            return self.state.credentials.enrolments[sha_of(token)]


class CrossAccountRead(RelayMachine):
    def owns(self, access, session):
        return True


class ListsEverybody(RelayMachine):
    def list_sessions(self, call):
        newest = set(self.state.by_instance.values())
        rows = [self._row(one) for one in self.state.sessions.values() if one.id in newest]
        self._answer(call, 200, {"sessions": rows})


class TellsThatItExists(RelayMachine):
    def session_of(self, call):
        session = self.state.sessions.get(call.session_id)
        if session is not None and not self.owns(call.who, session):
            raise Refused("insufficient-scope", scope="another account")
        return super().session_of(call)


class NoGates(RelayMachine):
    def admit(self, enrolment, body):
        pass


class OneGateForAll(RelayMachine):
    def admit(self, enrolment, body):
        try:
            super().admit(enrolment, body)
        except Refused as refused:
            raise Refused("version-unsupported", versions=[]) from refused


class RotatesEnrolments(RelayMachine):
    def mint_access(self, call):
        super().mint_access(call)
        token = dict(part.split("=", 1) for part in call.request.body.decode().split("&")).get("refresh_token", "")
        spent = self.__dict__.setdefault("spent", {})
        spent[token] = spent.get(token, 0) + 1
        if spent[token] > len(self.accepts_enrolment(token).scopes):
            self._revoke(self.accepts_enrolment(token).sha)


MUTANTS = (
    Mutant(
        "accepts-expired-token",
        "delete",
        "relay",
        "A token opens every door for ever.",
        "AUT-1",
        {"RC-AUT-001.refuses-expired": "accepted"},
        relay(AcceptsExpired),
    ),
    Mutant(
        "accepts-expired-token-for-a-minute",
        "weaken",
        "relay",
        "A generous leeway lets expired tokens in for another minute.",
        "AUT-1",
        {"RC-AUT-001.refuses-expired": "accepted"},
        relay(AcceptsExpiredForAMinute),
    ),
    Mutant(
        "expires-at-half-its-life",
        "weaken",
        "relay",
        "A token dies at half of the life that its answer promised.",
        "AUT-1",
        {"RC-AUT-001.accepts-live": "refused"},
        relay(ExpiresAtHalf),
    ),
    Mutant(
        "stream-outlives-token",
        "delete",
        "relay",
        "A stream that is open stays open when its token expires.",
        "AUT-2",
        {"RC-AUT-002.cuts-open-stream": "stream-outlived"},
        relay(StreamOutlivesToken),
    ),
    Mutant(
        "stream-outlives-revocation",
        "delete",
        "relay",
        "Revocation refuses new requests and leaves open streams alone.",
        "AUT-13",
        {"RC-AUT-013.revokes": "stream-outlived"},
        relay(StreamOutlivesRevocation),
    ),
    Mutant(
        "revocation-ignored",
        "liar",
        "relay",
        "Revocation answers with success and does nothing.",
        "AUT-13",
        {"RC-AUT-013.revokes": ("stream-outlived", "accepted"), "RC-AUT-014.tells-revoked": "accepted"},
        relay(RevocationIgnored),
    ),
    Mutant(
        "revocation-cached-15-min",
        "late",
        "relay",
        "Revocation takes effect when a cache runs out.",
        "AUT-13",
        {"RC-AUT-013.revokes": "stream-outlived", "RC-AUT-013.host-ends": "did-not-exit"},
        relay(RevocationCached),
    ),
    Mutant(
        "revokes-the-whole-account",
        "weaken",
        "relay",
        "Revoking one phone throws out everything else of its account.",
        "AUT-14",
        {"RC-SES-000.control": "control"},
        relay(RevokesTheWholeAccount),
    ),
    Mutant(
        "mints-any-scope",
        "delete",
        "relay",
        "An enrolment gets tokens of scopes that it was never given.",
        "AUT-4",
        {"RC-AZN-007.read-only": "accepted"},
        relay(MintsAnyScope),
    ),
    Mutant(
        "ignores-scope",
        "delete",
        "relay",
        "A token of any scope opens every door.",
        "AUT-4",
        {"RC-AUT-004.scope": "accepted"},
        relay(IgnoresScope),
    ),
    Mutant(
        "never-limits",
        "delete",
        "relay",
        "Whoever floods the relay is served for as long as it lasts.",
        "OUT-13",
        {"RC-OUT-013.limits-rate": "not-refused"},
        relay(NeverLimits),
    ),
    Mutant(
        "enrolments-live-for-ever",
        "delete",
        "relay",
        "An enrolment that has run out still gets tokens.",
        "AUT-1, AUT-3",
        {"RC-AUT-001.refuses-expired": ("accepted", "unexpected")},
        relay(EnrolmentsLiveForEver),
    ),
    Mutant(
        "cross-account-read",
        "delete",
        "relay",
        "Sessions are looked up by id, whoever asks.",
        "AZN-1",
        {"RC-AZN-001.unknown": "accepted", "RC-AZN-003.no-crossing": "unexpected"},
        relay(CrossAccountRead),
    ),
    Mutant(
        "lists-everybody",
        "delete",
        "relay",
        "The list of sessions is not filtered by account.",
        "AZN-1",
        {"RC-AZN-002.listing": "wrong-list"},
        relay(ListsEverybody),
    ),
    Mutant(
        "tells-that-it-exists",
        "weaken",
        "relay",
        "A foreign session is refused with another code than one that never was.",
        "AZN-1",
        {"RC-AZN-001.unknown": "wrong-code"},
        relay(TellsThatItExists),
    ),
    Mutant(
        "no-gates",
        "delete",
        "relay",
        "Every plan, API key and version opens a session.",
        "ART-22, ART-23",
        {"RC-ART-023.plan-gate": "did-not-exit", "RC-ART-023.api-key-gate": "did-not-exit"},
        relay(NoGates),
    ),
    Mutant(
        "one-gate-for-all",
        "weaken",
        "relay",
        "Whatever the gate, the answer is the same.",
        "ART-22, ART-23",
        {"RC-ART-023.plan-gate": "wrong-exit-code", "RC-ART-023.api-key-gate": "wrong-exit-code"},
        relay(OneGateForAll),
    ),
    Mutant(
        "rotates-enrolments",
        "historic",
        "relay",
        "An enrolment that is used again is taken for stolen, and dies.",
        "AUT-10; properties.md finding 7",
        {"RC-AUT-010.lost-answer": "exited"},
        relay(RotatesEnrolments),
    ),
)
