import json
import ssl
from functools import partial

import httpx2
import pytest
import trio

from reference.platform import Door
from reference.relay.shim import serve


class Operator:
    """The other side of the door."""

    def __init__(self):
        self.verbs, self.requests = trio.open_memory_channel(100)
        self.send, self.replies = trio.open_memory_channel(100)
        self.door = Door(self.requests, self.send.send_nowait)
        self.n = 0

    async def call(self, verb, **args):
        self.n += 1
        self.verbs.send_nowait({"id": self.n, "verb": verb, "args": args})
        reply = await self.replies.receive()
        assert reply["id"] == self.n
        return reply.get("ok", reply.get("err"))


class Caller:
    """A host or device by hand."""

    def __init__(self, client, credential):
        self.client = client
        self.credential = credential

    async def token(self, scope):
        form = {"grant_type": "refresh_token", "refresh_token": self.credential, "scope": scope}
        answer = await self.client.post("/v1/token", data=form)
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}


@pytest.fixture
def run(platform):
    """Run a story against a relay on loopback."""

    def runner(story):
        async def main():
            operator = Operator()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(partial(serve, operator.door, platform))
                with trio.fail_after(20):
                    await story(operator, platform)
                await operator.call("bye")

        trio.run(main)

    return runner


async def dial(operator, platform, **start):
    """Start the relay; returns a client to it."""
    started = await operator.call("start", **{"name": "localhost", "port": 0, **start})
    tls = platform.client_tls()
    assert isinstance(tls, ssl.SSLContext)
    return httpx2.AsyncClient(base_url=started["url"], verify=tls, trust_env=False, timeout=5)


async def events(response):
    """The events of a stream to its end, as (name, data); comments count too."""
    got, buffer = [], ""
    async for text in response.aiter_text():
        buffer += text
        while "\n\n" in buffer:
            block, buffer = buffer.split("\n\n", 1)
            fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
            got.append((fields.get("event", "comment"), json.loads(fields.get("data", "null"))))
    return got


@pytest.mark.slow
def test_a_message_goes_from_device_to_host_and_back(run):
    async def story(operator, platform):
        async with await dial(operator, platform) as client:
            host = Caller(client, (await operator.call("issue", subject="host", role="host"))["credential"])
            phone = Caller(client, (await operator.call("issue", subject="phone", role="device"))["credential"])
            register = {"instance": "i", "incarnation": "1", "title": "t", "cwd": "/", "version": "1"}
            answer = await client.post("/v1/sessions", json=register, headers=await host.token("host:register"))
            assert answer.status_code == 201, answer.text
            session = answer.json()
            path = f"/v1/sessions/{session['session']}"
            inbox = {**await host.token("host:stream"), "Relay-Epoch": "1"}
            async with client.stream("GET", f"{path}/inbox", headers=inbox) as stream:
                publish = await host.token("host:publish")
                beat = {"epoch": 1, "heard_s": 0, "items": []}
                await client.post(f"{path}/outbox", json=beat, headers=publish)
                sent = await client.post(
                    f"{path}/messages",
                    json={"msg_id": "m1", "body": {"prompt": [{"type": "text", "text": "hi"}]}},
                    headers=await phone.token("device:send"),
                )
                assert (sent.status_code, sent.json()["host"]["state"]) == (202, "online")
                ended = await client.post(f"{path}/end", json={"epoch": 1, "reason": "owner"}, headers=publish)
                heard = await events(stream)
            assert ended.json() == {"seq": 2}
            assert [name for name, _ in heard] == ["comment", "hello", "entry", "bye"]
            assert heard[2][1]["author"] == "phone"
            listed = await client.get("/v1/sessions", headers=await phone.token("device:read"))
            assert [row["session"] for row in listed.json()["sessions"]] == [session["session"]]

    run(story)


@pytest.mark.slow
def test_a_restart_on_the_same_store_keeps_everything(run):
    async def story(operator, platform):
        async with await dial(operator, platform) as client:
            credential = (await operator.call("issue", subject="host", role="host"))["credential"]
            host = Caller(client, credential)
            register = {"instance": "i", "incarnation": "1"}
            answer = await client.post("/v1/sessions", json=register, headers=await host.token("host:register"))
            publish = await host.token("host:publish")
            item = {"n": 1, "kind": "update", "body": {"x": 1}}
            path = f"/v1/sessions/{answer.json()['session']}/outbox"
            said = await client.post(path, json={"epoch": 1, "items": [item]}, headers=publish)
            assert said.json() == {"upto": 1, "seq": 1}
        assert await operator.call("stop", how="graceful") == {}
        async with await dial(operator, platform) as client:
            again = await client.post(path, json={"epoch": 1, "items": [item]}, headers=publish)
            assert (again.status_code, again.json()) == (200, {"upto": 1, "seq": 1})

    run(story)


def test_a_foreign_verb_is_unsupported_and_a_bad_argument_is_told(run):
    async def story(operator, platform):
        assert (await operator.call("xqzzy"))["code"] == "unsupported"
        assert (await operator.call("issue", subject="x", role="host"))["code"] == "bad-args"
        assert (await operator.call("start", port=0))["code"] == "bad-args"
        hello = await operator.call("hello")
        assert hello["roles"] == ["relay"]
        assert set(hello["verbs"]) >= {"start", "issue", "revoke", "drain", "stop", "bye"}

    run(story)


@pytest.mark.slow
def test_revoke_and_drain_reach_the_wire(run):
    async def story(operator, platform):
        async with await dial(operator, platform, contract={"token_lives_s": 60, "capacity": 1}) as client:
            host = Caller(client, (await operator.call("issue", subject="host", role="host"))["credential"])
            token = await host.token("host:register")
            assert await operator.call("revoke", subject="host") == {"revoked": 1}
            refused = await client.post("/v1/sessions", json={}, headers=token)
            assert refused.status_code == 401
            assert refused.json()["type"] == "urn:relayproof:token-revoked"
            assert refused.headers["www-authenticate"].startswith("Bearer")
            await operator.call("drain", retry_after_s=7)
            away = await client.get("/v1/sessions")
            assert (away.status_code, away.headers["retry-after"]) == (503, "7")

    run(story)
