import pytest


@pytest.mark.slow
def test_a_session_lives_end_to_end(on_stage):
    async def story(stage):
        host, started = await stage.host()
        phone = await stage.device(started["session"])
        stage.agent.says("one")
        assert (await phone.sees("shown", text="one"))["author"] == "host"
        sent = await phone.call("send", text="run the tests")
        assert sent["stage"] == "relay_stored"
        await phone.sees("message", msg_id=sent["msg_id"], stage="host_applied")
        assert stage.agent.heard == ["run the tests"]
        stage.agent.asks(7, "rm -rf build")
        asked = await phone.sees("approval", tool="rm -rf build", state="pending")
        await phone.call("answer", request=asked["request"], option="allow")
        await phone.sees("approval", state="resolved", option="allow")
        await phone.sees("shown", kind="receipt", text="host_applied", seq=sent["seq"] + 5)
        assert stage.agent.answers == {7: {"outcome": "selected", "optionId": "allow"}}
        await phone.sees("presence", state="online")
        await host.sees("status", state="online")
        await host.call("rename", title="renamed")
        await phone.sees("shown", kind="title", text="renamed")
        assert (await host.call("press", key="space")) == {"qr": True}
        assert (await host.call("qxzv"))["code"] == "unsupported"
        await host.call("stop", how="graceful")
        assert (await host.sees("exiting"))["code"] == 0
        await phone.sees("presence", state="ended")

    on_stage(story)
