"""Relays that are wrong about lives: sessions, presence, approvals, restarts."""

from typing import ClassVar

from msgspec import structs

from harness.run.gallery import Mutant
from reference.protocol.presence import Phase, Presence
from reference.protocol.problem import Refused
from reference.protocol.relay import RelayMachine
from reference.protocol.relay_io import CloseStream

from ._seams import relay

CACHE_S = 900.0
OUTAGE_S = 600.0


class NoFence(RelayMachine):
    def is_fenced(self, session, epoch):
        return False

    def _finish(self, session, reason, author):
        return session.log.seq if reason == "superseded" else super()._finish(session, reason, author)


class HearsTheDead(RelayMachine):
    """A newer host takes over, and what the older one still says goes into the newer one's session."""

    dead = None

    def _host_session(self, call, epoch):
        session = self._own_session(call)
        self.dead = session if self.is_fenced(session, epoch) else None
        if self.dead is None:
            return super()._host_session(call, epoch)
        return self.state.sessions[self.state.by_instance[session.account, session.instance]]

    def fresh_items(self, session, items):
        if self.dead is None:
            return super().fresh_items(session, items)
        fresh = super().fresh_items(self.dead, items)
        self.dead.upto += len(fresh)
        return [type(one)(session.upto + number, one.kind, one.body) for number, one in enumerate(fresh, 1)]


class NewerIsRefused(RelayMachine):
    def _open_session(self, enrolment, body):
        instance = (enrolment.account, body.instance)
        older = self.state.sessions.get(self.state.by_instance.get(instance, ""))
        if older is not None and not older.ended:
            raise Refused("epoch-superseded")
        return super()._open_session(enrolment, body)


class BelievesLateWords(RelayMachine):
    """An inbox that was open before a silence counts as open after it."""

    def stale_inbox(self, session):
        return None


class LateWordRenews(RelayMachine):
    """A word counts from when it comes, whatever came before it."""

    def is_late(self, session, beat):
        return False


class EndForgotten(RelayMachine):
    def end_session(self, call):
        session = self._own_session(call)
        self._answer(call, 200, {"seq": session.log.seq})


class EndedTakesAll(RelayMachine):
    """An ended session answers requests as if it lived, and swallows them."""

    def _take(self, call, session, msg_id, kind, body, status, decision=None):
        if session.ended:
            self._answer(call, status, self._stored(session, session.log.seq))
            return
        super()._take(call, session, msg_id, kind, body, status, decision)


class SilenceEnds(RelayMachine):
    def _review(self, session_id):
        super()._review(session_id)
        session = self.state.sessions[session_id]
        if self.presences[session_id].phase is Phase.OFFLINE and not session.ended:
            self._finish(session, "timeout", "relay")


class TenMinutesEnd(RelayMachine):
    """The relay counts the ten minutes, and cannot tell sleep from outage."""

    ALARMS: ClassVar = {**RelayMachine.ALARMS, "outage": "_out_for_too_long"}

    def _heard(self, session, heard_s):
        super()._heard(session, heard_s)
        self.awake_alarms.set(("outage", session.id), self._now.awake_s + OUTAGE_S)

    def _out_for_too_long(self, session_id):
        session = self.state.sessions.get(session_id)
        if session is not None and not session.ended:
            self._finish(session, "outage", "relay")


class AlwaysOnline(RelayMachine):
    def presence_of(self, session):
        return Presence(Phase.ONLINE, None, self._now.wall_s)


class PresenceCached(RelayMachine):
    def presence_of(self, session):
        cache = self.__dict__.setdefault("cache", {})
        at, told = cache.get(session.id, (float("-inf"), None))
        if told is None or self._now.awake_s >= at + CACHE_S or told.phase is not Phase.ONLINE:
            cache[session.id] = (self._now.awake_s, super().presence_of(session))
        return cache[session.id][1]


class PresenceNeverTold(RelayMachine):
    def _tell_presence(self, session):
        pass


