import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.base.errors import UsageError
from harness.outages.log import Outage
from harness.outages.read import BYTES_MAX, RECORDS_MAX, read_log

EXAMPLES = Path(__file__).parents[3] / "docs/guide/outages"


def lengths(content, name="log"):
    outages, _ = read_log(content.encode() if isinstance(content, str) else content, name)
    return [one.lasted_s for one in outages]


def answer(values, **changes):
    result = [{"metric": {"instance": "a"}, "values": values}]
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}} | changes)


def samples(pattern, step_s=15):
    return [[1_780_000_000 + number * step_s, letter] for number, letter in enumerate(pattern)]


@pytest.mark.parametrize(
    ("name", "lasted_s"),
    [
        ("office-vpn.csv", [12, 250, 2, 435]),
        ("data-centre-move.json", [89, 772, 200]),
        ("blackbox-probe.json", [45, 390]),
    ],
)
def test_the_examples(name, lasted_s):
    assert lengths((EXAMPLES / name).read_bytes(), name) == lasted_s


@pytest.mark.parametrize(
    "content",
    [
        "down,up\n10,20\n",
        "\ufeffdown,up\r\n10,20\r\n\r\n",
        'Up , Down,cause\n20,10,"a, b"\n',
        "time,state\n5,up\n10,DOWN\n20,Up",
        "time,state\n10,0\n20,1",
        '[{"down": 10, "up": 20, "cause": null}]',
        '[{"time": 10, "state": 0}, {"time": 20, "state": "up"}]',
    ],
)
def test_csv_and_json_know_spans_and_changes(content):
    assert read_log(content.encode(), "log") == ((Outage(10, 20),), "unix")


def test_samples_make_an_outage_from_the_first_down_to_the_next_up():
    assert lengths(answer(samples("11000110"[:7]))) == [45]


def test_a_suffix_decides_the_form():
    with pytest.raises(UsageError, match=r"log\.csv:1: the first line names no such columns"):
        lengths('[{"down": 10, "up": 20}]', "log.csv")
    with pytest.raises(UsageError, match=r"log\.json: not JSON"):
        lengths("down,up\n10,20", "log.json")


BAD = {
    "empty": ("", "log: the file is empty"),
    "blank": (" \n\n", "log: the file is empty"),
    "no columns": ("a,b\n1,2", "log:1: the first line names no such columns"),
    "one column twice": ("down,up,up\n1,2,3", "log:1: two columns of one name"),
    "two forms": ("down,up,time,state\n1,2,3,up", "log:2: neither or both of two forms"),
    "a cell missing": ("down,up\n10,20\n30", "log:3: `up` is missing"),
    "an empty cell": ("down,up\n10,20\n,30", "log:3: `down` is missing"),
    "too many cells": ("down,up\n10,20,30", "log:2: 3 cells under 2 columns"),
    "a quote left open": ('down,up\n"10,20', "log:2: not CSV"),
    "reversed": ("down,up\n20,10", "log:2: up again before it went down"),
    "overlapping": ("down,up\n10,20\n15,30", "log:3: begins before the outage at log:2 is over"),
    "mixed zones": ("down,up\n2026-01-01T00:00:00Z,2026-01-01T02:00:00+01:00", r"log:2: \+01:00, but \+00:00"),
    "NaN": ("down,up\nNaN,20", "log:2: `down` is 'NaN', no time"),
    "no outage": ("down,up\n", "log: the log has no outage"),
    "no outage among changes": ("time,state\n10,up\n", "log: the log has no outage"),
    "a strange state": ("time,state\n10,flaky", "log:2: `state` is 'flaky'; it is one of up, 1, down, 0"),
    "no end": ("time,state\n10,down", "log:2: down, and never up again"),
    "not JSON": ('[{"down": 10,', "log: not JSON .*; save it again"),
    "NaN in JSON": ('[{"down": NaN, "up": 20}]', "log: not JSON"),
    "a list of texts": ('["10", "20"]', "log: entry 0 is no object"),
    "an empty list": ("[]", "log: the log has no outage"),
    "no keys": ('[{"from": 10, "to": 20}]', "log: entry 0: neither or both of two forms; .*found: from, to"),
    "null": ('[{"down": 10, "up": 20}, {"down": 30, "up": null}]', "log: entry 1: `up` is missing"),
    "true": ('[{"time": 10, "state": true}]', "log: entry 0: `state` is 'True'"),
    "not a matrix": ('{"status": "success", "data": {"resultType": "vector", "result": []}}', "'vector', not 'matrix'"),
    "any object": ("{}", "log: not the answer of a Prometheus range query"),
    "an error of Prometheus": ('{"status": "error", "error": "bad query"}', "answered with an error: bad query"),
    "two series": (answer([], data={"resultType": "matrix", "result": [{"metric": {}}] * 2}), "2 series, one is needed"),
    "no series": (answer([], data={"resultType": "matrix", "result": []}), "0 series, one is needed"),
    "a series of nothing": (answer([], data={"resultType": "matrix", "result": [7]}), "is no list of samples"),
    "no samples": (answer([]), "is no list of samples"),
    "all up": (answer(samples("111")), "log: the log has no outage"),
    "NaN sample": (answer([[1, "1"], [2, "NaN"]]), r"log: values\[1\]: 'NaN' is neither up nor down"),
    "half up": (answer([[1, "0.5"]]), r"log: values\[0\]: '0.5' is neither up nor down"),
    "no pair": (answer([[1]]), r"log: values\[0\]: no pair"),
    "time back": (answer([[2, "1"], [1, "0"]]), r"log: values\[1\]: not later than the sample before it"),
    "a hole": (answer([*samples("1101"), [1_780_000_900, "1"]]), r"log: values\[4\]: no sample for 855 s before it"),
    "down at first": (answer(samples("001")), r"log: values\[0\]: down from the first sample on"),
    "down at last": (answer(samples("100")), r"log: values\[1\]: down, and never up again"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "why"), BAD.values(), ids=BAD)
def test_what_cannot_be_trusted_is_refused_with_the_place_and_the_remedy(content, why):
    with pytest.raises(UsageError, match=why) as refused:
        lengths(content)
    assert ";" in str(refused.value)


def test_what_is_not_utf_8_or_too_large_is_refused():
    with pytest.raises(UsageError, match="log:2: not UTF-8"):
        lengths(b"down,up\n\xff,20")
    with pytest.raises(UsageError, match=f"a log has at most {BYTES_MAX}"):
        lengths("x" * (BYTES_MAX + 1))
    many = "down,up\n" + "".join(f"{n}0,{n}5\n" for n in range(1, RECORDS_MAX + 2))
    with pytest.raises(UsageError, match=f"{RECORDS_MAX + 1} entries; a log has at most {RECORDS_MAX}"):
        lengths(many)
    with pytest.raises(UsageError, match=f"{RECORDS_MAX + 1} samples"):
        lengths(answer(samples("1" * (RECORDS_MAX + 1))))


@given(st.one_of(st.binary(max_size=80), st.text(max_size=80).map(str.encode), st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["down", "up", "time", "state", "status", "data"]), inner),
).map(lambda value: json.dumps(value).encode())))  # fmt: skip
def test_whatever_the_file_holds_it_is_a_log_or_one_of_our_errors(content):
    for name in ("log", "log.csv", "log.json"):
        try:
            outages, _ = read_log(content, name)
        except UsageError as error:
            assert str(error).startswith(name)  # noqa: PT017 - either is right
        else:
            assert outages
