import json

import pytest

from reference.protocol import messages
from reference.protocol.messages import (
    DEPTH_MAX,
    ITEMS,
    Decision,
    End,
    Message,
    Outbox,
    Prompt,
    Register,
    convert,
    decode,
)
from reference.protocol.problem import Refused

PROMPT = {"prompt": [{"type": "text", "text": "run"}]}
MESSAGE = {"msg_id": "m1", "body": PROMPT}
DECISION = {"msg_id": "m1", "request": "r1", "option": "allow", "digest": "d"}


def test_unknown_fields_are_ignored():
    assert decode(json.dumps(MESSAGE | {"colour": "red"}).encode(), Message).body.prompt[0].text == "run"


@pytest.mark.parametrize(
    ("shape", "good", "wrong"),
    [
        (Message, MESSAGE, {"msg_id": ""}),
        (Message, MESSAGE, {"msg_id": "m" * 129}),
        (Message, MESSAGE, {"body": {"prompt": []}}),
        (Message, MESSAGE, {"body": {"prompt": [{"type": "image", "text": "x"}]}}),
        (Message, MESSAGE, {"body": {"prompt": [{"type": "text"}]}}),
        (Decision, DECISION, {"digest": ""}),
        (Decision, DECISION, {"option": 7}),
        (Register, {"instance": "i", "incarnation": "1"}, {"title": "t" * 4097}),
        (Register, {"instance": "i", "incarnation": "1"}, {"version": "1" * 33}),
        (Outbox, {"epoch": 1}, {"heard_s": -1}),
        (Outbox, {"epoch": 1}, {"beat": -1}),
        (Outbox, {"epoch": 1}, {"items": [{"n": 0, "kind": "update", "body": {}}]}),
        (Outbox, {"epoch": 1}, {"epoch": "1"}),
        (End, {"epoch": 1}, {"reason": ""}),
    ],
)
def test_one_field_that_is_off_is_refused(shape, good, wrong):
    assert isinstance(decode(json.dumps(good).encode(), shape), shape)
    with pytest.raises(Refused) as refused:
        decode(json.dumps(good | wrong).encode(), shape)
    assert refused.value.code == "bad-request"
    assert refused.value.extra["detail"]


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"null", b"[]", b"\xff", b'{"epoch": 1', b'{"epoch": 1}{}', b'{"epoch": NaN}']
)
def test_what_is_no_such_object_is_refused(raw):
    with pytest.raises(Refused):
        decode(raw, End)


def nested(depth):
    return json.dumps({"epoch": 1, "items": [{"n": 1, "kind": "update", "body": {"a": 0}}]}).replace(
        '"a": 0', '"a": ' + "[" * depth + "]" * depth
    )


def test_depth_is_bounded_exactly():
    around = 4  # the object, its items, the item, its body
    assert decode(nested(DEPTH_MAX - around).encode(), Outbox).epoch == 1
    with pytest.raises(Refused, match="bad-request"):
        decode(nested(DEPTH_MAX - around + 1).encode(), Outbox)


@pytest.mark.parametrize(
    "raw", [b"[" * 100_000, b'{"a":' * 100_000, b'{"epoch": 1, "x": ' + b"[" * 5000 + b"]" * 5000 + b"}"]
)
def test_no_depth_breaks_the_decoder(raw):
    with pytest.raises(Refused):
        decode(raw, Outbox)


def test_many_brackets_side_by_side_are_not_deep():
    items = [{"n": n, "kind": "update", "body": {}} for n in range(1, 200)]
    assert len(decode(json.dumps({"epoch": 1, "items": items}).encode(), Outbox).items) == 199


def test_a_part_is_checked_like_a_whole():
    assert convert(PROMPT, Prompt).prompt[0].text == "run"
    with pytest.raises(Refused):
        convert({"prompt": "run"}, Prompt)


def test_nobody_but_the_terminals_owner_speaks_for_the_terminal():
    assert {author for author, _ in ITEMS.values()} == {"host", "terminal"}
    assert [kind for kind, (author, _) in ITEMS.items() if author == "terminal"] == ["prompt"]
    assert all(shape is None or hasattr(messages, shape.__name__) for _, shape in ITEMS.values())
