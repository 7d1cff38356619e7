"""A machine, a clock and a relay of paper: one line in, what comes out."""

import json
import math
import random

from reference.protocol.client_io import (
    Answered,
    Call,
    CallFailed,
    OpenStream,
    StreamBytes,
    StreamOpened,
    StreamSent,
    Tick,
)
from reference.protocol.errors import ERRORS
from reference.protocol.instant import Instant
from reference.protocol.timers import Timers

JSON = {"content-type": "application/json"}
PROBLEM = {"content-type": "application/problem+json"}
EVENTS = {"content-type": "text/event-stream"}


def sse(name, data, seq=None):
    head = "" if seq is None else f"id: {seq}\n"
    return f"{head}event: {name}\ndata: {json.dumps(data)}\n\n".encode()


class Playbook:
    """Feeds a machine and keeps what it wants done.

    ``relay`` maps the last part of a call's path to an answer ``(status, body)``; a path that is missing stays unanswered.
    """

    def __init__(self, machine_type, seed=1, timers=None):
        self.machine = machine_type(timers or Timers(), random.Random(seed))
        self.awake = 1000.0
        self.asleep = 0.0
        self.relay = {"token": lambda _: (200, {"access_token": f"rca_{self.minted()}", "expires_in": 600})}
        self.effects = []
        self.calls = []
        self._minted = 0
        self._unreachable = False
        self._times_out = {}

    def minted(self):
        self._minted += 1
        return self._minted

    @property
    def now(self):
        return Instant(self.awake, self.awake + self.asleep, 1.7e9 + self.awake + self.asleep)

    def give(self, event):
        """Give one input, let the relay answer its calls, and return all effects."""
        effects = self.machine.handle(event, self.now)
        deadline = self.machine.next_deadline()
        assert deadline is None or deadline > self.awake
        self.effects += effects
        told = list(effects)
        for call in [effect for effect in effects if isinstance(effect, Call)]:
            self.calls.append(call)
            answer = self.relay.get(call.path.rpartition("/")[2])
            if answer is None and self._unreachable:
                self._times_out[call.call] = self.awake + call.timeout_s
            elif answer is not None:
                status, body = answer(call)
                told += self.give(self.answered(call, status, body))
        return told

    def answered(self, call, status, body):
        return Answered(call.call, status, JSON if status < 400 else PROBLEM, json.dumps(body).encode())

    def refuses(self, code, **extra):
        return lambda _: (ERRORS[code].status, {"type": f"urn:relayproof:{code}", "title": "no", **extra})

    def tick_until(self, awake):
        """Let awake time pass, ticking when asked to."""
        told = []
        while (due := min((self._due(), *self._times_out.values()))) <= awake:
            self.awake = due
            overdue = [call for call, at in self._times_out.items() if at <= due]
            for call in overdue:
                del self._times_out[call]
                told += self.give(CallFailed(call, "no answer in time"))
            if self._due() <= due:
                told += self.give(Tick())
        self.awake = awake
        return told

    def _due(self):
        due = self.machine.next_deadline()
        return math.inf if due is None else due

    def passes(self, span_s):
        return self.tick_until(self.awake + span_s)

    def sleeps(self, span_s):
        self.asleep += span_s

    def last(self, kind):
        return [effect for effect in self.effects if isinstance(effect, kind)][-1]

    def opens(self):
        """The stream asked for last is opened by the relay."""
        stream = self.last(OpenStream).stream
        self.give(StreamSent(stream))
        self.give(StreamOpened(stream, 200, EVENTS))
        return [*self.give(StreamBytes(stream, b": open\n\n"))]

    def reads(self, *events):
        """The live stream brings bytes."""
        return self.give(StreamBytes(self.machine.live.id, b"".join(events)))

    def beats(self, span_s, every_s=15.0):
        """Time passes while the relay's heartbeats come."""
        end = self.awake + span_s
        told = []
        while self.awake + every_s <= end:
            told += self.passes(every_s)
            told += self.reads(b": hb\n\n")
        return told + self.tick_until(end)

    def unreachable(self):
        """From now on every call is in vain, and fails when its time is over."""
        self.relay.clear()
        self._unreachable = True

    def fails(self):
        return self.give(CallFailed(self.calls[-1].call, "no route"))


def of(kind, effects):
    return [effect for effect in effects if isinstance(effect, kind)]
