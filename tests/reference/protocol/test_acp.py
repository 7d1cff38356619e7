import pytest

from reference.protocol.acp import METHOD_NOT_FOUND, AgentLink, Asked, Ready, Say, TookBack, TurnEnded, Updated


def ready():
    link = AgentLink("/w")
    hello = link.hello()
    session = link.receive({"jsonrpc": "2.0", "id": hello["id"], "result": {}})
    assert link.receive({"jsonrpc": "2.0", "id": session.message["id"], "result": {"sessionId": "s"}}) == Ready()
    return link


def test_the_handshake_opens_a_session_in_the_directory():
    link = AgentLink("/w")
    session = link.receive({"jsonrpc": "2.0", "id": link.hello()["id"], "result": {}})
    assert session.message["params"]["cwd"] == "/w"
    assert not link.is_ready


@pytest.mark.parametrize(
    ("answer", "ended"),
    [({"result": {"stopReason": "end_turn"}}, TurnEnded("")), ({"error": "boom"}, TurnEnded("boom"))],
)
def test_a_turn_ends_well_or_not(answer, ended):
    link = ready()
    prompt = link.prompt([{"type": "text", "text": "hi"}])
    assert link.receive({"jsonrpc": "2.0", "id": prompt["id"], **answer}) == ended
    assert link.receive({"jsonrpc": "2.0", "id": prompt["id"], **answer}) is None


YES = {"optionId": "yes, always", "name": "Yes", "kind": "allow_always"}
NONE = [{}, 3, {"optionId": 3, "kind": "allow_once"}, {"optionId": ""}, {"optionId": "x" * 129}]
"""What an agent may say and nobody can choose."""


@pytest.mark.parametrize(
    ("message", "heard"),
    [
        ({"method": "session/update", "params": {"update": {"a": 1}}}, Updated({"a": 1})),
        ({"method": "$/cancel_request", "params": {"id": 7}}, TookBack(7)),
        (
            {"method": "session/request_permission", "id": 7, "params": {"toolCall": {}, "options": [*NONE, YES]}},
            Asked(7, {}, [YES]),
        ),
        (
            {"method": "session/request_permission", "id": 7, "params": {"toolCall": {}, "options": NONE}},
            Say(AgentLink.answer(7, None)),
        ),
        ({"method": "session/request_permission", "id": 7, "params": {}}, Say(AgentLink.answer(7, None))),
        ({"method": "session/update", "params": 3}, None),
        ({"method": "something/else"}, None),
        ({}, None),
    ],
)
def test_what_an_agent_can_say(message, heard):
    assert ready().receive(message) == heard


def test_what_the_host_does_not_offer_is_refused():
    said = ready().receive({"method": "fs/read_text_file", "id": 3, "params": {}})
    assert said.message["error"]["code"] == METHOD_NOT_FOUND
