"""A conversation with the machine as a test writes it: requests in, what was answered and streamed out."""

import json
import random
from urllib.parse import urlencode

from reference.protocol.instant import Instant
from reference.protocol.relay import RelayMachine, Terms
from reference.protocol.relay_io import (
    CloseStream,
    Commit,
    Committed,
    Issue,
    OpenStream,
    Request,
    Respond,
    StreamData,
    Tick,
    Told,
)


class Playbook:
    """One relay, one disk, one clock; commits at once unless ``slow_disk``."""

    def __init__(self, machine=RelayMachine, terms=None, disk=None, at=1000.0):
        self.machine = machine(terms or Terms(), random.Random(3))
        self.disk = disk if disk is not None else []
        self.awake = self.elapsed = at
        self.wall = 1_700_000_000.0 + at
        self.rid = 0
        self.slow_disk = False
        self.commit = None
        self.answers, self.streams, self.closed, self.told = {}, {}, [], {}
        self.machine.restore(self.disk, self.now)

    @property
    def now(self):
        return Instant(self.awake, self.elapsed, self.wall)

    def put(self, what):
        for effect in self.machine.handle(what, self.now):
            match effect:
                case Respond(rid, status, headers, body):
                    assert rid not in self.answers
                    self.answers[rid] = (status, dict(headers), body)
                case OpenStream(rid, _):
                    self.streams[rid] = b""
                case StreamData(rid, data):
                    assert rid not in self.closed
                    self.streams[rid] += data
                case CloseStream(rid):
                    self.closed.append(rid)
                case Told(rid, result):
                    self.told[rid] = result
                case Commit():
                    assert self.commit is None
                    self.commit = effect
        if not self.slow_disk:
            self.sync()

    def sync(self):
        while self.commit is not None:
            commit, self.commit = self.commit, None
            self.disk += commit.records
            self.put(Committed(commit.upto))

    def wait(self, seconds):
        """Let time pass, ticking whenever the machine asks for it."""
        end = self.awake + seconds
        while (at := self.machine.next_deadline()) is not None and at <= end:
            self._move(max(0.0, at - self.awake))
            self.put(Tick())
            after = self.machine.next_deadline()
            assert after is None or after > self.awake, "no progress"
        self._move(end - self.awake)

    def _move(self, seconds):
        self.awake += seconds
        self.elapsed += seconds
        self.wall += seconds

    def enrol(self, subject, role, account="a", **fields):
        self.rid += 1
        defaults = {"scopes": (), "lives_s": 1e6, "access_lives_s": None, "plan": "max", "sign_in": "account"}
        self.put(Issue(self.rid, subject, role, account, **{**defaults, **fields}))
        return self.told[self.rid]["credential"]

    def ask(self, method, path, token=None, body=b"", **headers):
        """Send a request; returns its rid."""
        self.rid += 1
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {name.replace("_", "-").lower(): str(value) for name, value in headers.items()}
        if token:
            sent["authorization"] = f"Bearer {token}"
        self.put(Request(self.rid, method, path, "", sent, raw))
        return self.rid

    def call(self, *args, **kwargs):
        """Send a request; returns status and body."""
        status, _, body = self.answers[self.ask(*args, **kwargs)]
        return status, json.loads(body)

    def code(self, *args, **kwargs):
        """Send a request that is refused; returns the code."""
        status, problem = self.call(*args, **kwargs)
        assert status == problem["status"] >= 400, problem
        return problem["type"].removeprefix("urn:relayproof:")

    def token(self, enrolment, scope):
        form = {"grant_type": "refresh_token", "refresh_token": enrolment, "scope": scope}
        status, body = self.call("POST", "/v1/token", body=urlencode(form).encode())
        assert status == 200, body
        return body["access_token"]

    def events(self, rid):
        """What a stream or a poll carried, comments left out: (name, id, data)."""
        raw = self.streams.get(rid) or self.answers[rid][2]
        out = []
        for block in raw.decode().split("\n\n")[:-1]:
            fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
            if fields:
                out.append((fields["event"], fields.get("id"), json.loads(fields["data"])))
        return out


class Scene(Playbook):
    """A host with a session and a phone, each with every token."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.host_credential = self.enrol("host", "host")
        self.phone_credential = self.enrol("phone", "device")
        self.renew()
        self.epoch = 1
        self.session = self.register("1")["session"]
        self.path = f"/v1/sessions/{self.session}"

    def renew(self):
        self.h = {s: self.token(self.host_credential, f"host:{s}") for s in ("register", "stream", "publish")}
        self.d = {s: self.token(self.phone_credential, f"device:{s}") for s in ("read", "send", "approve")}

    def register(self, incarnation, instance="i"):
        body = {"instance": instance, "incarnation": incarnation, "title": "t", "cwd": "/", "version": "1"}
        status, answer = self.call("POST", "/v1/sessions", self.h["register"], body)
        assert status in (200, 201), answer
        return answer

    def inbox(self, **headers):
        return self.ask("GET", f"{self.path}/inbox", self.h["stream"], relay_epoch=self.epoch, **headers)

    def watch(self, **headers):
        return self.ask("GET", f"{self.path}/events", self.d["read"], **headers)

    def outbox(self, *items, heard_s=0.0, beat=0):
        rows = [{"n": n, "kind": kind, "body": body} for n, kind, body in items]
        body = {"epoch": self.epoch, "beat": beat, "heard_s": heard_s, "items": rows}
        return self.call("POST", f"{self.path}/outbox", self.h["publish"], body)

    def message(self, msg_id, text, call=None):
        body = {"msg_id": msg_id, "body": {"prompt": [{"type": "text", "text": text}]}}
        return (call or self.call)("POST", f"{self.path}/messages", self.d["send"], body)

    def decision(self, msg_id, option="yes", digest="d", request="r", call=None):
        body = {"msg_id": msg_id, "request": request, "option": option, "digest": digest}
        return (call or self.call)("POST", f"{self.path}/decisions", self.d["approve"], body)


ASKED = {
    "request": "r",
    "digest": "d",
    "toolCall": {"toolCallId": "t", "title": "rm"},
    "options": [{"optionId": "yes", "name": "Yes", "kind": "allow_once"}, {"optionId": "no", "kind": "reject_once"}],
}
