"""Readers of values: what each takes, and where in a value the misfit is."""

from types import SimpleNamespace

import pytest

from harness.history.plan import Contract
from harness.scenario.limits import Misfit
from harness.scenario.values import READERS

CONTRACT = Contract()


def row(words=(), keys=()):
    return SimpleNamespace(words=words, keys=keys)


def read(kind, value, **shape):
    return READERS[kind](value, row(**shape), CONTRACT)


@pytest.mark.parametrize(
    ("kind", "value", "found"),
    [
        ("nothing", None, None),
        ("text", "one", "one"),
        ("texts", "one", ["one"]),
        ("texts", ["one", "two"], ["one", "two"]),
        ("texts_or_every_line", "every line", "every line"),
        ("texts_or_every_line", "every", ["every"]),
        ("text_or_lines", {"lines": 200, "every": "250ms"}, {"lines": 200, "every": 0.25}),
        ("text_or_lines", {"lines": 2, "every": "1s", "size": "10kB"}, {"lines": 2, "every": 1.0, "size": 10_000.0}),
        ("count", 0, 0),
        ("number", 2, 2.0),
        ("switch", True, True),
        ("ratio", "5%", 0.05),
        ("size", "20kB", 20_000.0),
        ("size", "32kbit", 4_000.0),
        ("span_or_zero", "0s", 0.0),
        ("signed_span", "-1h", -3600.0),
        ("budget", "max <= 2s", "max <= 2s"),
    ],
)
def test_what_fits(kind, value, found):
    assert read(kind, value) == found


@pytest.mark.parametrize(
    ("kind", "value", "at"),
    [
        ("nothing", 1, ()),
        ("text", "", ()),
        ("text", {}, ()),
        ("texts", [], ()),
        ("texts", ["one", 2], (1,)),
        ("text_or_lines", {"lines": 200, "every": 250}, ("every",)),
        ("text_or_lines", {"lines": 2, "every": "1s", "size": "1MB"}, ("size",)),
        ("text_or_lines", {"lines": 200, "evry": "1s"}, ("evry",)),
        ("count", True, ()),
        ("count", 1.0, ()),
        ("count", -1, ()),
        ("number", "2", ()),
        ("switch", "on", ()),
        ("ratio", "101%", ()),
        ("ratio", 5, ()),
        ("size", "0kB", ()),
        ("size", "20", ()),
        ("size", "9" * 400 + "B", ()),
        ("span_or_zero", "-1s", ()),
        ("budget", "fast", ()),
    ],
)
def test_what_does_not_fit_is_placed(kind, value, at):
    with pytest.raises(Misfit) as misfit:
        read(kind, value)
    assert misfit.value.at == at
    assert misfit.value.message


def test_words_and_objects_follow_their_row():
    assert read("word", "ask", words=("ask", "skip")) == "ask"
    assert read("word", "token-expired") == "token-expired"
    assert read("words", ["env"], words=("env", "files")) == ["env"]
    keys = (("rtt", "span_or_zero"), ("way", ("word", ("plain",))))
    assert read("object", {"rtt": "80ms", "way": "plain"}, keys=keys) == {"rtt": 0.08, "way": "plain"}
    for kind, value in (("word", "aks"), ("words", ["env", "env"]), ("words", "env"), ("object", {"way": "odd"})):
        with pytest.raises(Misfit):
            read(kind, value, words=("ask", "env"), keys=keys)
