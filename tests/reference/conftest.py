"""Machines on loopback for the clients' tests: real TLS, a relay, a scripted agent, doors to talk through."""

import contextlib
import dataclasses
import datetime as dt
import random
import ssl
import time
from functools import partial

import pytest
import trio
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

import reference.device.shim
import reference.host.shim
import reference.relay.shim
from reference.platform import Door, Platform
from reference.protocol.instant import Instant


@pytest.fixture(scope="session")
def relay_pem(tmp_path_factory):
    key = ed25519.Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = (
        builder.serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
    )
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    cert = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(key, None)
    pem = tmp_path_factory.mktemp("tls") / "relay.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(secret + cert.public_bytes(serialization.Encoding.PEM))
    return pem


class MemoryHome:
    def __init__(self):
        self.files = {}

    def read(self, name):
        return self.files.get(name)

    def write(self, name, data):
        self.files[name] = data


class MemoryStore:
    def __init__(self):
        self.records = []

    async def load(self):
        return list(self.records)

    async def commit(self, records):
        await trio.lowlevel.checkpoint()
        self.records += records

    async def aclose(self):
        await trio.lowlevel.checkpoint()


class Agent:
    """The scripted other end of an agent pipe."""

    def __init__(self):
        self.heard = []
        self.answers = {}
        self.to_host, self._out = trio.open_memory_channel(1000)

    async def send(self, message):
        await trio.lowlevel.checkpoint()
        method, number = message.get("method"), message.get("id")
        if method is None:
            self.answers[number] = message["result"]["outcome"]
        elif method == "session/new":
            self.reply(number, {"sessionId": "s"})
        elif method == "session/prompt":
            self.heard.append(message["params"]["prompt"][0]["text"])
            self.reply(number, {"stopReason": "end_turn"})
        else:
            self.reply(number, {"protocolVersion": 1})

    def __aiter__(self):
        return self._out.__aiter__()

    def reply(self, number, result):
        self.to_host.send_nowait({"jsonrpc": "2.0", "id": number, "result": result})

    def says(self, text):
        update = {"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": text}}
        self.notify("session/update", {"sessionId": "s", "update": update})

    def notify(self, method, params):
        self.to_host.send_nowait({"jsonrpc": "2.0", "method": method, "params": params})

    def asks(self, number, tool):
        options = [
            {"optionId": "allow", "name": "Allow", "kind": "allow_once"},
            {"optionId": "reject", "name": "No", "kind": "reject_once"},
        ]
        call = {"toolCallId": f"c{number}", "title": tool, "kind": "execute", "rawInput": {"command": tool}}
        params = {"sessionId": "s", "toolCall": call, "options": options}
        self.to_host.send_nowait(
            {"jsonrpc": "2.0", "id": number, "method": "session/request_permission", "params": params}
        )


class Role:
    """A program behind its door."""

    def __init__(self):
        self.requests, inbox = trio.open_memory_channel(100)
        self.door = Door(inbox, self._receive)
        self.events = []
        self._replies = {}
        self._news = trio.Event()
        self._n = 0
        self.code = None

    def _receive(self, message):
        if "ev" in message:
            self.events.append(message)
        else:
            self._replies[message["id"]] = message
        self._news.set()
        self._news = trio.Event()

    def ask(self, verb, **args):
        self._n += 1
        self.requests.send_nowait({"id": self._n, "verb": verb, "args": args})
        return self._n

    async def reply(self, number):
        while number not in self._replies:
            await self._news.wait()
        message = self._replies[number]
        return message["ok"] if "ok" in message else message["err"]

    async def call(self, verb, **args):
        return await self.reply(self.ask(verb, **args))

    async def sees(self, event, **wanted):
        def found():
            return next((e for e in self.events if e["ev"] == event and wanted.items() <= e.items()), None)

        while found() is None:
            await self._news.wait()
        return found()


class Stage:
    """A relay, and what it takes to start hosts and devices against it."""

    def __init__(self, nursery, pem, timers):
        self.nursery, self.pem, self.timers = nursery, pem, timers
        self.agent = Agent()
        self.boots = 1
        self.printed = []
        self.environ = {}
        self.relay = Role()
        self.url = ""

    def platform(self, seed):
        def server_tls():
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.pem)
            return context

        return Platform(
            instant=lambda: Instant(time.monotonic(), time.clock_gettime(time.CLOCK_BOOTTIME), time.time()),
            entropy=random.Random(seed),
            environ=self.environ,
            client_tls=lambda: ssl.create_default_context(cafile=self.pem),
            server_tls=server_tls,
            home=MemoryHome(),
            open_store=MemoryStore,
            launch_agent=self._launch,
            print=self.printed.append,
            timers=self.timers,
        )

    @contextlib.asynccontextmanager
    async def _launch(self, _cwd):
        yield self.agent

    async def open_relay(self, **contract):
        self.nursery.start_soon(reference.relay.shim.serve, self.relay.door, self.platform(1))
        self.url = (await self.relay.call("start", name="localhost", port=0, contract=contract))["url"]

    async def credential(self, role, **extra):
        issued = await self.relay.call(
            "issue", subject=f"{role}-1", role=role, account="a", plan="max", sign_in="login", **extra
        )
        return issued["credential"]

    def _boot(self, serve, **options):
        role = Role()
        self.boots += 1
        platform = self.platform(self.boots)

        async def run():
            role.code = await serve(role.door, platform, **options)
            role._receive({"ev": "program-ended"})

        self.nursery.start_soon(run)
        return role

    async def host(self, **args):
        host = self._boot(reference.host.shim.serve)
        credential = await self.credential("host")
        start = {"relay_url": self.url, "instance": "i", "title": "t", "cwd": "/w", "credential": credential, **args}
        return host, await host.call("start", **start)

    async def device(self, session=None, **issue):
        device = self._boot(reference.device.shim.serve)
        credential = await self.credential("device", **issue)
        await device.call("start", relay_url=self.url, device="phone", credential=credential)
        if session:
            assert await device.call("attach", session=session) == {}
        return device


@pytest.fixture
def on_stage(relay_pem):
    """Run ``story(stage)`` with a relay on loopback."""

    def runner(story, timers=None, **contract):
        async def main():
            async with trio.open_nursery() as nursery:
                stage = Stage(nursery, relay_pem, timers or dataclasses.replace(Platform.timers))
                with trio.fail_after(20):
                    await stage.open_relay(**contract)
                    await story(stage)
                nursery.cancel_scope.cancel()

        trio.run(partial(main))

    return runner
