"""Devices that lose, double or invent what they show, and devices that say more than they know."""

import re
from dataclasses import replace

from harness.run.gallery import Mutant
from reference.device.driver import DeviceDriver
from reference.protocol.client_io import Reply, Tell
from reference.protocol.device import DeviceMachine

from ._clients import EverySecond, Queue, crashes, device, echo, liar, silent, whole
from ._clients import watch_devices as watch

DELAY_S = 1.0


class ResumesOffByOne(DeviceMachine):
    """A stream is resumed behind the entry that comes next."""

    def resume_cursor(self):
        cursor = super().resume_cursor()
        return cursor + 1 if cursor else 0

    def on_event(self, name, data):
        if name == "hello":
            data = {**data, "gap": False}
        elif name == "entry" and data["seq"] == self.view.cursor + 2:
            self.view.cursor += 1
        super().on_event(name, data)


class AsksForAll(DeviceMachine):
    """Every stream is asked for from its beginning; what was shown already is dropped."""

    def resume_cursor(self):
        super().resume_cursor()
        return 0


class TakesTheIdForTheEntry(DeviceMachine):
    """An entry counts as read as soon as the line with its number is."""

    def on_stream_ended(self, ended):
        begun = self.live and self.live.parser._id
        super().on_stream_ended(ended)
        self.view.cursor = max(self.view.cursor, int(begun or 0))


class ShowsHalfAnEntry(DeviceMachine):
    """Where a stream ends, what has come of an entry is shown."""

    def on_stream_ended(self, ended):
        half = re.search(rb'"text":"([^"]+)', self.live.parser._rest if self.live else b"")
        super().on_stream_ended(ended)
        if half:
            entry = {"seq": self.view.cursor + 1, "epoch": None, "author": "host", "kind": "update", "msg_id": None}
            self.do(Tell("shown", entry | {"text": half[1].decode()}))


class ComesBackAtOnce(DeviceMachine):
    def _refused(self, pending, refused):
        super()._refused(pending, replace(refused, retry_after_s=0.0))


class AsksAgainAtOnce(DeviceMachine):
    """A refused enrolment is asked for tokens again and again, as long as the last token lives."""

    def on_enrolment_refused(self, scope, refused):
        super().on_enrolment_refused(scope, refused)
        last = self.tokens.usable(scope, self._now.elapsed_s)
        if last is not None:
            self.tokens._tokens[scope] = last._replace(renew_at_s=self._now.elapsed_s)


class AsksUntilItIsClosed(DeviceMachine):
    """Its clock says that the last token has ended, the relay's does not yet: it asks for another as often as it is told no."""

    def stream_token(self):
        return self.token(self.stream_scope)


class ShowsAgain(DeviceMachine):
    """The entry at the cursor is asked for once more, and shown once more."""

    def resume_cursor(self):
        return max(0, super().resume_cursor() - 1)

    def dedup(self, seq):
        del seq
        return False


class JoinsTheTail(DeviceMachine):
    """A reconnected window goes on with what comes next."""

    def on_event(self, name, data):
        resumed = self.view.cursor > 0
        super().on_event(name, data)
        if name == "hello" and resumed:
            self.view.cursor = max(self.view.cursor, int(data["seq"]))


class NewestFirst(DeviceMachine):
    """What was missed is put above what is there, newest first."""

    upto = 0

    def on_event(self, name, data):
        if name == "hello":
            self.upto, self.missed = int(data["seq"]), []
        if name == "entry" and self.view.cursor < data["seq"] <= self.upto:
            self.missed.append(data)
            if data["seq"] == self.upto:
                self._show_missed()
        else:
            super().on_event(name, data)

    def _show_missed(self):
        for entry in reversed(self.missed):
            self.view.cursor = entry["seq"] - 1
            super().on_event("entry", entry)
        self.view.cursor = self.upto


class TakesBusyForNo(DeviceMachine):
    """A relay that asks to come back later is taken at its first word."""

    def _refused(self, pending, refused):
        if refused.code == "rate-limited":
            pending.lane.backoff.worked(self._now.awake_s)
            pending.refused(refused)
        else:
            super()._refused(pending, refused)