class TrustsOpenSockets(RelayMachine):
    """Whoever has not closed his connection is there."""

    def _review(self, session_id):
        alive = self.liveness[session_id]
        if alive.inbox is not None:
            alive.up_at = alive.inbox_at = self._now.awake_s
            alive.heard_s = 0.0
        super()._review(session_id)


class NoHeartbeats(RelayMachine):
    def _beat(self, rid):
        self.awake_alarms.set(("beat", rid), self._now.awake_s + self.terms.timers.heartbeat_s)


class LastDecisionWins(RelayMachine):
    def decide(self, session, body):
        asked = session.asked.get(body.request)
        if asked is None:
            raise Refused("unknown-request")


class FencesByTheByeOnly(RelayMachine):
    def _host_session(self, call, epoch):
        session = self._own_session(call)
        if session.ended:
            raise Refused("session-ended")
        return session


class DecidesUnseen(RelayMachine):
    """What the person was shown does not matter."""

    def decide(self, session, body):
        asked = session.asked.get(body.request)
        super().decide(session, body if asked is None else structs.replace(body, digest=asked.digest))


class WithdrawnIsOpen(RelayMachine):
    def decide(self, session, body):
        if (asked := session.asked.get(body.request)) is not None:
            asked.withdrawn = False
        super().decide(session, body)


class DecisionLost(RelayMachine):
    def take_decision(self, call):
        session = self.session_of(call)
        self._answer(call, 200, self._stored(session, session.log.seq + 1))


class DecisionOnlyToHost(RelayMachine):
    def may_see(self, stream, entry):
        hidden = not stream.inbox and b'"kind":"permission_decision"' in entry.frame
        return super().may_see(stream, entry) and not hidden


class RejectMeansAllow(RelayMachine):
    def _append(self, session, author, msg_id, kind, body, **more):
        if kind == "permission_decision":
            allowed = [one for one in session.asked[body["request"]].options if one.startswith("allow")]
            body = {**body, "option": (allowed or [body["option"]])[0]}
        return super()._append(session, author, msg_id, kind, body, **more)


class AllowsByItself(RelayMachine):
    """Every question is answered on the spot, in the name of the first device that reads."""

    def take_outbox(self, call):
        super().take_outbox(call)
        session = self._own_session(call)
        for name, asked in list(session.asked.items()):
            if asked.pending and not session.ended:
                allowed = next(one for one in asked.options if one.startswith("allow"))
                body = {"request": name, "option": allowed, "digest": asked.digest}
                self._append(session, "relay-policy", f"auto-{name}", "permission_decision", body)
                self._publish(session)


class PendingForgotten(RelayMachine):
    """Requests are pushed once; who comes later is not told of them."""

    def _hello(self, stream):
        asked, stream.session.asked = stream.session.asked, {}
        try:
            return super()._hello(stream)
        finally:
            stream.session.asked = asked

    def may_see(self, stream, entry):
        replayed = not stream.live and not stream.inbox and b'"kind":"permission_request"' in entry.frame
        return super().may_see(stream, entry) and not replayed


class NoByeOnDrain(RelayMachine):
    def _on_drain(self, drain):
        self.draining_s = drain.retry_after_s
        for stream in list(self.streams.values()):
            self._forget(stream)
            self._say(CloseStream(stream.rid))


class DrainsWithOpenDoors(RelayMachine):
    """Draining, it goes on taking whatever comes."""

    def _refuse_all(self, request):
        draining_s, self.draining_s = self.draining_s, None
        super()._refuse_all(request)
        self.draining_s = draining_s


class DrainsForGood(RelayMachine):
    def _on_drain(self, drain):
        self._bye_all(list(self.streams.values()), "ended")
        super()._on_drain(drain)


class ForgetsSessions(RelayMachine):
    def restore(self, records, now):
        super().restore([one for one in records if b'"t":"opened"' not in one and b'"t":"entry"' not in one], now)


class ForgetsCredentials(RelayMachine):
    def restore(self, records, now):
        super().restore(records, now)
        self.state.credentials.accesses.clear()
        self.state.credentials.enrolments.clear()


class StaleBye(RelayMachine):
    """A word that the protocol does not know."""

    def _bye(self, stream, reason, retry_after_s=None):
        if stream.poll:
            super()._bye(stream, reason, retry_after_s)
            return
        self._forget(stream)
        self._out.append(CloseStream(stream.rid))


