"""Scalars get the types of YAML 1.2 core and no other."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from harness.base.errors import ScenarioError
from harness.scenario.load import parse
from harness.scenario.tree import Tree, resolve

CORE = [
    *((word, None) for word in ("", "~", "null", "Null", "NULL")),
    *((word, True) for word in ("true", "True", "TRUE")),
    *((word, False) for word in ("false", "False", "FALSE")),
    *((word, word) for word in ("yes", "no", "on", "off", "On", "NO", "y", "n", "nULL", "tRUE")),
    *((word, word) for word in ("10:00", "12:30:45", "2026-02-01", "1_000", "0b101", "1e", ".", "-", "+", "<<", "=")),
    ("010", 10),
    ("-7", -7),
    ("+7", 7),
    ("0o17", 15),
    ("0xff", 255),
    ("3.10", 3.1),
    ("1e3", 1000.0),
    (".5", 0.5),
    ("-1.", -1.0),
]


@pytest.mark.parametrize(("text", "value"), CORE, ids=[repr(text) for text, _ in CORE])
def test_plain_scalars(text, value):
    found = resolve(text)
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize("text", [".inf", "-.INF", ".nan", "1e999", "9" * 30])
def test_numbers_out_of_reach(text):
    with pytest.raises(ValueError, match="number"):
        resolve(text)


@pytest.mark.slow
@given(st.text(max_size=30))
def test_any_scalar_is_plain_data_or_refused(text):
    try:
        assert isinstance(resolve(text), str | int | float | None)
    except ValueError as error:
        assert "number" in str(error)  # noqa: PT017 - both outcomes are right


def test_quoted_scalars_stay_texts():
    assert parse(b"a: \"1\"\nb: 'true'\nc: !!str 5\nd: |\n  x\n", "f").data == {
        "a": "1",
        "b": "true",
        "c": "5",
        "d": "x\n",
    }


def test_keys_stay_texts_and_have_places():
    document = parse(b"on: {yes: 1}\n10: x\n", "f")
    assert document.data == {"on": {"yes": 1}, "10": "x"}
    assert str(document.place(("on", "yes"), key=True)) == "f:1:6"
    assert str(document.place(("on", "yes"))) == "f:1:11"
    assert str(document.place(("on", "yes", "deeper"))) == "f:1:11"


def test_a_modest_alias_is_spelt_out_at_its_place():
    document = parse(b"a: &x [1, {b: 2}]\nc: *x\n", "f")
    assert document.data["c"] == [1, {"b": 2}]
    assert str(document.place(("c", 1, "b"))) == "f:2:4"


def test_a_merge_key_is_a_word_like_any_other():
    with pytest.raises(ScenarioError, match="stands here twice"):
        parse(b"a: {<<: 1, <<: 2}\n", "f")


@pytest.mark.skipif(  # nothing to compare; the slow parser is tested by all others
    not hasattr(yaml, "CSafeLoader"), reason="PyYAML was built without libyaml: there is one parser only"
)
@pytest.mark.parametrize("family", sorted(path.name for path in Path("scenarios").iterdir() if path.is_dir()))
def test_both_parsers_grow_the_same_tree_with_the_same_places(family):
    for path in sorted(Path("scenarios", family).glob("*.yaml")):
        lines = tuple(path.read_text(encoding="utf-8").split("\n"))
        slow, quick = (
            Tree(path.name, lines, loader).build("\n".join(lines)) for loader in (yaml.SafeLoader, yaml.CSafeLoader)
        )
        assert slow == quick