class Hammers(DeviceMachine):
    def make_backoff(self):
        return EverySecond(self.timers, self.entropy)


class OptimisticSuccess(DeviceMachine):
    """A tap on send is success; what then fails is forgotten."""

    def _submit(self, scope, suffix, ticket, body):
        super()._submit(scope, suffix, ticket, body)
        self.do(Reply(ticket, {"msg_id": body["msg_id"], "seq": None, "stage": "relay_stored", "host": None}))

    def on_fault(self, lane, fault):
        super().on_fault(lane, fault)
        for queue in self._queues.values():
            queue.clear()


class ForgetsUnsent(DeviceMachine):
    """What was not sent when the connection broke is not sent."""

    def on_stream_lost(self, reason):
        super().on_stream_lost(reason)
        for queue in self._queues.values():
            queue.clear()


class NewIdPerRetry(DeviceMachine):
    def on_fault(self, lane, fault):
        super().on_fault(lane, fault)
        if self._queues.get(lane.name):
            self._queues[lane.name][0].body["msg_id"] = self.mint_msg_id()


class DoublesOwnWords(DeviceMachine):
    """One's own words are shown when sent, and again when they come back."""

    def on_send(self, send):
        super().on_send(send)
        shown = {"seq": None, "epoch": None, "author": "me", "kind": "prompt", "text": send.text, "msg_id": None}
        self.do(Tell("shown", shown))


class StaleOnline(DeviceMachine):
    def known_presence(self):
        return self._host


class ForgetsTheEnd(DeviceMachine):
    """Once the window has closed, an ended session is one that nobody knows anything of."""

    def known_presence(self):
        known = super().known_presence()
        over = known["state"] == "ended" and not self._is_open
        return {"state": "connecting", "reason": "", "since": None} if over else known


class NeverRenews(DeviceMachine):
    def on_start(self, start):
        super().on_start(start)
        self.tokens.renews = False


class DecidesByItself(DeviceMachine):
    """A tap on allow closes the question, whatever becomes of the decision."""

    def on_decide(self, decide):
        super().on_decide(decide)
        closed = self.view.close(decide.request, "resolved", decide.option, "me")
        if closed is not None:
            self._tell_approval(closed)
            self.do(Reply(decide.ticket, {"msg_id": None, "seq": None, "stage": "relay_stored", "host": None}))

    def on_fault(self, lane, fault):
        super().on_fault(lane, fault)
        if lane.name == "device:approve":
            self._queues[lane.name].clear()


class HidesOldQuestions(DeviceMachine):
    """A question asked while this device was away is not shown."""

    upto = 0

    def on_event(self, name, data):
        if name == "hello":
            self.upto = int(data["seq"])
        super().on_event(name, data)

    def _question(self, body):
        if self.view.cursor > self.upto:
            super()._question(body)


class KeepsSettled(DeviceMachine):
    """A question that somebody else settled stays on the screen."""

    def _tell_approval(self, question):
        if question["state"] == "pending":
            super()._tell_approval(question)


class RenamesOnlyItself(DeviceMachine):
    def on_rename(self, rename):
        self.view.title = rename.title
        self.do(Reply(rename.ticket, {"msg_id": None, "seq": None, "stage": "relay_stored", "host": None}))


class ClaimsStages(DeviceMachine):
    """What the relay stored is shown as applied."""

    def _reach(self, msg_id, stage):
        super()._reach(msg_id, "host_applied" if stage == "relay_stored" else stage)


class SlowScreen(DeviceDriver):
    waiting = None

    def _tell(self, told):
        if told.event != "shown":
            super()._tell(told)
            return
        self.waiting = self.waiting or Queue(self._nursery, DELAY_S, super()._tell)
        self.waiting.put(told)


__all__ = ["MUTANTS", "watch"]