MUTANTS = (
    Mutant(
        "both-hosts-accepted",
        "delete",
        "relay",
        "A second incarnation of an instance starts, and the first goes on.",
        "SES-1",
        {"RC-SES-000.control": "control"},
        relay(NoFence),
    ),
    Mutant(
        "hears-the-dead",
        "weaken",
        "relay",
        "A host that another took over from goes on talking into the new one's session.",
        "SES-1; design section 3, epoch",
        {"RC-SES-001.fences-stale": "unexpected", "RC-SES-001.supersedes": "did-not-exit"},
        relay(HearsTheDead),
    ),
    Mutant(
        "newer-host-refused",
        "historic",
        "relay",
        "After a crash the new host is locked out until the old session runs out.",
        "SES-1; codex #23470",
        {"RC-SES-000.control": "control"},
        relay(NewerIsRefused),
    ),
    Mutant(
        "believes-late-words",
        "delete",
        "relay",
        "A heartbeat that a broken connection delivers after the cut makes a host online that hears nothing.",
        "OPS-2, SES-7; found by a seed of ours",
        {"RC-OPS-002.truthful": "unexpected"},
        relay(BelievesLateWords),
    ),
    Mutant(
        "late-word-renews",
        "delete",
        "relay",
        "A host that went dead after an outage is online for twenty seconds too long, for what a given-up connection delivers last.",
        "OPS-2, SES-7; found by a recorded log of outages",
        {"RC-OPS-002.truthful": "wrong-presence"},
        relay(LateWordRenews),
        sim_only="no toxic has an old connection deliver after a newer one: toxiproxy loses what it drops, and what it holds comes first",
    ),
    Mutant(
        "session-never-ends",
        "historic",
        "relay",
        "A host says goodbye, and its session stays in the list for weeks.",
        "SES-3; claude-code #40812",
        {"RC-SES-003.tells-end": "wrong-presence"},
        relay(EndForgotten),
    ),
    Mutant(
        "ended-takes-all",
        "liar",
        "relay",
        "An ended session answers with success and swallows everything.",
        "SES-9",
        {"RC-SES-009.refuses": "accepted"},
        relay(EndedTakesAll),
    ),
    Mutant(
        "silence-ends",
        "historic",
        "relay",
        "Half a minute of silence ends a session for good.",
        "OUT-1; claude-code #34531",
        {"RC-OUT-001.catches-up": "lost-write"},
        relay(SilenceEnds),
    ),
    Mutant(
        "ten-minutes-end",
        "weaken",
        "relay",
        "The relay ends a session after ten minutes of silence, asleep or not.",
        "OUT-4; ART-18",
        {"RC-OUT-004.survives-sleep": "exited"},
        relay(TenMinutesEnd),
    ),
    Mutant(
        "always-online",
        "liar",
        "relay",
        "The host is online, whatever happens.",
        "OPS-2; claude-code #28571",
        {"RC-OPS-002.truthful": "false-online"},
        relay(AlwaysOnline),
    ),
    Mutant(
        "presence-cached-15-min",
        "late",
        "relay",
        "Presence is looked up once in a quarter of an hour.",
        "SES-7; claude-code #95254",
        {"RC-OPS-002.truthful": "false-online"},
        relay(PresenceCached),
    ),
    Mutant(
        "presence-never-told",
        "delete",
        "relay",
        "Presence is told when a window opens and never again.",
        "OPS-2",
        {"RC-OPS-002.truthful": "false-online"},
        relay(PresenceNeverTold),
    ),
    Mutant(
        "trusts-open-sockets",
        "historic",
        "relay",
        "A connection that was never closed counts as a host that is there.",
        "OUT-8",
        {"RC-OPS-002.truthful": "false-online"},
        relay(TrustsOpenSockets),
    ),
    Mutant(
        "no-heartbeats",
        "delete",
        "relay",
        "An idle stream is silent.",
        "protocol.md, streams",
        {"RC-OPS-002.truthful": "unexpected"},
        relay(NoHeartbeats),
    ),
    Mutant(
        "last-decision-wins",
        "delete",
        "relay",
        "A question that was answered may be answered again.",
        "APR-2",
        {"RC-APR-002.first-wins": ("two-decisions", "accepted")},
        relay(LastDecisionWins),
    ),
    Mutant(
        "fences-by-the-bye-only",
        "delete",
        "relay",
        "A host that another took over from is told only that its session has ended.",
        "SES-1",
        {"RC-SES-001.supersedes": "not-refused"},
        relay(FencesByTheByeOnly),
    ),
    Mutant(
        "decides-unseen",
        "delete",
        "relay",
        "A yes counts whatever it was a yes to.",
        "APR-4",
        {"RC-APR-004.bound": ("accepted", "refused"), "RC-APR-001.runs-approved": "did-not-run"},
        relay(DecidesUnseen),
    ),
    Mutant(
        "withdrawn-is-open",
        "delete",
        "relay",
        "A question that the session took back may be answered.",
        "APR-7",
        {"RC-APR-002.first-wins": "two-decisions", "RC-APR-007.stale": "accepted"},
        relay(WithdrawnIsOpen),
    ),
    Mutant(
        "decision-lost",
        "liar",
        "relay",
        "A decision is acknowledged and never reaches the host.",
        "APR-5; claude-code #62553",
        {"RC-APR-003.delivered": "did-not-run"},
        relay(DecisionLost),
    ),
    Mutant(
        "decision-only-to-host",
        "delete",
        "relay",
        "Other devices are not told that a question was answered.",
        "APR-5",
        {"RC-APR-005.settled-everywhere": "wrong-approval"},
        relay(DecisionOnlyToHost),
    ),
    Mutant(
        "reject-means-allow",
        "weaken",
        "relay",
        "Whatever a device decides, the log says allow.",
        "APR-1",
        {"RC-APR-001.rejected": "ran-unapproved"},
        relay(RejectMeansAllow),
    ),
    Mutant(
        "allows-by-itself",
        "delete",
        "relay",
        "The relay answers questions before anybody can.",
        "APR-1",
        {"RC-APR-001.fail-closed": "ran-unapproved"},
        relay(AllowsByItself),
    ),
    Mutant(
        "pending-forgotten",
        "historic",
        "relay",
        "A question is pushed once; a device that comes later never sees it.",
        "APR-5; claude-code #28569",
        {"RC-SES-000.control": "control"},
        relay(PendingForgotten),
    ),
    Mutant(
        "no-bye-on-drain",
        "delete",
        "relay",
        "A draining relay closes its streams without a word.",
        "OUT-16",
        {"RC-WIRE-001.well-formed": "no-bye"},
        relay(NoByeOnDrain),
    ),
    Mutant(
        "drains-with-open-doors",
        "delete",
        "relay",
        "A draining relay takes requests until the moment it is ended.",
        "OUT-16",
        {"RC-OUT-016.drains": "not-refused"},
        relay(DrainsWithOpenDoors),
    ),
    Mutant(
        "drain-ends-sessions",
        "historic",
        "relay",
        "A relay that is replaced tells everybody that their session is over.",
        "OUT-16",
        {"RC-OUT-016.drains": "lost-write", "RC-OUT-001.stays-alive": "exited"},
        relay(DrainsForGood),
    ),
    Mutant(
        "forgets-sessions",
        "delete",
        "relay",
        "After a restart no session is known.",
        "OUT-14",
        {"RC-OUT-014.survives-kill": "not-delivered"},
        relay(ForgetsSessions),
    ),
    Mutant(
        "forgets-credentials",
        "delete",
        "relay",
        "After a restart no credential is known.",
        "OUT-14",
        {"RC-OUT-014.survives-kill": "not-delivered"},
        relay(ForgetsCredentials),
    ),
    Mutant(
        "closes-without-bye",
        "delete",
        "relay",
        "Streams end without a reason.",
        "protocol.md, streams",
        {"RC-WIRE-001.well-formed": "no-bye"},
        relay(StaleBye),
    ),
)
