import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.protocol import sse


@given(st.recursive(st.text() | st.integers(-9, 9), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_no_payload_ends_a_field_or_an_event(data):
    encoded = sse.event("entry", data, seq=7)
    lines = encoded.decode().split("\n")
    assert lines[:2] == ["id: 7", "event: entry"]
    assert json.loads(lines[2].removeprefix("data: ")) == data
    assert lines[3:] == ["", ""]
    assert b"\r" not in encoded
    assert b"\0" not in encoded


@pytest.mark.parametrize("name", ["a\nb", "a\r", "\0"])
def test_an_event_name_cannot_break_out(name):
    with pytest.raises(AssertionError):
        sse.event(name, {})
