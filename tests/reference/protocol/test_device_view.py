import itertools

import pytest

from reference.protocol.device_view import STAGES, View, text_of


@pytest.mark.parametrize("order", list(itertools.permutations(STAGES[:4])))
def test_a_message_never_goes_back(order):
    view = View()
    reached = [stage for stage in order if view.reach("m", stage)]
    assert reached == sorted(reached, key=STAGES.index)
    assert view.stages["m"] == "host_applied"


def test_failed_is_final():
    view = View()
    view.reach("m", "failed")
    assert not view.reach("m", "host_applied")


def test_a_question_closes_once():
    view = View()
    assert view.ask({"request": "q"}) is not None
    assert view.ask({"request": "q"}) is None
    assert view.close("q", "resolved", "allow", "phone")["by"] == "phone"
    assert view.close("q", "withdrawn") is None
    assert view.pending() == []


@pytest.mark.parametrize("options", [None, 3, [3, {}, {"optionId": 3}, {"optionId": ""}]])
def test_what_cannot_be_chosen_is_no_option(options):
    question = View().ask({"request": "q", "options": options})
    assert question is not None
    assert question["options"] == []


@pytest.mark.parametrize(
    ("kind", "body", "text"),
    [
        ("update", {"content": {"type": "text", "text": "x"}}, "x"),
        ("update", {"content": [1]}, ""),
        ("prompt", {"prompt": [{"text": "a"}, {"text": "b"}]}, "ab"),
        ("permission_request", {"toolCall": {"title": "run"}}, "run"),
        ("title", {"title": "t"}, "t"),
        ("receipt", {"stage": "failed"}, "failed"),
        ("something new", {"x": 1}, ""),
    ],
)
def test_the_text_of_an_entry(kind, body, text):
    assert text_of(kind, body) == text
