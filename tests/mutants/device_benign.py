"""Devices that differ from the reference and are right: whoever fails them is a check that asks for more than the protocol says."""

from dataclasses import replace

import msgspec

from harness.run.gallery import Mutant
from reference.device.driver import DeviceDriver
from reference.protocol.backoff import Backoff
from reference.protocol.device import DeviceMachine

from ._clients import Queue, device

DELAY_S = 0.05
STREAM_LIVES_S = 60.0


class OtherBackoff(DeviceMachine):
    def make_backoff(self):
        return Backoff(replace(self.timers, backoff_base_s=2.0, backoff_cap_s=20.0), self.entropy)


class ExtraFields(DeviceDriver):
    """A later version's fields and headers."""

    def _call(self, call):
        if call.body.startswith(b"{"):
            body = msgspec.json.encode({**msgspec.json.decode(call.body), "x_later": [1, {"version": 7}]})
            call = replace(call, body=body, headers=(*call.headers, ("X-Later", "7")))
        super()._call(call)


class SlowScreen(DeviceDriver):
    waiting = None

    def _tell(self, told):
        if told.event != "shown":
            super()._tell(told)
            return
        self.waiting = self.waiting or Queue(self._nursery, DELAY_S, super()._tell)
        self.waiting.put(told)


class FreshStreams(DeviceMachine):
    """A stream is opened anew every minute; the old one stays until the new one speaks."""

    def drive(self):
        if self.live is not None and self._now.awake_s >= self.live.asked_at_s + STREAM_LIVES_S:
            self.reopen = True
        super().drive()

    def deadlines(self):
        yield from super().deadlines()
        if self.live is not None and self.candidate is None:
            yield max(self._now.awake_s + 1.0, self.live.asked_at_s + STREAM_LIVES_S)


class LongIds(DeviceMachine):
    def mint_msg_id(self):
        return f"urn:x-device:message:{super().mint_msg_id()}"


MUTANTS = (
    Mutant(
        "device-other-backoff",
        "benign",
        "device",
        "The back-off starts at two seconds and ends at twenty.",
        "OUT-11",
        {},
        device(OtherBackoff),
    ),
    Mutant(
        "device-extra-fields",
        "benign",
        "device",
        "Every request has fields and headers of a later version.",
        "INP-5",
        {},
        device(driver=ExtraFields),
    ),
    Mutant(
        "device-slow-screen",
        "benign",
        "device",
        "Entries are shown 50 ms later.",
        "LAT-1",
        {},
        device(driver=SlowScreen),
    ),
    Mutant(
        "device-fresh-streams",
        "benign",
        "device",
        "The stream is opened anew every minute.",
        "ORD-9",
        {},
        device(FreshStreams),
    ),
    Mutant(
        "device-long-ids",
        "benign",
        "device",
        "Message ids are long.",
        "ORD-3",
        {},
        device(LongIds),
    ),
)
