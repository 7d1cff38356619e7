import shlex
from dataclasses import replace

from harness.checks.requirements import Requirement
from harness.history.events import Event, Footer, History
from harness.report.explain import WIDTH, explanation, headline, reproduce
from tests.harness.report.sample import finding, history, plan

ROW = {"role": "host", "since": "1", "observe": "os", "provenance": "article"}
TEXT = "Cut off for ten minutes, the host ends."
LAWS = {"RC-OUT-002.ends": Requirement(id="RC-OUT-002.ends", level="MUST", text=TEXT, **ROW)}


def test_an_explanation_has_what_a_person_needs():
    text = explanation(history(), [finding()], LAWS)
    for part in ("FAIL", "RC-OUT-002.ends  MUST", "outage.yaml:20", "Cut off for ten minutes", "585s..660s"):
        assert part in text
    assert '{"exit": null}' in text
    assert "still-there: the host must end" in text
    assert "send refused: unknown-session" in text
    assert text.splitlines()[-1].endswith(reproduce(plan()))


def test_of_a_law_the_requirement_says_what_is_expected():
    text = explanation(history(), [finding(expected=None, observed=["two"], line=0)], LAWS)
    assert "expected" not in text
    assert "null" not in text
    assert TEXT in text
    assert 'observed  ["two"]' in text


def test_what_was_not_seen_is_nothing_and_not_null():
    assert "observed  nothing" in explanation(history(), [finding(observed=None)], LAWS)


def test_the_slice_shows_a_frame_in_words():
    frame = {"conn": 3, "stream": "events", "event": "entry", "seq": 1, "kind": "update", "text": "one", "form": []}
    events = (*history().events[:4], Event(4, 18.0, "phone", "wire", "frame", frame))
    text = explanation(replace(history(), events=events), [finding(events=(4,))], LAWS)
    assert "reads entry no. 1 update “one”" in " ".join(text.split())
    assert "conn=" not in text


def test_only_the_command_is_wider_than_the_page():
    assert max(map(len, explanation(history(), [finding(message="long " * 60)], LAWS).splitlines()[:-1])) <= WIDTH


def test_more_findings_than_fit_are_counted():
    assert "2 more findings" in explanation(history(), [finding()] * 5, LAWS)


def test_a_run_in_which_nothing_happened_says_so():
    empty = History(plan(), (), Footer(0.0, 0.0, 0.0, "", 0))
    assert "nothing at all happened" in explanation(empty, [finding(events=())], LAWS)


def test_the_command_names_the_run_and_its_seed():
    words = shlex.split(reproduce(plan()))
    assert words[:2] == ["relayproof", "run"]
    assert words[2] == "scenarios/outage/ten-minute-outage.yaml::ten-minute-outage[twelve minutes end it,how=reset]"
    assert words[3:] == ["--seed", "7"]


def test_the_command_says_what_differs_from_the_default():
    assert reproduce(plan(faults_off=True)).endswith("--faults-off")
    assert reproduce(plan(world="wire")).endswith("--world wire")


def test_a_headline_is_one_line():
    assert headline(finding()) == "RC-OUT-002.ends still-there: the host must end, but it was still there"
    assert headline(None) == ""


def test_a_requirement_without_a_row_is_still_explained():
    assert "RC-OUT-002.ends  of unknown level" in explanation(history(), [finding()], {})
