from dataclasses import replace

import pytest

from harness.base.errors import PlanError, UsageError
from harness.base.verdict import Verdict
from harness.cli_history import compare_reports, compare_runs, first_difference, judge_history, replay_plan
from harness.history import journal
from harness.history.events import Event, History
from harness.history.plan import Step
from harness.report.model import Summary
from harness.run.runner import WORLDS
from harness.run.shelf import Shelf
from harness.scenario import plan_file
from tests.harness.checks.made import expects
from tests.harness.report.sample import row
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


class Narrow(FakeWorld):
    """Plays in the wire world whatever has nothing on its stage but a host, a relay and a phone."""

    @staticmethod
    def lacks(plan):
        return "it has no room for given" if plan.given else ""


OTHER = expects("phone", "shows", "online", proves="RC-OPS-002.truthful")


class Blind(FakeWorld):
    """A wire world that shows nothing of what proves one of the requirements."""

    @staticmethod
    def unjudged(claim):
        return "nobody counts here" if claim.proves == OTHER.proves else ""


def test_what_a_world_cannot_judge_is_left_out_of_a_replay_and_said(tmp_path, monkeypatch, capsys):
    use_fake_world(monkeypatch)
    monkeypatch.setitem(WORLDS, "wire", ("tests.harness.test_cli_history", "Blind"))
    shelf, again = Shelf.opened(tmp_path), Shelf(tmp_path / "again")
    both = plan()
    shelf.keep(acted(replace(both, expectations=(*both.expectations, OTHER))))
    replay_plan(shelf.plan(plan()), again.root, world="wire")
    assert f"left out: {both.id}: {OTHER.proves}: nobody counts here" in capsys.readouterr().out
    assert plan_file.load(again.plan(plan())).expectations == both.expectations


@pytest.fixture
def wire(monkeypatch):
    use_fake_world(monkeypatch)
    monkeypatch.setitem(WORLDS, "wire", ("tests.harness.test_cli_history", "Narrow"))


@pytest.mark.parametrize(
    ("saved_in", "world", "played_in"), [("sim", "wire", "wire"), ("wire", "sim", "sim"), ("wire", None, "wire")]
)
def test_a_plan_is_replayed_in_either_world_and_in_its_own_if_none_is_named(tmp_path, wire, saved_in, world, played_in):
    shelf, again = Shelf.opened(tmp_path), Shelf(tmp_path / "again")
    shelf.keep(acted(plan(world=saved_in, pinned={"story.2": 12.5})))
    assert replay_plan(shelf.plan(plan()), again.root, world=world) is Verdict.PASS
    assert plan_file.load(again.plan(plan())).world == played_in
    assert plan_file.load(shelf.plan(plan())).world == saved_in


def test_a_world_that_cannot_play_a_plan_says_why(tmp_path, wire):
    shelf = Shelf.opened(tmp_path)
    shelf.keep(acted(plan(given={"host": {"title": "x"}})))
    with pytest.raises(UsageError, match="`wire` cannot play this plan: it has no room for given"):
        replay_plan(shelf.plan(plan()), None, world="wire")
    with pytest.raises(UsageError, match="no world 'moon'; choose one of"):
        replay_plan(shelf.plan(plan()), None, world="moon")


def report_of(folder, verdict):
    shelf = Shelf.opened(folder)
    shelf.report(Summary((row(verdict),)))
    return folder


@pytest.mark.parametrize("as_json", [True, False])
def test_two_reports_beside_each_other(tmp_path, capsys, as_json):
    one, two, other = (
        report_of(tmp_path / name, verdict)
        for name, verdict in (("a", Verdict.FAIL), ("b", Verdict.FAIL), ("c", Verdict.PASS))
    )
    assert compare_reports((one, two / "report.json"), as_json=as_json) is Verdict.PASS
    assert compare_reports((one, other), as_json=as_json) is Verdict.FAIL
    assert ('"different": 1' if as_json else "0 equal, 1 different") in capsys.readouterr().out


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
