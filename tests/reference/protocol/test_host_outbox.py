import json

from hypothesis import given
from hypothesis import strategies as st

from reference.protocol.host_outbox import BATCH_BYTES_MAX, BATCH_ITEMS_MAX, ITEMS_MAX, Outbox


def items(outbox):
    return [json.loads(bytes(item)) for item in outbox.batch()]


def update(text):
    return {"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": text}}


@given(st.lists(st.integers(0, 5), max_size=30))
def test_numbers_are_contiguous_however_the_relay_stores(stored):
    outbox, seen = Outbox(), []
    for count in stored:
        outbox.put("update", update("x"))
        for item in items(outbox)[:count]:
            seen.append(item["n"])
            outbox.stored(item["n"])
    seen += [item["n"] for item in items(outbox)]
    assert seen == list(range(1, len(stored) + 1))
    assert outbox.first == len(stored) - len(outbox) + 1


def test_a_batch_is_bounded_in_items_and_bytes():
    outbox = Outbox()
    for _ in range(BATCH_ITEMS_MAX + 1):
        outbox.put("update", update("x"))
    assert len(outbox.batch()) == BATCH_ITEMS_MAX
    outbox.stored(BATCH_ITEMS_MAX + 1)
    for _ in range(3):
        outbox.put("update", update("x" * (BATCH_BYTES_MAX // 2)))
    assert len(outbox.batch()) == 1


def test_what_is_left_out_is_said_in_its_place():
    outbox = Outbox()
    for _ in range(ITEMS_MAX + 5):
        outbox.put("update", update("x"))
    outbox.put("receipt", {"of": 1})
    assert len(outbox) == ITEMS_MAX + 2
    outbox.stored(ITEMS_MAX)
    note, receipt = items(outbox)
    assert "5 updates were left out" in note["body"]["content"]["text"]
    assert receipt["kind"] == "receipt"


def test_what_is_too_large_is_said_in_its_place():
    outbox = Outbox()
    outbox.put("update", update("x" * BATCH_BYTES_MAX))
    assert "too large" in items(outbox)[0]["body"]["content"]["text"]
