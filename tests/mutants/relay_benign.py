"""Relays that differ from the reference and are right: whoever fails them is a check that asks for more than the protocol says."""

import base64
import dataclasses

import msgspec
import trio

from harness.run.gallery import Mutant
from reference.protocol import sse
from reference.protocol.log import Entry
from reference.protocol.relay import RelayMachine
from reference.protocol.relay_io import Gone, Request, Respond
from reference.relay.service import RelayService

from ._seams import relay

DELAY_S = 0.03
OFTEN_S = 10.0


class ExtraFields(RelayMachine):
    """A later version's fields, in every answer, event and entry: the page says that they are ignored."""

    def _answer(self, call, status, body):
        super()._answer(call, status, {**body, "x_region": {"name": "north", "load": 0.5}})

    def _hello(self, stream):
        return super()._hello(stream).replace(b"data: {", b'data: {"x_shard":7,', 1)

    def _write(self, kind, /, **fields):
        record = super()._write(kind, **fields)
        if kind == "entry":
            log = self.state.sessions[fields["session"]].log
            seq, author, frame = log._entries.pop()
            log._entries.append(Entry(seq, author, frame.replace(b"data: {", b'data: {"x_trace":"a1b2",', 1)))
        return record


class OtherWords(RelayMachine):
    """Titles are for people: every problem says the same in another way."""

    def _say(self, effect):
        if isinstance(effect, Respond) and effect.status >= 400:
            body = {
                **msgspec.json.decode(effect.body),
                "title": "Nein.",
                "detail": "Das geht so nicht.",
                "instance": "/p/1",
            }
            effect = dataclasses.replace(effect, body=msgspec.json.encode(body))
        super()._say(effect)


class BeatsOften(RelayMachine):
    def _beat(self, rid):
        super()._beat(rid)
        self.awake_alarms.set(("beat", rid), self._now.awake_s + OFTEN_S)


class ThinksAWhile(RelayService):
    """A slower machine: every request waits for 30 ms."""

    async def run(self, *, task_status=trio.TASK_STATUS_IGNORED):
        async with trio.open_nursery() as nursery:
            self._waits, self._gone = nursery, set()
            await nursery.start(super().run)
            task_status.started()

    def submit(self, what):
        if isinstance(what, Request):
            self._waits.start_soon(self._later, what)
        else:
            if isinstance(what, Gone):
                self._gone.add(what.rid)
            super().submit(what)

    async def _later(self, request):
        await trio.sleep(DELAY_S)
        if request.rid not in self._gone:
            super().submit(request)


class LongIds(RelayMachine):
    def _write(self, kind, /, **fields):
        if kind == "opened":
            more = base64.b32encode(self.entropy.randbytes(40)).decode().lower().rstrip("=")
            fields["session"] = f"session.{more}.{fields['session']}"
        return super()._write(kind, **fields)

    def _open_session(self, enrolment, body):
        before = set(self.state.sessions)
        try:
            return super()._open_session(enrolment, body)
        except KeyError:
            return self._renamed(enrolment, body, before)

    def _renamed(self, enrolment, body, before):
        """The session was opened under its long name: do what is left to do."""
        session = next(one for name, one in self.state.sessions.items() if name not in before)
        instance = (enrolment.account, body.instance)
        for older in [self.state.sessions[name] for name in before]:
            if (older.account, older.instance) == instance and not older.ended:
                self._finish(older, "superseded", "relay")
        self._watch(session)
        return session


class TellsPresenceAgain(RelayMachine):
    def _beat(self, rid):
        super()._beat(rid)
        stream = self.streams[rid]
        if not stream.inbox:
            self._feed(stream, sse.event("presence", self.presence_of(stream.session).to_json()))


MUTANTS = (
    Mutant(
        "extra-fields",
        "benign",
        "relay",
        "Every object has fields of a later version.",
        "INP-5",
        {},
        relay(ExtraFields),
    ),
    Mutant(
        "other-words",
        "benign",
        "relay",
        "Problems are told in other words, with a detail.",
        "OPS-1",
        {},
        relay(OtherWords),
    ),
    Mutant(
        "beats-often",
        "benign",
        "relay",
        "A heartbeat every ten seconds instead of fifteen.",
        "OUT-8",
        {},
        relay(BeatsOften),
    ),
    Mutant(
        "thinks-a-while",
        "benign",
        "relay",
        "Every answer takes 30 ms longer.",
        "LAT-1",
        {},
        relay(service=ThinksAWhile),
    ),
    Mutant("long-ids", "benign", "relay", "Session ids are long and have dots in them.", "SES-2", {}, relay(LongIds)),
    Mutant(
        "tells-presence-again",
        "benign",
        "relay",
        "Presence is told with every heartbeat, changed or not.",
        "OPS-2",
        {},
        relay(TellsPresenceAgain),
    ),
)
