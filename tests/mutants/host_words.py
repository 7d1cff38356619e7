"""Hosts that lose, double or invent words."""

import msgspec

from harness.run.gallery import Mutant
from reference.protocol.client_io import Reply
from reference.protocol.host import HostMachine

from ._clients import host


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
)
