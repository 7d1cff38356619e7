"""The scripted agent: what it prints, asks and runs, and what of it is journalled."""

import pytest
import trio
import trio.testing

from harness.sut.agent import ScriptedAgent


def perform(*acts, answers=()):
    """Have an agent act, then hear; returns its journal and what it sent to the host."""
    journal, sent = [], []

    async def main():
        to_host, host_in = trio.open_memory_channel(100)
        act_in, acts_out = trio.open_memory_channel(100)
        to_agent, agent_in = trio.open_memory_channel(100)
        agent = ScriptedAgent(lambda what, **data: journal.append((what, data)), to_host, acts_out)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(agent.run, agent_in)
            for act in acts:
                await act_in.send(act)
            await trio.sleep(100)
            for answer in answers:
                await to_agent.send(answer)
            await trio.sleep(1)
            await to_agent.aclose()
        to_host.close()
        sent.extend([message async for message in host_in])

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    return journal, sent


def chosen(number, option):
    outcome = {"outcome": "selected", "optionId": option} if option else {"outcome": "cancelled"}
    return {"jsonrpc": "2.0", "id": number, "result": {"outcome": outcome}}


def test_a_line_is_journalled_and_printed():
    journal, sent = perform(("say", {"text": "one", "step": "story.0"}))
    assert journal == [("agent.said", {"text": "one", "step": "story.0"})]
    assert sent[0]["params"]["update"]["content"]["text"] == "one"


@pytest.mark.parametrize(
    ("option", "what", "outcome"),
    [
        ("allow", "tool.ran", None),
        ("allow-all", "tool.ran", None),
        ("reject", "tool.refused", "reject"),
        ("", "tool.refused", "cancelled"),
    ],
)
def test_a_tool_runs_only_when_it_was_allowed(option, what, outcome):
    journal, sent = perform(("ask", {"tool": "git push"}), answers=[chosen(1, option)])
    assert sent[0]["method"] == "session/request_permission"
    assert journal[0] == ("tool.asked", {"call": "call-1", "tool": "git push"})
    expected = {"call": "call-1", "tool": "git push"} | ({"outcome": outcome} if outcome else {})
    assert journal[1] == (what, expected)


def test_a_second_answer_runs_nothing_and_is_journalled():
    journal, _ = perform(("ask", {"tool": "rm"}), answers=[chosen(1, "reject"), chosen(1, "allow")])
    assert [what for what, _ in journal] == ["tool.asked", "tool.refused", "tool.answered_again"]


def test_a_question_taken_back_cannot_be_answered():
    acts = [("ask", {"tool": "rm"}), ("withdraw", {"tool": "rm"}), ("withdraw", {"tool": "other"})]
    journal, sent = perform(*acts, answers=[chosen(1, "allow")])
    assert [what for what, _ in journal] == ["tool.asked", "tool.withdrawn", "tool.answered_again"]
    assert sent[-1]["params"]["id"] == 1


def test_work_prints_a_line_every_ten_seconds():
    journal, _ = perform(("work", {"for_s": 25.0, "step": "story.1"}))
    assert [what for what, _ in journal] == ["turn.began", *["agent.said"] * 3, "turn.ended"]


def test_a_prompt_is_heard_and_every_request_is_answered():
    prompt = {
        "id": 5,
        "method": "session/prompt",
        "params": {"prompt": [{"type": "text", "text": "run"}, {"text": "!"}]},
    }
    asked = [prompt, {"id": 6, "method": "initialize"}, {"id": 7, "method": "nobody/knows"}, {"method": "notice"}]
    journal, sent = perform(answers=asked)
    assert journal == [("agent.heard", {"text": "run!"})]
    assert {message["id"]: message["result"] for message in sent} == {
        5: {"stopReason": "end_turn"},
        6: {"protocolVersion": 1, "agentCapabilities": {}},
        7: {},
    }