MUTANTS = (
    Mutant(
        "resumes-off-by-one",
        "weaken",
        "device",
        "After each reconnect one entry is missing.",
        "ORD-9",
        {"RC-ORD-009.resumes": "lost-write"},
        device(ResumesOffByOne),
    ),
    Mutant(
        "asks-for-all",
        "delete",
        "device",
        "After every break the whole log crosses the network again.",
        "ORD-9",
        {"RC-ORD-009.resumes": "sent-again"},
        device(AsksForAll),
    ),
    Mutant(
        "takes-the-id-for-the-entry",
        "weaken",
        "device",
        "An entry in the middle of which the connection broke off is missing.",
        "ORD-6",
        {"RC-ORD-009.resumes": "lost-write"},
        device(TakesTheIdForTheEntry),
    ),
    Mutant(
        "shows-half-an-entry",
        "delete",
        "device",
        "A line in the middle of which the connection broke off is there twice, once only its beginning.",
        "ORD-13",
        {"RC-ORD-001.no-phantom": "phantom"},
        device(ShowsHalfAnEntry),
    ),
    Mutant(
        "comes-back-at-once",
        "delete",
        "device",
        "Told when to come back, the device does not wait for it.",
        "OUT-13",
        {"RC-OUT-013.obeys-retry-after": "came-early"},
        device(ComesBackAtOnce),
    ),
    Mutant(
        "asks-again-at-once",
        "delete",
        "device",
        "Refused a new token, the device asks for one again at once, for as long as the old one lives.",
        "OUT-11; claude-code #79342",
        {"RC-OUT-011.device-backs-off": "too-many-attempts"},
        device(AsksAgainAtOnce),
    ),
    Mutant(
        "asks-until-it-is-closed",
        "historic",
        "device",
        "While its last token has ended by its own clock and not yet by the relay's, the device asks for another as fast as it is told no.",
        "OUT-11, AUT-18",
        {"RC-OUT-011.device-backs-off": "too-many-attempts"},
        device(AsksUntilItIsClosed),
    ),
    Mutant(
        "shows-again",
        "weaken",
        "device",
        "After each reconnect the last entry stands there twice.",
        "ORD-2; claude-code #28498",
        {"RC-ORD-002.no-duplicate": "duplicate"},
        device(ShowsAgain),
    ),
    Mutant(
        "joins-the-tail",
        "historic",
        "device",
        "What happened while the phone was away is never shown.",
        "ORD-9; claude-code #62514",
        {"RC-ORD-009.resumes": "lost-write"},
        device(JoinsTheTail),
    ),
    Mutant(
        "newest-first",
        "weaken",
        "device",
        "What was missed is shown newest first.",
        "ORD-5",
        {"RC-ORD-009.resumes": "out-of-order"},
        device(NewestFirst),
    ),
    Mutant(
        "optimistic-success",
        "liar",
        "device",
        "A prompt is reported as stored when it is tapped, and forgotten when it fails.",
        "ORD-12; claude-code #28571",
        {"RC-ORD-001.no-loss": "lost-write"},
        device(OptimisticSuccess),
    ),
    Mutant(
        "takes-busy-for-no",
        "weaken",
        "device",
        "A prompt that the relay asks to send later is dropped.",
        "OUT-13, ORD-12",
        {"RC-ORD-001.no-loss": "not-delivered", "RC-ORD-011.stages": "stage-not-reached"},
        device(TakesBusyForNo),
    ),
    Mutant(
        "device-hammers",
        "delete",
        "device",
        "Without a network the device knocks every second in every lane.",
        "OUT-11",
        {"RC-OUT-011.device-backs-off": "too-many-attempts"},
        device(Hammers),
    ),
    Mutant(
        "forgets-unsent",
        "historic",
        "device",
        "A prompt under way when the connection breaks is gone.",
        "ORD-12; claude-code #65861",
        {"RC-ORD-012.pending-visible": "not-delivered"},
        device(ForgetsUnsent),
    ),
    Mutant(
        "new-id-per-retry",
        "delete",
        "device",
        "Every retry is a new message.",
        "ORD-3; claude-code #28498",
        {"RC-ORD-002.no-duplicate": "duplicate"},
        device(NewIdPerRetry),
    ),
    Mutant(
        "doubles-own-words",
        "historic",
        "device",
        "One's own prompt stands there twice.",
        "ORD-2; claude-code #28498",
        {"RC-ORD-002.no-duplicate": "duplicate"},
        device(DoublesOwnWords),
    ),
    Mutant(
        "stale-online",
        "liar",
        "device",
        "Without a connection the device shows what it last knew.",
        "SES-7",
        {"RC-OPS-002.truthful": "false-online"},
        device(StaleOnline),
    ),
    Mutant(
        "forgets-the-end",
        "weaken",
        "device",
        "A session that ended is shown as connecting.",
        "SES-9",
        {"RC-SES-009.final": "revived"},
        device(ForgetsTheEnd),
    ),
    Mutant(
        "device-never-renews",
        "delete",
        "device",
        "The device works as long as its first tokens.",
        "AUT-9",
        {"RC-AUT-018.clock-wrong": "lost-write"},
        device(NeverRenews),
    ),
    Mutant(
        "decides-by-itself",
        "liar",
        "device",
        "A decision that got lost is shown as made.",
        "APR-3; claude-code #62553",
        {"RC-APR-003.delivered": "answer-not-on-wire"},
        device(DecidesByItself),
    ),
    Mutant(
        "hides-old-questions",
        "historic",
        "device",
        "Only who was there when it was asked is shown a question.",
        "APR-5; claude-code #28569",
        {"RC-APR-005.survives": "wrong-approval"},
        device(HidesOldQuestions),
    ),
    Mutant(
        "keeps-settled-questions",
        "delete",
        "device",
        "A question that was settled stays on the screen.",
        "APR-5",
        {"RC-APR-002.first-wins": "not-told"},
        device(KeepsSettled),
    ),
    Mutant(
        "device-renames-only-itself",
        "liar",
        "device",
        "A new name stays on the screen where it was given.",
        "ART-09",
        {"RC-SES-000.control": "control"},
        device(RenamesOnlyItself),
    ),
    Mutant(
        "claims-stages",
        "liar",
        "device",
        "What the relay stored is shown as done.",
        "ORD-11",
        {"RC-ORD-011.stages": "stage-lied"},
        device(ClaimsStages),
    ),
    Mutant(
        "slow-screen",
        "late",
        "device",
        "Every entry is shown a second after it was read.",
        "LAT-1",
        {"RC-LAT-001.echo": "over-budget"},
        device(driver=SlowScreen),
    ),
    Mutant(
        "device-silent",
        "unconditional",
        "device",
        "The program answers nothing.",
        "conformance.md 5.6",
        {"RC-SES-000.control": "setup"},
        whole("device", silent),
    ),
    Mutant(
        "device-echo",
        "unconditional",
        "device",
        "The program answers everything with what it was asked.",
        "conformance.md 5.6",
        {"RC-SES-000.control": "untrusted-adapter"},
        whole("device", echo),
    ),
    Mutant(
        "device-crashes-on-start",
        "unconditional",
        "device",
        "The program dies of the first thing that it is asked to do.",
        "conformance.md 5.6",
        {"RC-SES-000.control": "no-start"},
        whole("device", crashes),
    ),
    Mutant(
        "device-liar",
        "unconditional",
        "device",
        "The program says that all went well and does nothing.",
        "conformance.md 5.6",
        {"RC-SES-000.control": "not-listed"},
        whole(
            "device",
            liar(
                {
                    "hello": {"name": "liar", "version": "1", "roles": ["device"], "verbs": [], "claims": {}},
                    "start": {},
                    "list": {"sessions": []},
                    "attach": {},
                    "detach": {},
                    "send": {"msg_id": "1", "seq": 1, "stage": "relay_stored", "host": None},
                    "answer": {"msg_id": "1", "seq": 1, "stage": "relay_stored", "host": None},
                    "rename": {"msg_id": "1", "seq": 1, "stage": "relay_stored", "host": None},
                    "screen": {
                        "presence": {"state": "online"},
                        "title": "",
                        "entries": [],
                        "pending": [],
                        "unsent": [],
                    },
                }
            ),
        ),
    ),
)
