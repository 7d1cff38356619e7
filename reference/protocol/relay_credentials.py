"""Minting and revoking: ``/v1/token``, ``/v1/revoke`` and the operator's two verbs."""

from urllib.parse import parse_qsl

from reference.protocol.credentials import ACCESS_PREFIX, ENROLMENT_PREFIX, SCOPES, Access, Enrolment, mint, sha_of
from reference.protocol.problem import Refused
from reference.protocol.relay_core import Call
from reference.protocol.relay_io import Issue, Request, Revoke, Told
from reference.protocol.relay_streams import RelayStreams


class RelayCredentials(RelayStreams):
    """Where tokens come from and how they end."""

    # --- policies

    def lives_s(self, enrolment: Enrolment, scope: str) -> float:
        """Life of a new access token in seconds."""
        default_s = self.terms.approve_lives_s if scope == "device:approve" else self.terms.token_lives_s
        return min(default_s, enrolment.access_lives_s) if enrolment.access_lives_s is not None else default_s

    def accepts_enrolment(self, token: str) -> Enrolment:
        """The live enrolment behind a token.

        Raises:
            Refused: ``token-unknown``, ``token-revoked`` or ``token-expired``.
        """
        enrolment = self.state.credentials.enrolments.get(sha_of(token))
        if enrolment is None:
            raise Refused("token-unknown")
        if enrolment.revoked:
            raise Refused("token-revoked")
        if self.age.at(self._now) >= enrolment.expires_at:
            raise Refused("token-expired")
        return enrolment

    # --- routes

    def mint_access(self, call: Call) -> None:
        """``POST /v1/token``: one access token of one scope. Nothing rotates, so a lost answer costs nothing (AUT-10)."""
        form = _form(call.request)
        if form.get("grant_type") != "refresh_token" or not form.get("refresh_token") or not form.get("scope"):
            raise Refused("bad-request", detail="grant_type=refresh_token, refresh_token and one scope are needed")
        enrolment, scope = self.accepts_enrolment(form["refresh_token"]), form["scope"]
        if scope not in enrolment.scopes:
            raise Refused("insufficient-scope", scope=scope)
        self.limit(enrolment)
        token, lives_s = mint(self.entropy, ACCESS_PREFIX), self.lives_s(enrolment, scope)
        expires_at = self.age.at(self._now) + lives_s
        self._write("minted", sha=sha_of(token), of=enrolment.sha, scope=scope, expires_at=expires_at)
        self.age_alarms.set(("expiry", sha_of(token)), expires_at)
        self._answer(call, 200, {"access_token": token, "token_type": "Bearer", "expires_in": lives_s, "scope": scope})

    def revoke_token(self, call: Call) -> None:
        """``POST /v1/revoke`` (RFC 7009): whoever holds a token may end it; an unknown one is no error."""
        sha = sha_of(_form(call.request).get("token", ""))
        if sha in self.state.credentials.accesses or sha in self.state.credentials.enrolments:
            self._revoke(sha)
        self._answer(call, 200, {})

    def _on_issue(self, issue: Issue) -> None:
        token = mint(self.entropy, ENROLMENT_PREFIX)
        self._write(
            "issued",
            sha=sha_of(token),
            subject=issue.subject,
            role=issue.role,
            account=issue.account,
            scopes=issue.scopes or SCOPES[issue.role],
            expires_at=self.age.at(self._now) + issue.lives_s,
            access_lives_s=issue.access_lives_s,
            plan=issue.plan,
            sign_in=issue.sign_in,
        )
        self._say(Told(issue.rid, {"credential": token}))

    def _on_revoke(self, revoke: Revoke) -> None:
        enrolments = self.state.credentials.of_subject(revoke.subject)
        for enrolment in enrolments:
            self._revoke(enrolment.sha)
        self._say(Told(revoke.rid, {"revoked": len(enrolments)}))

    def _revoke(self, sha: str) -> None:
        self._write("revoked", sha=sha)
        for access in self.revoked_streams_of(sha):
            self._cut(access, "token-revoked")

    def revoked_streams_of(self, sha: str) -> list[Access]:
        """Tokens whose streams a revocation cuts: the token itself, or all that an enrolment minted."""
        return [
            access for access in self.state.credentials.accesses.values() if sha in (access.sha, access.enrolment.sha)
        ]


def _form(request: Request) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            request.body.decode("ascii"), keep_blank_values=True, strict_parsing=bool(request.body), max_num_fields=16
        )
    except ValueError as error:
        raise Refused("bad-request", detail="not a form") from error
    if len({name for name, _ in pairs}) < len(pairs):
        raise Refused("bad-request", detail="a field comes twice")
    return dict(pairs)
