"""Hosts that lose, double or invent words, and hosts that run what nobody allowed."""

import msgspec

from harness.run.gallery import Mutant
from reference.protocol.acp import AgentLink
from reference.protocol.client_io import Reply
from reference.protocol.host import HostMachine
from reference.protocol.host_io import ToAgent

from ._clients import host

PATIENCE_S = 60.0


class DropsOfflineOutput(HostMachine):
    def _agent_updated(self, updated):
        if self.live is None and self.stream_heard_s > float("-inf"):
            self._turn_taken()
        else:
            super()._agent_updated(updated)


class JoinsTheTail(HostMachine):
    """A reconnected inbox starts with what comes next."""

    def on_event(self, name, data):
        if name == "hello":
            self.cursor = max(self.cursor, int(data["seq"]))
        super().on_event(name, data)


class RetriesOnTwoFloors(HostMachine):
    """What got no answer is put into the outbox again, which still has it."""

    again = 0

    def on_fault(self, lane, fault):
        super().on_fault(lane, fault)
        if lane.name == "outbox":
            for item in [msgspec.json.decode(raw) for raw in self.outbox.batch()]:
                if item["n"] > self.again and item["kind"] == "update":
                    self.outbox.put("update", item["body"])
            self.again = self.outbox._last


class TellsOfItsOwn(HostMachine):
    """The host's own worries are mixed into what the session says."""

    def on_stream_lost(self, reason):
        super().on_stream_lost(reason)
        content = {"type": "text", "text": f"[reconnecting: {reason}]"}
        self.outbox.put("update", {"sessionUpdate": "agent_message_chunk", "content": content})


class TakesPromptsAgain(HostMachine):
    """The cursor lives in the connection: a new one reads everything anew."""

    def resume_cursor(self):
        return 0

    def dedup(self, seq):
        del seq
        return False


class AcknowledgesAndForgets(HostMachine):
    """What waited at the relay is said to be applied, and never given to the agent."""

    waited_upto = 0

    def on_event(self, name, data):
        if name == "hello":
            self.waited_upto = int(data["seq"])
        super().on_event(name, data)

    def _take_prompt(self, seq, body, entry):
        if seq > self.waited_upto:
            super()._take_prompt(seq, body, entry)
            return
        self._receipt(seq, "host_received")
        self._receipt(seq, "host_applied")


class PromotesWithoutHistory(HostMachine):
    def put_history(self, history):
        pass


class PromotesTwice(HostMachine):
    def put_history(self, history):
        super().put_history((*history, *history))


class RenamesOnlyItself(HostMachine):
    def on_rename(self, rename):
        self.title = rename.title
        self.do(Reply(rename.ticket, {}))


class TypesInPrivate(HostMachine):
    """What is typed at the terminal is not told to the devices."""

    def on_type(self, typed):
        self.do(Reply(typed.ticket, {}))
        self._queue_prompt(None, [{"type": "text", "text": typed.text}])


class NoQrCode(HostMachine):
    def on_press(self, press):
        self.do(Reply(press.ticket, {"qr": False}))


# --- approvals


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
        "drops-offline-output",
        "delete",
        "host",
        "What the session says during an outage is thrown away.",
        "OUT-1; claude-code #62514",
        {"RC-OUT-001.catches-up": "lost-write"},
        host(DropsOfflineOutput),
    ),
    Mutant(
        "host-joins-the-tail",
        "historic",
        "host",
        "Prompts that waited at the relay during an outage are skipped.",
        "OUT-1, ORD-9; claude-code #28402",
        {"RC-OUT-001.catches-up": "lost-write"},
        host(JoinsTheTail),
    ),
    Mutant(
        "retries-on-two-floors",
        "historic",
        "host",
        "Lines that got no answer are sent again under new numbers.",
        "ORD-2; claude-code #32681",
        {"RC-ORD-002.no-duplicate": "duplicate"},
        host(RetriesOnTwoFloors),
    ),
    Mutant(
        "tells-of-its-own",
        "weaken",
        "host",
        "What the host says of itself stands in the session's own words.",
        "ORD-1; jepsen kafka phantom",
        {"RC-ORD-001.no-phantom": "phantom"},
        host(TellsOfItsOwn),
    ),
    Mutant(
        "takes-prompts-again",
        "delete",
        "host",
        "After every reconnect the session is given all its prompts again.",
        "ORD-2, ORD-9",
        {"RC-ORD-002.no-duplicate": "duplicate"},
        host(TakesPromptsAgain),
    ),
    Mutant(
        "acknowledges-and-forgets",
        "liar",
        "host",
        "A prompt that waited is receipted as applied and never given to the agent.",
        "ORD-11; claude-code #93801",
        {"RC-ORD-001.no-loss": "lost-write"},
        host(AcknowledgesAndForgets),
    ),
    Mutant(
        "promotes-without-history",
        "delete",
        "host",
        "A promoted session begins empty.",
        "ART-08, SES-4",
        {"RC-SES-004.history": "lost-write"},
        host(PromotesWithoutHistory),
    ),
    Mutant(
        "promotes-twice",
        "weaken",
        "host",
        "A promoted session brings its history twice.",
        "ART-08, SES-4",
        {"RC-SES-004.history": "duplicate"},
        host(PromotesTwice),
    ),
    Mutant(
        "renames-only-itself",
        "liar",
        "host",
        "A new name stays at the terminal where it was given.",
        "ART-09",
        {"RC-SES-000.control": "control"},
        host(RenamesOnlyItself),
    ),
    Mutant(
        "types-in-private",
        "delete",
        "host",
        "Prompts from the terminal are not shown on devices.",
        "ART-12, SES-6",
        {"RC-SES-005.in-sync": "lost-write"},
        host(TypesInPrivate),
    ),
    Mutant(
        "no-qr-code",
        "delete",
        "host",
        "Space shows nothing.",
        "ART-06",
        {"RC-ART-006.qr": "wrong-status"},
        host(NoQrCode),
    ),
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
