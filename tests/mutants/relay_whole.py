"""Relays that answer everything alike."""

from typing import ClassVar

import msgspec
import trio

from harness.run.gallery import Mutant
from reference.protocol.problem import Refused
from reference.protocol.relay import RelayMachine
from reference.protocol.relay_core import JSON_HEADERS
from reference.protocol.relay_io import Request, Respond
from reference.relay.service import RelayService

from ._seams import relay


class RefusesAll(RelayMachine):
    def _refuse_all(self, request):
        raise Refused("rate-limited")


class RefusesAllRightly(RelayMachine):
    """Every refusal is spelled as it should be for a token that ran out; tokens are still handed out."""

    def _authorise(self, request, route):
        raise Refused("token-expired")


class RefusesDevices(RelayMachine):
    """Sessions start and are listed; whatever a device then tries is refused by the code that fits best."""

    FITTING: ClassVar = {
        "device:approve": "already-resolved",
        "device:send": "session-ended",
        "device:read": "token-expired",
    }

    def _authorise(self, request, route):
        access = super()._authorise(request, route)
        if access.enrolment.role == "device" and route.action != "list_sessions":
            raise Refused(self.FITTING[route.scope])
        return access


class AcceptsAll(RelayMachine):
    """No door is locked: every token, of every scope and account, for ever."""

    def accepts_token_at(self, access, age_s):
        return True

    def allows(self, access, scope):
        return True

    def owns(self, access, session):
        return True

    def admit(self, enrolment, body):
        pass

    def decide(self, session, body):
        if body.request not in session.asked:
            raise Refused("unknown-request")

    def _revoke(self, sha):
        pass


class Silent(RelayMachine):
    def _on_request(self, request):
        pass


class Echo(RelayMachine):
    def _on_request(self, request):
        body = request.body if request.body.startswith(b"{") else msgspec.json.encode({"echo": request.path})
        self._say(Respond(request.rid, 200, JSON_HEADERS, body))


class Crashes(RelayService):
    def submit(self, what):
        if isinstance(what, Request):
            raise RuntimeError("no request was ever expected")  # noqa: TRY004 - any crash will do
        super().submit(what)


class HtmlOfTheProvider(RelayMachine):
    def _on_request(self, request):
        page = b"<html><body>We will be back soon.</body></html>"
        self._say(Respond(request.rid, 200, (("Content-Type", "text/html"),), page))


class OverloadedForAMinute(RelayService):
    """Every answer comes too late for whoever asked."""

    async def run(self, *, task_status=trio.TASK_STATUS_IGNORED):
        async with trio.open_nursery() as nursery:
            self._waits = nursery
            await nursery.start(super().run)
            task_status.started()

    def submit(self, what):
        if isinstance(what, Request):
            self._waits.start_soon(self._later, what)
        else:
            super().submit(what)

    async def _later(self, request):
        await trio.sleep(60.0)
        if request.rid in self._peers:
            super().submit(request)


MUTANTS = (
    Mutant(
        "refuse-all",
        "unconditional",
        "relay",
        "Every request is refused.",
        "conformance.md 5.6",
        {"RC-SES-000.control": "no-start"},
        relay(RefusesAll),
    ),
    Mutant(
        "refuse-liar",
        "unconditional",
        "relay",
        "Every request is refused, with a code that a right relay might use.",
        "conformance.md finding 2",
        {"RC-SES-000.control": "no-start"},
        relay(RefusesAllRightly),
    ),
    Mutant(
        "refuse-devices",
        "unconditional",
        "relay",
        "Whatever a device tries is refused with the code that fits best.",
        "conformance.md finding 2",
        {"RC-SES-000.control": "setup"},
        relay(RefusesDevices),
    ),
    Mutant(
        "accept-all",
        "unconditional",
        "relay",
        "No door is locked.",
        "conformance.md 5.6",
        {"RC-AUT-001.refuses-expired": "accepted"},
        relay(AcceptsAll),
    ),
    Mutant(
        "silent",
        "unconditional",
        "relay",
        "No request is ever answered.",
        "conformance.md 5.6",
        {"RC-SES-000.control": "no-start"},
        relay(Silent),
    ),
    Mutant(
        "echo",
        "unconditional",
        "relay",
        "Every request comes back as its own answer.",
        "conformance.md 5.6",
        {"RC-SES-000.control": "no-start"},
        relay(Echo),
    ),
    Mutant(
        "crash-on-request",
        "unconditional",
        "relay",
        "The first request ends the program.",
        "conformance.md 5.6",
        {"RC-SES-000.control": "no-start"},
        relay(service=Crashes),
    ),
    Mutant(
        "web-page",
        "unconditional",
        "relay",
        "Every request is answered by a page for people.",
        "OUT-10",
        {"RC-SES-000.control": "no-start"},
        relay(HtmlOfTheProvider),
    ),
    Mutant(
        "a-minute-late",
        "unconditional",
        "relay",
        "Every answer is right, and a minute late.",
        "RES-1",
        {"RC-SES-000.control": "no-start"},
        relay(service=OverloadedForAMinute),
    ),
)
