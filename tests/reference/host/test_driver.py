"""The host's driver over loopback TLS: what only real connections can show."""

import dataclasses

import pytest
import trio

from reference.host.driver import qr_lines
from reference.protocol.timers import Timers

pytestmark = pytest.mark.slow


def test_tokens_are_renewed_without_a_break(on_stage):
    async def story(stage):
        host, started = await stage.host()
        phone = await stage.device(started["session"])
        for n in range(8):
            await trio.sleep(0.5)
            stage.agent.says(f"line {n}")
        await phone.sees("shown", text="line 7")
        texts = [e["text"] for e in phone.events if e["ev"] == "shown"]
        assert texts == [f"line {n}" for n in range(8)]
        assert [e["state"] for e in phone.events if e["ev"] == "stream"] == ["open"]
        assert not [e for e in host.events if e["ev"] == "status" and e["state"] in ("offline", "degraded")]

    on_stage(story, token_lives_s=2.0)


def test_a_drained_relay_costs_nothing(on_stage):
    async def story(stage):
        host, started = await stage.host()
        phone = await stage.device(started["session"])
        await host.sees("status", state="online")
        await stage.relay.call("drain", retry_after_s=1)
        await phone.sees("stream", state="closed", reason="draining")
        stage.agent.says("meanwhile")
        await trio.sleep(0.5)
        await stage.relay.call("stop")

    on_stage(story)


def test_an_outage_ends_the_host_with_75(on_stage):
    async def story(stage):
        host, _ = await stage.host(contract={"outage_limit_s": 1.5, "on_outage": "exit"})
        await stage.relay.call("stop")
        over = await host.sees("exiting")
        assert (over["code"], over["reason"]) == (75, "outage")
        await host.sees("program-ended")
        assert host.code == 75

    on_stage(story, timers=dataclasses.replace(Timers(), heartbeat_s=0.5))


def test_a_gate_ends_the_start(on_stage):
    async def story(stage):
        host, refused = await stage.host(permissions="skip")
        assert refused["code"] == "bad-args"
        assert (await host.sees("exiting"))["code"] == 64

    on_stage(story)


def test_a_revoked_host_exits_77(on_stage):
    async def story(stage):
        host, _ = await stage.host()
        await host.sees("status", state="online")
        await stage.relay.call("revoke", subject="host-1")
        over = await host.sees("exiting")
        assert (over["code"], over["reason"]) == (77, "token-revoked")

    on_stage(story)


def test_a_second_run_takes_over(on_stage):
    async def story(stage):
        first, started = await stage.host()
        await first.sees("status", state="online")
        _, again = await stage.host()
        assert again["session"] != started["session"]
        over = await first.sees("exiting")
        assert (over["code"], over["reason"]) == (69, "epoch-superseded")

    on_stage(story)


def test_history_goes_up_before_anything_live(on_stage):
    async def story(stage):
        history = [{"role": "user", "text": "hi"}, {"role": "agent", "text": "hello"}]
        _, started = await stage.host(mode="promote", history=history)
        stage.agent.says("live")
        phone = await stage.device(started["session"])
        await phone.sees("shown", text="live")
        assert [e["text"] for e in phone.events if e["ev"] == "shown"][:3] == ["hi", "hello", "live"]

    on_stage(story)


def test_a_proxy_setting_that_cannot_be_read_stops_the_launch_naming_it(on_stage):
    async def story(stage):
        stage.environ["https_proxy"] = "http://:bad"
        _, refused = await stage.host()
        assert "https_proxy" in refused["message"]
        stage.environ["https_proxy"] = "socks5://proxy:1080"
        _, refused = await stage.host()
        assert "SOCKS" in refused["message"]

    on_stage(story)


def test_every_request_goes_by_the_proxy(on_stage):
    tunnels = []

    async def proxy(stream):
        head = b""
        while b"\r\n\r\n" not in head:
            head += await stream.receive_some()
        tunnels.append(head.partition(b"\r\n")[0].decode())
        host, _, port = tunnels[-1].split()[1].partition(":")
        out = await trio.open_tcp_stream(host, int(port))
        await stream.send_all(b"HTTP/1.1 200 OK\r\n\r\n")
        async with out, trio.open_nursery() as nursery:
            nursery.start_soon(pump, stream, out)
            nursery.start_soon(pump, out, stream)

    async def pump(a, b):
        try:
            async for data in a:
                await b.send_all(data)
            await b.aclose()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            await trio.aclose_forcefully(b)

    async def story(stage):
        listeners = await stage.nursery.start(trio.serve_tcp, proxy, 0)
        stage.environ["https_proxy"] = f"http://localhost:{listeners[0].socket.getsockname()[1]}"
        host, started = await stage.host()
        assert started["session"]
        await host.sees("status", state="online")
        assert tunnels
        assert all(line.startswith("CONNECT localhost:") for line in tunnels)
        stage.environ.clear()

    on_stage(story)


def test_a_qr_code_is_a_square_of_blocks():
    lines = qr_lines("https://relay/s/1")
    assert len({len(line) for line in lines}) == 1
    assert len(lines[0]) in (len(lines) * 2, len(lines) * 2 - 1)
