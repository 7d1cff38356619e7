import pytest

pytestmark = pytest.mark.slow


def test_a_phone_lists_joins_sends_and_leaves(on_stage):
    async def story(stage):
        _, started = await stage.host()
        phone = await stage.device()
        listed = await phone.call("list")
        assert [one["session"] for one in listed["sessions"]] == [started["session"]]
        assert await phone.call("attach", session=started["session"]) == {}
        sent = await phone.call("send", text="hi", msg_id="m-1")
        assert (await phone.call("send", text="hi", msg_id="m-1"))["seq"] == sent["seq"]
        assert (await phone.call("send", text="else", msg_id="m-1"))["code"] == "msg-id-reused"
        await phone.call("rename", title="new name")
        await phone.sees("shown", kind="title", text="new name")
        screen = await phone.call("screen")
        assert screen["title"] == "new name"
        assert screen["unsent"] == []
        assert await phone.call("detach") == {}
        assert (await phone.call("send", text="late"))["code"] == "bad-args"

    on_stage(story)


def test_a_late_joiner_sees_what_is_pending(on_stage):
    async def story(stage):
        _, started = await stage.host()
        first = await stage.device(started["session"])
        stage.agent.asks(3, "deploy")
        await first.sees("approval", state="pending")
        late = await stage.device(started["session"])
        asked = await late.sees("approval", state="pending", tool="deploy")
        await late.call("answer", request=asked["request"], option="reject")
        await first.sees("approval", state="resolved", option="reject")
        assert (await first.call("answer", request=asked["request"], option="allow"))["code"] == "already-resolved"

    on_stage(story)


def test_an_unknown_session_is_refused_with_the_relays_code(on_stage):
    async def story(stage):
        phone = await stage.device()
        assert (await phone.call("attach", session="s_none"))["code"] == "unknown-session"
        assert (await phone.call("qxzv"))["code"] == "unsupported"
        assert (await phone.call("send"))["code"] == "bad-args"

    on_stage(story)


def test_a_verb_before_start_is_refused(on_stage):
    async def story(stage):
        phone = await stage.device()
        assert (await phone.call("start", relay_url=stage.url, credential="x"))["code"] == "bad-args"
        assert (await phone.call("hello"))["roles"] == ["device"]
        assert await phone.call("bye") == {}

    on_stage(story)
