"""Relays whose log is broken: order, delivery, idempotency, durability, speed."""

import dataclasses
from contextlib import suppress

import trio

from harness.run.gallery import Mutant
from reference.protocol import sse
from reference.protocol.log import SessionLog
from reference.protocol.relay import RelayMachine
from reference.protocol.relay_io import StreamData
from reference.relay.service import RelayService

from ._seams import relay

BUFFER_BYTES = 2048


class ReplayOffByOne(RelayMachine):
    def resume_from(self, session, cursor):
        cursor, gap = super().resume_from(session, cursor)
        return (min(cursor + 1, session.log.seq), gap) if cursor else (cursor, gap)


class ReplayDuplicates(RelayMachine):
    def resume_from(self, session, cursor):
        cursor, gap = super().resume_from(session, cursor)
        return max(cursor - 1, session.log.first - 1), gap


class ReplayOfNothing(RelayMachine):
    def resume_from(self, session, cursor):
        return (session.log.seq, False) if cursor else super().resume_from(session, cursor)


class ReplayReorders(RelayMachine):
    def _next_slice(self, stream):
        frames = [one.frame for one in stream.session.log.after(stream.cursor) if self.may_see(stream, one)]
        stream.cursor, stream.live = stream.session.log.seq, True
        return b"".join(reversed(frames))


class BurstsReorder(RelayMachine):
    def fresh_items(self, session, items):
        fresh = super().fresh_items(session, items)
        bodies = [(one.kind, one.body) for one in reversed(fresh)]
        return [type(one)(one.n, kind, body) for one, (kind, body) in zip(fresh, bodies, strict=True)]


class SkipsAtFull(RelayMachine):
    """A log that holds little, and a reader that is not told what fell out of it."""

    KEPT = 1

    def resume_from(self, session, cursor):
        oldest = max(session.log.first - 1, session.log.seq - self.KEPT)
        return max(cursor, oldest), False


class _Forgetful:
    """A store that keeps what it was given until the program ends."""

    def __init__(self, store):
        self._store = store

    async def load(self):
        return await self._store.load()

    async def commit(self, records):
        unsynced = b"".join(len(one).to_bytes(4) + one for one in records)
        self._store._disk.append(self._store._name, unsynced)
        await trio.lowlevel.checkpoint()

    async def aclose(self):
        await self._store.aclose()


class NeverSyncs(RelayService):
    def __init__(self, platform, machine):
        super().__init__(dataclasses.replace(platform, open_store=lambda: _Forgetful(platform.open_store())), machine)

    async def _watch_commits(self):
        await super()._watch_commits()


class _BelievesWhatItWrote:
    """A store that takes a write for done whatever the disk said."""

    def __init__(self, store):
        self._store = store

    async def load(self):
        return await self._store.load()

    async def commit(self, records):
        with suppress(OSError):
            await self._store.commit(records)

    async def aclose(self):
        await self._store.aclose()


class AcksOnAFullDisk(RelayService):
    def __init__(self, platform, machine):
        believing = dataclasses.replace(platform, open_store=lambda: _BelievesWhatItWrote(platform.open_store()))
        super().__init__(believing, machine)

    async def _watch_commits(self):
        await super()._watch_commits()


class SyncsNowAndThen(RelayMachine):
    """Acknowledges at once; the disk gets what has gathered every ten seconds."""

    EVERY_S = 10.0
    synced_at = 0.0

    def _say(self, effect):
        self._out.append(effect)

    def _send_off(self):
        if self._now.awake_s - self.synced_at >= self.EVERY_S:
            self.synced_at = self._now.awake_s
            super()._send_off()


class AnswersBeforeTheDisk(RelayMachine):
    def _say(self, effect):
        self._out.append(effect)


class LogInMemory(RelayMachine):
    def restore(self, records, now):
        super().restore(records, now)
        for session in self.state.sessions.values():
            session.log, session.upto = SessionLog(), session.upto


