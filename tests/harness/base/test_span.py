import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.base.span import SPAN_S_MAX, format_span, parse_span


@pytest.mark.parametrize(
    ("text", "span_s"),
    [
        ("250ms", 0.25),
        ("10m", 600.0),
        ("1h30m", 5400.0),
        ("8h", 28_800.0),
        ("1.5s", 1.5),
        ("0s", 0.0),
        ("366d", SPAN_S_MAX),
    ],
)
def test_spans(text, span_s):
    assert parse_span(text) == span_s


@pytest.mark.parametrize(
    "text", ["", "10", "10:00", "-10m", "10 m", "m", "10M", "1e3s", "30m1h", "1m1m", "1ms1s", "367d", "\u0661m10"]
)
def test_what_is_no_span_says_what_one_looks_like(text):
    with pytest.raises(ValueError, match=r"write|longer than a year"):
        parse_span(text)


@given(st.integers(min_value=0, max_value=round(SPAN_S_MAX * 1000)))
def test_what_is_written_is_read_again(ms):
    assert round(parse_span(format_span(ms / 1000)) * 1000) == ms


def test_a_span_before_something_has_a_sign():
    assert format_span(-5400) == "-1h30m"
