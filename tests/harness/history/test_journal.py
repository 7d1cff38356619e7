import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.base.errors import PlanError
from harness.history import journal
from harness.history.events import Event, Footer, History
from harness.history.plan import Moment, Step
from tests.harness.checks.made import event, expects, plan, says

STORY = (
    Step(
        "story.0", 3, "fault", "", "cut", {"link": "host-relay"}, (Step("story.0.during.0", 4, "verb", "host", "says"),)
    ),
    Step("story.1", 5, "wait", until=Moment("heal", 5.0)),
)


def made() -> History:
    events = tuple(Event(n, float(n), "host", "os", "agent.said", {"text": f"ü{n}\u2028"}) for n in range(3))
    meant = plan(story=STORY, expectations=(expects("phone", "sees", ["a"], times=1),), invariants=("no-loss",))
    return History(meant, events, Footer(2.0, 2.0, 0.5, "aa", 7))


def test_what_is_written_is_read_back_equal(tmp_path):
    path = tmp_path / "h.jsonl"
    journal.write(made(), path)
    assert journal.read(path) == made()
    assert [one.name for one in tmp_path.iterdir()] == ["h.jsonl"]


def test_the_digest_leaves_out_how_long_it_took():
    one, slow = made(), History(made().plan, made().events, Footer(2.0, 2.0, 99.0, "aa", 7))
    other = History(made().plan, made().events, Footer(2.0, 2.0, 0.5, "bb", 7))
    assert journal.history_sha256(one) == journal.history_sha256(slow) != journal.history_sha256(other)


def test_nothing_half_written_is_left(tmp_path):
    broken = History(plan(), (event(0, "host", "os", "x", bad=float("nan")),), Footer(0, 0, 0, "", 0))
    with pytest.raises(ValueError, match=r"NaN|JSON"):
        journal.write(broken, tmp_path / "h.jsonl")
    assert list(tmp_path.iterdir()) == []


LINES = journal.lines_of(made())


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "empty"),
        ("\x00\x01", ":1:"),
        ("[]\n", ":1:"),
        ('{"history": 2}\n', ":1:"),
        ("".join(LINES[:-1]), ":4:"),
        ("".join(LINES)[:-20], ":5:"),
        ("".join(LINES)[:-1], ":5:"),
        ("".join(LINES).replace("ü1", "ü7"), ":5:"),
        ("".join([*LINES[:2], *LINES[3:]]), ":4:"),
        (LINES[0], ":1:"),
        ("[" * 100_000, ":1:"),
    ],
    ids=["empty", "noise", "list", "version", "no-footer", "cut", "no-newline", "edited", "dropped", "header", "deep"],
)
def test_a_damaged_file_is_refused_with_its_line(text, line):
    with pytest.raises(PlanError, match=line):
        journal.parse(text, "h.jsonl")


def resealed(*lines: str, **changed) -> str:
    footer = json.loads(LINES[-1])["footer"] | changed
    footer |= {"events": len(lines) - 1, "sha256": journal._sha256(lines)}
    return "".join([*lines, json.dumps({"footer": footer}) + "\n"])


@pytest.mark.parametrize(
    "row",
    ['{"n":0}', '{"n":5,"t":0,"actor":"a","kind":"os","what":"x","data":{}}', '{"n":0,"t":0,"actor":"a","kind":"dream","what":"x","data":{}}'],
    ids=["fields", "number", "kind"],
)  # fmt: skip
def test_an_event_that_cannot_be_is_refused_although_sealed(row):
    with pytest.raises(PlanError, match=":2:"):
        journal.parse(resealed(LINES[0], row + "\n"), "h.jsonl")


@pytest.mark.parametrize(
    "changed", [{"simulated_s": "x"}, {"segments": "x"}, {"trace_sha256": 7}, {"wall_s": None}, {"extra": 1}]
)
def test_a_footer_that_cannot_be_is_refused_although_sealed(changed):
    with pytest.raises(PlanError, match=rf":{len(LINES)}: the footer has"):
        journal.parse(resealed(*LINES[:-1], **changed), "h.jsonl")


@pytest.mark.parametrize("number", ["1e999", "NaN", "-Infinity"])
def test_what_is_no_number_of_json_is_refused_although_sealed(number):
    row = f'{{"n":0,"t":{number},"actor":"a","kind":"os","what":"x","data":{{}}}}\n'
    with pytest.raises(PlanError, match=":2: not JSON"):
        journal.parse(resealed(LINES[0], row), "h.jsonl")


def test_a_plan_of_another_shape_is_refused():
    header = json.loads(LINES[0])
    header["plan"]["cast"] = 7
    with pytest.raises(PlanError, match=":1: this is no plan"):
        journal.parse(resealed(json.dumps(header) + "\n"), "h.jsonl")


@pytest.mark.slow
@given(st.integers(0, len("".join(LINES)) - 2))
def test_no_truncation_passes_unnoticed(size):
    with pytest.raises(PlanError):
        journal.parse("".join(LINES)[:size], "h.jsonl")


def test_streams_are_interleaved_by_time_and_numbered():
    merged = journal.interleave([says(1, "a"), says(3, "c")], [says(1, "b"), says(2, "d")])
    assert [(one.n, one.data["text"]) for one in merged] == [(0, "a"), (1, "b"), (2, "d"), (3, "c")]