class KeysInMemory(RelayMachine):
    def restore(self, records, now):
        super().restore(records, now)
        self.state.sent.clear()


class NoIdempotency(RelayMachine):
    def dedup_key(self, access, msg_id):
        self._keys = getattr(self, "_keys", 0) + 1
        return (*super().dedup_key(access, msg_id), str(self._keys))


class KeyOfToken(RelayMachine):
    def dedup_key(self, access, msg_id):
        return (*super().dedup_key(access, msg_id), access.sha)


class OutboxNotIdempotent(RelayMachine):
    def fresh_items(self, session, items):
        return [type(one)(session.upto + number, one.kind, one.body) for number, one in enumerate(items, 1)]


class AcksAndDropsPrompts(RelayMachine):
    def take_message(self, call):
        session = self.session_of(call)
        if any(stream.inbox for stream in self.readers.get(session.id, {}).values()):
            super().take_message(call)
        else:
            self._answer(call, 202, self._stored(session, session.log.seq + 1))


class DropsOneInTen(RelayMachine):
    def may_see(self, stream, entry):
        return super().may_see(stream, entry) and not (entry.seq % 10 == 0 and not stream.inbox)


class OneSlowBlocksAll(RelayMachine):
    def _publish(self, session):
        streams = self.readers.get(session.id, {}).values()
        if all(stream.live or stream.poll for stream in streams):
            super()._publish(session)


class BuffersUntilFull(RelayMachine):
    def _publish(self, session):
        newest = sum(len(one.frame) for one in session.log.after(max(0, session.log.seq - 8)))
        if newest >= BUFFER_BYTES or session.ended:
            super()._publish(session)


class Nagle(RelayService):
    """Frames wait for company, the first of them for so long."""

    WAIT_S = 0.2

    async def run(self, *, task_status=trio.TASK_STATUS_IGNORED):
        async with trio.open_nursery() as nursery:
            self._waits, self._waiting = nursery, {}
            await nursery.start(super().run)
            task_status.started()

    def _perform(self, effect):
        if isinstance(effect, StreamData) and effect.data.startswith(b"id:") and hasattr(self, "_waits"):
            queue = self._waiting.setdefault(effect.rid, [])
            queue.append(effect)
            if len(queue) == 1:
                self._waits.start_soon(self._later, effect.rid)
            return
        self._flush(getattr(effect, "rid", None))
        super()._perform(effect)

    async def _later(self, rid):
        await trio.sleep(self.WAIT_S)
        self._flush(rid)

    def _flush(self, rid):
        for effect in getattr(self, "_waiting", {}).pop(rid, ()):
            super()._perform(effect)


class NagleForLong(Nagle):
    WAIT_S = 1.5


class AuthorOfTheFirst(RelayMachine):
    def _append(self, session, author, msg_id, kind, body, **more):
        if kind == "prompt" and author != "terminal":
            authors = self.__dict__.setdefault("authors", {})
            author = authors.setdefault(session.id, author)
        return super()._append(session, author, msg_id, kind, body, **more)


class PrivateOrder(RelayMachine):
    """Entries of another name for every reader but the first."""

    first = ""

    def _next_slice(self, stream):
        data = super()._next_slice(stream)
        if stream.inbox:
            return data
        reader = stream.access.enrolment.subject
        self.first = self.first or reader
        return data if reader == self.first else data.replace(b'"msg_id":"h', b'"msg_id":"h9')


class KeepsTitles(RelayMachine):
    def take_title(self, call):
        session = self.session_of(call)
        self._answer(call, 202, self._stored(session, session.log.seq))


class IgnoresPolls(RelayMachine):
    """A relay that streams whatever it is asked for."""

    def _open(self, call, session, *, inbox):
        request = call.request
        headers = {name: value for name, value in request.headers.items() if name != "prefer"}
        super()._open(call._replace(request=dataclasses.replace(request, headers=headers)), session, inbox=inbox)


