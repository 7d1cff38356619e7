from dataclasses import replace

import pytest

from harness.base.errors import PlanError, UsageError
from harness.base.verdict import Verdict
from harness.cli_history import compare_runs, first_difference, judge_history, replay_plan
from harness.history import journal
from harness.history.events import Event, History
from harness.history.plan import Step
from harness.run.shelf import Shelf
from tests.harness.run.stage import FakeWorld, acted, plan, use_fake_world, write_story

WHERE = {"world": "sim", "sut": None, "profile": None, "seed": 1, "faults_off": False}


@pytest.fixture
def shelf(tmp_path):
    shelf = Shelf.opened(tmp_path)
    shelf.keep(acted(plan()))
    return shelf


def test_a_saved_history_is_judged_without_running_anything(shelf, capsys):
    assert judge_history(shelf.history(plan()), timeline=False) is Verdict.PASS
    assert "PASS" in capsys.readouterr().out


def test_the_whole_timeline_on_request(shelf, capsys):
    judge_history(shelf.history(plan()), timeline=True)
    assert "says “yes”" in capsys.readouterr().out


def test_a_truncated_history_is_refused(shelf):
    path = shelf.history(plan())
    path.write_text(path.read_text()[:-40])
    with pytest.raises(PlanError):
        judge_history(path, timeline=False)


def test_an_edited_plan_is_refused(shelf):
    path = shelf.plan(plan())
    path.write_text(path.read_text().replace('"seed": 1', '"seed": 2').replace('"seed":1', '"seed":2'))
    with pytest.raises(PlanError):
        replay_plan(path, None)


@pytest.mark.parametrize(
    "step",
    [
        Step("story.9", 1, "fault", "", "meteor", {}),
        Step("story.9", 1, "fault", "", "cut", {"colour": "red"}),
        Step("story.9", 1, "fault", "", "cut", {"link": "host-relay", "for_s": "x"}),
    ],
    ids=["no such fault", "no such argument", "a text for a span"],
)
def test_a_sealed_history_with_an_impossible_fault_is_damaged(tmp_path, step):
    history = acted(plan(), shown=True)
    path = tmp_path / "h.jsonl"
    journal.write(replace(history, plan=replace(history.plan, story=(*history.plan.story, step))), path)
    with pytest.raises(PlanError, match=r"story\.9: there is no fault"):
        judge_history(path, timeline=False)


def test_a_history_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        judge_history(tmp_path / "none.jsonl", timeline=False)


def test_a_replay_gives_the_same_history(shelf, tmp_path, monkeypatch, capsys):
    use_fake_world(monkeypatch)
    before = shelf.history(plan()).read_text()
    assert replay_plan(shelf.plan(plan()), tmp_path / "again") is Verdict.PASS
    assert Shelf(tmp_path / "again").history(plan()).read_text() == before
    assert "again/histories" in capsys.readouterr().out


class Wobbly(FakeWorld):
    """Every run after the first shows nothing."""

    count = 0

    def run(self, plan):
        type(self).count += 1
        return acted(plan, shown=type(self).count == 1)


def test_equal_runs_are_counted(tmp_path, monkeypatch, capsys):
    use_fake_world(monkeypatch)
    assert compare_runs([write_story(tmp_path)], 3, **WHERE) is Verdict.PASS
    assert capsys.readouterr().out.count("equal 3 of 3") == 2


def test_the_first_difference_is_shown(tmp_path, monkeypatch, capsys):
    use_fake_world(monkeypatch, "tests.harness.test_cli_history", "Wobbly")
    assert compare_runs([write_story(tmp_path)], 2, **WHERE) is Verdict.FAIL
    shown = capsys.readouterr().out
    assert "run 2 is not run 1" in shown
    assert "sees “yes”" in shown


def test_histories_that_differ_only_at_the_end():
    one = acted(plan())
    longer = History(one.plan, (*one.events, Event(99, 99.0, "host", "os", "agent.said", {"text": "more"})), one.footer)
    assert "nothing more" in first_difference(one, longer)
    assert "events are equal" in first_difference(one, one)
