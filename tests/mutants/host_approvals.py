"""Hosts that run what nobody allowed, and hosts that lose a question on its way to somebody who could answer it."""

from harness.run.gallery import Mutant
from reference.protocol.acp import AgentLink
from reference.protocol.host import HostMachine
from reference.protocol.host_io import ToAgent

from ._clients import host
from ._seams import beside, relay
from .relay_life import DecidesUnseen

PATIENCE_S = 60.0


class AutoApproves(HostMachine):
    def may_run_unasked(self, asked):
        del asked
        return True


class _Allows(HostMachine):
    """Knows how to allow what nobody has decided."""

    def allow_all(self):
        for pending in self.questions.values():
            self.do(ToAgent(AgentLink.answer(pending.rpc_id, "allow")))
        self.questions.clear()


class LossMeansAllow(_Allows):
    def on_stream_lost(self, reason):
        super().on_stream_lost(reason)
        self.allow_all()


class TimeoutMeansAllow(_Allows):
    asked_s = float("inf")

    def _agent_asked(self, asked):
        super()._agent_asked(asked)
        self.asked_s = self._now.awake_s

    def drive(self):
        if self._now.awake_s >= self.asked_s + PATIENCE_S:
            self.asked_s = float("inf")
            self.allow_all()
        super().drive()

    def deadlines(self):
        yield from super().deadlines()
        yield self.asked_s + PATIENCE_S


class RejectMeansAllow(HostMachine):
    def _take_decision(self, seq, body, entry):
        super()._take_decision(seq, {**body, "option": "allow"}, entry)


class TrustsTheRelay(HostMachine):
    """Whatever the relay hands on has been checked, so it thinks."""

    def verify_decision(self, asked, decision, epoch):
        return ""


class AnswersTwice(HostMachine):
    def _take_decision(self, seq, body, entry):
        asked = self.questions.get(str(body.get("request")))
        super()._take_decision(seq, body, entry)
        if asked is not None:
            self.do(ToAgent(AgentLink.answer(asked.rpc_id, str(body["option"]))))


class BypassHonoured(HostMachine):
    def refuses_to_start(self, start):
        self.skips = start.permissions == "skip"
        return ""

    def may_run_unasked(self, asked):
        del asked
        return self.skips


class ForgetsQuestions(HostMachine):
    """What was asked before a loss is not known after it."""

    def on_stream_lost(self, reason):
        super().on_stream_lost(reason)
        self.questions.clear()


class WithdrawsInPrivate(HostMachine):
    def _agent_took_back(self, taken):
        self.questions = {name: one for name, one in self.questions.items() if one.rpc_id != taken.rpc_id}


class AsksInPrivate(HostMachine):
    """A question is shown at the terminal only."""

    def _agent_asked(self, asked):
        self.say(f"waits for approval: {asked.tool_call.get('title', '')}")


MUTANTS = (
    Mutant(
        "auto-approves",
        "delete",
        "host",
        "Every tool runs without a question.",
        "ART-21, APR-1",
        {"RC-APR-001.fail-closed": "ran-unapproved"},
        host(AutoApproves),
    ),
    Mutant(
        "loss-means-allow",
        "weaken",
        "host",
        "When the connection is lost, what was asked is allowed.",
        "APR-1",
        {"RC-APR-001.fail-closed": "ran-unapproved"},
        host(LossMeansAllow),
    ),
    Mutant(
        "timeout-means-allow",
        "weaken",
        "host",
        "What nobody answers within a minute is allowed.",
        "APR-1",
        {"RC-APR-001.fail-closed": "ran-unapproved"},
        host(TimeoutMeansAllow),
    ),
    Mutant(
        "host-reject-means-allow",
        "weaken",
        "host",
        "Any decision at all lets the tool run.",
        "APR-1",
        {"RC-APR-001.fail-closed": "ran-unapproved"},
        host(RejectMeansAllow),
    ),
    Mutant(
        "trusts-the-relay",
        "delete",
        "host",
        "Under a relay that does not check what a yes was a yes to, the host does not either.",
        "APR-4, APR-1",
        {"RC-APR-001.fail-closed": "ran-unapproved"},
        beside(host(TrustsTheRelay), relay(DecidesUnseen)),
    ),
    Mutant(
        "answers-twice",
        "weaken",
        "host",
        "Every decision is handed to the agent twice.",
        "APR-2; claude-code #66043",
        {"RC-APR-001.fail-closed": "ran-twice"},
        host(AnswersTwice),
    ),
    Mutant(
        "bypass-honoured",
        "delete",
        "host",
        "Asked to skip permissions, the host does.",
        "ART-21, APR-6; claude-code #29214",
        {"RC-APR-006.no-bypass": "still-running"},
        host(BypassHonoured),
    ),
    Mutant(
        "forgets-questions",
        "historic",
        "host",
        "A question asked before an outage cannot be answered after it.",
        "APR-5; claude-code #28569",
        {"RC-APR-005.survives": "did-not-run"},
        host(ForgetsQuestions),
    ),
    Mutant(
        "withdraws-in-private",
        "delete",
        "host",
        "A question that the agent took back stays on the devices.",
        "APR-5",
        {"RC-APR-005.settled-everywhere": "wrong-approval"},
        host(WithdrawsInPrivate),
    ),
    Mutant(
        "asks-in-private",
        "delete",
        "host",
        "Questions appear at the terminal only.",
        "APR-5; claude-code #61177",
        {"RC-SES-000.control": "control"},
        host(AsksInPrivate),
    ),
)
