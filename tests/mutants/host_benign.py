"""Hosts that differ from the reference and are right, and hosts that are nothing at all."""

import contextlib
from dataclasses import replace
from urllib.parse import urlsplit

import msgspec
import trio

from harness.run.gallery import Mutant
from reference.host.driver import HostDriver
from reference.protocol.backoff import Backoff
from reference.protocol.client_io import Exit
from reference.protocol.host import HostMachine
from reference.protocol.host_io import AgentSaid
from reference.protocol.host_outbox import Outbox

from ._clients import Queue, crashes, echo, host, liar, silent, whole

DELAY_S = 0.05
BATCH_MAX = 20


class BeatsOften(HostMachine):
    def on_start(self, start):
        self.timers = replace(self.timers, heartbeat_s=10.0)
        super().on_start(start)


class OtherBackoff(HostMachine):
    def make_backoff(self):
        return Backoff(replace(self.timers, backoff_base_s=2.0, backoff_cap_s=20.0), self.entropy)


class KnocksFirst(HostDriver):
    """Where no proxy is in the way it opens a connection to its relay ahead of time, and closes it unused."""

    async def run(self):
        if self.dialler.route() is None:
            with contextlib.suppress(OSError):
                stream = await trio.open_tcp_stream(urlsplit(self.dialler.relay_url).hostname, 443)
                await stream.aclose()
        return await super().run()


class SlowAgent(HostDriver):
    waiting = None

    def put(self, event):
        if not isinstance(event, AgentSaid):
            super().put(event)
            return
        self.waiting = self.waiting or Queue(self._nursery, DELAY_S, super().put)
        self.waiting.put(event)


class ExtraFields(HostDriver):
    """A later version's fields and headers."""

    def _call(self, call):
        if call.body.startswith(b"{"):
            body = msgspec.json.encode({**msgspec.json.decode(call.body), "x_later": {"version": 7}})
            trace = ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
            call = replace(call, body=body, headers=(*call.headers, trace))
        super()._call(call)


class OtherWords(HostMachine):
    """Texts for people are nobody's contract."""

    def say(self, line):
        super().say(f"» {line.upper()}")

    def do(self, effect):
        super().do(replace(effect, message="Tschüss.") if isinstance(effect, Exit) else effect)


class SmallOutbox(Outbox):
    def batch(self):
        return super().batch()[:BATCH_MAX]


class SmallBatches(HostMachine):
    def on_start(self, start):
        self.outbox = SmallOutbox()
        super().on_start(start)


MUTANTS = (
    Mutant(
        "host-beats-often",
        "benign",
        "host",
        "A heartbeat every ten seconds instead of fifteen.",
        "OUT-8",
        {},
        host(BeatsOften),
    ),
    Mutant(
        "host-other-backoff",
        "benign",
        "host",
        "The back-off starts at two seconds and ends at twenty.",
        "OUT-11",
        {},
        host(OtherBackoff),
    ),
    Mutant(
        "host-knocks-first",
        "benign",
        "host",
        "A connection to the relay is opened ahead of time and never used.",
        "EGR-2, TLS-4",
        {},
        host(driver=KnocksFirst),
    ),
    Mutant(
        "host-slow-agent",
        "benign",
        "host",
        "The agent's words arrive 50 ms later.",
        "LAT-1",
        {},
        host(driver=SlowAgent),
    ),
    Mutant(
        "host-extra-fields",
        "benign",
        "host",
        "Every request has fields and headers of a later version.",
        "INP-5",
        {},
        host(driver=ExtraFields),
    ),
    Mutant(
        "host-other-words",
        "benign",
        "host",
        "The terminal says everything in other words.",
        "OPS-1",
        {},
        host(OtherWords),
    ),
    Mutant(
        "host-small-batches",
        "benign",
        "host",
        "At most twenty items go up in one request.",
        "protocol.md, outbox",
        {},
        host(SmallBatches),
    ),
    Mutant(
        "host-silent",
        "unconditional",
        "host",
        "The program answers nothing.",
        "conformance.md 5.6",
        {"RC-SES-000.control": "setup"},
        whole("host", silent),
    ),
    Mutant(
        "host-echo",
        "unconditional",
        "host",
        "The program answers everything with what it was asked.",
        "conformance.md 5.6",
        {"RC-SES-000.control": "untrusted-adapter"},
        whole("host", echo),
    ),
    Mutant(
        "host-crashes-on-start",
        "unconditional",
        "host",
        "The program dies of the first thing that it is asked to do.",
        "conformance.md 5.6",
        {"RC-SES-000.control": "no-start"},
        whole("host", crashes),
    ),
    Mutant(
        "host-liar",
        "unconditional",
        "host",
        "The program says that all went well and does nothing.",
        "conformance.md 5.6",
        {"RC-SES-000.control": "not-listed"},
        whole(
            "host",
            liar(
                {
                    "hello": {"name": "liar", "version": "1", "roles": ["host"], "verbs": [], "claims": {}},
                    "start": {"session": "s1", "url": "https://relay.test/s1"},
                    "stop": {},
                    "rename": {},
                    "type": {},
                    "press": {"qr": True},
                    "screen": {
                        "status": "online",
                        "reason": "",
                        "url": "https://relay.test/s1",
                        "title": "",
                        "qr": True,
                    },
                }
            ),
        ),
    ),
)