class NoOpeningComment(RelayMachine):
    def _feed(self, stream, lead=b""):
        super()._feed(stream, lead.removeprefix(sse.OPEN))


MUTANTS = (
    Mutant(
        "replay-off-by-one",
        "weaken",
        "relay",
        "A reader that resumes misses the first entry.",
        "ORD-9",
        {"RC-ORD-006.no-skip": "poll-skip", "RC-ORD-009.resumes": "lost-write"},
        relay(ReplayOffByOne),
    ),
    Mutant(
        "replay-duplicates",
        "weaken",
        "relay",
        "A reader that resumes gets the last entry once more.",
        "ORD-9",
        {"RC-ORD-006.no-skip": "nonmonotonic-poll"},
        relay(ReplayDuplicates),
    ),
    Mutant(
        "replay-of-nothing",
        "delete",
        "relay",
        "A reader that comes back gets only what is new from then on.",
        "OUT-1; claude-code #62514",
        {"RC-ORD-009.resumes": "lost-write"},
        relay(ReplayOfNothing),
    ),
    Mutant(
        "replay-reorders",
        "historic",
        "relay",
        "After an outage the backlog comes newest first.",
        "ORD-5; peers.md",
        {"RC-ORD-009.resumes": "lost-write", "RC-ORD-006.no-skip": "poll-skip"},
        relay(ReplayReorders),
    ),
    Mutant(
        "bursts-reorder",
        "historic",
        "relay",
        "Of a batch the last line is stored first.",
        "ORD-5; peers.md",
        {"RC-SES-005.in-sync": "out-of-order"},
        relay(BurstsReorder),
    ),
    Mutant(
        "silent-gap",
        "liar",
        "relay",
        "Little is kept, and whoever missed more is not told.",
        "ORD-8",
        {"RC-ORD-006.no-skip": "poll-skip"},
        relay(SkipsAtFull),
    ),
    Mutant(
        "never-syncs",
        "delete",
        "relay",
        "Records are handed to the operating system and never synced.",
        "OUT-15; Jepsen NATS 2.12.1",
        {"RC-OUT-015.survives-power-cut": "lost-write"},
        relay(service=NeverSyncs),
        sim_only="what was never synced is lost on the simulated disk only",
    ),
    Mutant(
        "acks-on-a-full-disk",
        "delete",
        "relay",
        "A write that failed counts as done: what the disk had no room for is acknowledged.",
        "RES-5",
        {"RC-RES-005.disk": "lost-write"},
        relay(service=AcksOnAFullDisk),
    ),
    Mutant(
        "syncs-now-and-then",
        "historic",
        "relay",
        "What is acknowledged reaches the disk up to ten seconds later.",
        "OUT-15; Redis appendfsync everysec",
        {"RC-OUT-015.survives-power-cut": "lost-write"},
        relay(SyncsNowAndThen),
    ),
    Mutant(
        "answers-before-the-disk",
        "delete",
        "relay",
        "What is acknowledged is on its way to the disk, and not yet there.",
        "OUT-15",
        {"RC-OUT-015.survives-power-cut": "lost-write"},
        relay(AnswersBeforeTheDisk),
    ),
    Mutant(
        "log-in-memory",
        "delete",
        "relay",
        "After a restart the sessions are there and their logs are empty: numbers begin anew.",
        "OUT-14",
        {"RC-OUT-014.survives-kill": "lost-write", "RC-ORD-005.one-order": "inconsistent-offsets"},
        relay(LogInMemory),
    ),
    Mutant(
        "keys-in-memory",
        "weaken",
        "relay",
        "After a restart a retried message is a new one.",
        "ORD-3",
        {"RC-ORD-003.key-survives": "duplicate"},
        relay(KeysInMemory),
    ),
    Mutant(
        "no-idempotency",
        "delete",
        "relay",
        "Every retry is stored.",
        "ORD-2; claude-code #28498",
        {"RC-ORD-002.no-duplicate": "duplicate"},
        relay(NoIdempotency),
    ),
    Mutant(
        "key-of-the-token",
        "weaken",
        "relay",
        "The key of a message holds the token, so a retry with a new one is stored again.",
        "ORD-3",
        {"RC-ORD-003.key-survives": "duplicate"},
        relay(KeyOfToken),
    ),
    Mutant(
        "outbox-not-idempotent",
        "delete",
        "relay",
        "A batch that a host sends again is stored again.",
        "ORD-2",
        {"RC-ORD-002.no-duplicate": "duplicate"},
        relay(OutboxNotIdempotent),
    ),
    Mutant(
        "acks-and-drops",
        "liar",
        "relay",
        "A prompt for a host that is away is acknowledged and thrown away.",
        "ORD-1; claude-code #62514",
        {"RC-ORD-001.no-loss": "lost-write", "RC-ORD-001.reaches-host": "lost-write"},
        relay(AcksAndDropsPrompts),
    ),
    Mutant(
        "drops-one-in-ten",
        "weaken",
        "relay",
        "Every tenth entry reaches no device.",
        "ORD-1",
        {"RC-ORD-006.no-skip": "poll-skip", "RC-SES-005.late-joiner": "lost-write"},
        relay(DropsOneInTen),
    ),
    Mutant(
        "one-slow-blocks-all",
        "weaken",
        "relay",
        "While one reader catches up nobody gets anything.",
        "SYN-3",
        {
            "RC-ORD-014.slow-consumer": "over-budget",
            "RC-ORD-001.no-loss": "lost-write",
        },
        relay(OneSlowBlocksAll),
        sim_only="the kernels and proxies between relay and phone hold the two megabytes; `slow-reader-freezes-all` gets ten",
    ),
    Mutant(
        "buffers-until-full",
        "late",
        "relay",
        "Entries wait until there are enough of them.",
        "LAT-1",
        {"RC-LAT-001.echo": "over-budget"},
        relay(BuffersUntilFull),
    ),
    Mutant(
        "nagle-200ms",
        "late",
        "relay",
        "Every entry waits for company for 200 ms.",
        "LAT-1",
        {"RC-LAT-001.echo": "over-budget"},
        relay(service=Nagle),
    ),
    Mutant(
        "nagle",
        "late",
        "relay",
        "Every entry waits for company for more than a second.",
        "LAT-1",
        {"RC-LAT-001.echo": "over-budget"},
        relay(service=NagleForLong),
    ),
    Mutant(
        "author-of-the-first",
        "weaken",
        "relay",
        "Whoever sends, the first sender stands as author.",
        "SES-6; claude-code #90417",
        {"RC-SES-006.names-author": "wrong-author"},
        relay(AuthorOfTheFirst),
    ),
    Mutant(
        "private-order",
        "weaken",
        "relay",
        "One and the same place of the log is another entry for another reader.",
        "SES-5",
        {"RC-ORD-005.one-order": "inconsistent-offsets"},
        relay(PrivateOrder),
    ),
    Mutant(
        "keeps-titles-to-itself",
        "liar",
        "relay",
        "A new title is acknowledged and never told.",
        "ART-09",
        {"RC-SES-000.control": "control"},
        relay(KeepsTitles),
    ),
    Mutant(
        "ignores-polls",
        "delete",
        "relay",
        "A bounded poll is answered with a stream, which a buffering middlebox never lets through.",
        "EGR-4",
        {"RC-SES-000.control": "control"},
        relay(IgnoresPolls),
    ),
    Mutant(
        "no-opening-comment",
        "delete",
        "relay",
        "A stream says nothing until there is something to say.",
        "protocol.md, streams",
        {"RC-WIRE-001.well-formed": "no-opening-comment"},
        relay(NoOpeningComment),
    ),
)
