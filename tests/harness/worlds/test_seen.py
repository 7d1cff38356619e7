"""When the director goes on: by what was seen, never by what was asked."""

from types import SimpleNamespace

import pytest

from harness.history.events import Event
from harness.worlds.seen import Seen


def seen(*events):
    return Seen(SimpleNamespace(events=[Event(n, float(n), *event) for n, event in enumerate(events)]))


@pytest.mark.parametrize(
    ("actor", "verb", "value", "event"),
    [
        ("phone", "sees", "one", ("phone", "saw", "shown", {"text": "one"})),
        ("host", "hears", "one", ("host", "os", "agent.heard", {"text": "one"})),
        ("host", "runs", "git push", ("host", "os", "tool.ran", {"tool": "git push"})),
        ("host", "ran", "git push", ("host", "os", "tool.ran", {"tool": "git push"})),
        ("host", "exits", "gated", ("host", "os", "process.exited", {"code": 77})),
        ("phone", "shows", "offline", ("phone", "saw", "presence", {"state": "offline"})),
        (
            "phone",
            "approval",
            {"of": "git push", "is": "resolved"},
            ("phone", "saw", "approval", {"tool": "git push", "state": "resolved"}),
        ),
    ],
)
def test_a_condition_comes_true_with_its_event(actor, verb, value, event):
    assert seen(event).condition(actor, verb, value)()
    assert not seen().condition(actor, verb, value)()
    assert not seen(("tablet", *event[1:])).condition(actor, verb, value)()


def test_what_was_only_asked_for_was_not_seen():
    asked = ("phone", "invoke", "shown", {"text": "one"})
    assert not seen(asked).condition("phone", "sees", "one")()


def test_a_question_that_is_pending_again_is_not_resolved():
    states = [("phone", "saw", "approval", {"tool": "git push", "state": state}) for state in ("resolved", "pending")]
    assert not seen(*states).condition("phone", "approval", {"of": "git push", "is": "resolved"})()
