import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from harness.base.errors import UsageError, WorldError
from harness.base.verdict import Verdict
from harness.history.events import Event, Footer, History
from harness.history.plan import Expectation
from harness.run import runner
from harness.run.runner import fitted, pinned, run_plan, world_named
from harness.scenario.expand import LeftOut
from tests.harness.run.stage import acted, plan, use_fake_world

ROOT = Path(__file__).parents[3]


def test_a_run_is_judged_and_timed(monkeypatch):
    use_fake_world(monkeypatch)
    record = run_plan(plan())
    assert record.judgement.plan_id == "a-word[word=yes]"
    assert record.history.footer.simulated_s == 60.0
    assert record.wall_s > 0


def test_a_word_that_is_not_shown_is_a_failure(monkeypatch):
    use_fake_world(monkeypatch)
    story = (plan().story[0].__class__("story.0", 6, "verb", "host", "says", {"value": "no"}),)
    expected = (
        plan().expectations[0].__class__("expect.0", 8, "phone", "sees", {"value": ["no"]}, "RC-OUT-001.x", times=1),
    )
    assert run_plan(plan(story=story, expectations=expected)).judgement.verdict is Verdict.FAIL


def test_there_is_no_world_of_that_name():
    with pytest.raises(UsageError, match="choose one of: sim"):
        world_named("moon")


def test_a_world_whose_parts_are_missing_says_which(monkeypatch):
    monkeypatch.setitem(runner.WORLDS, "sim", ("no_such_module_anywhere", "World"))
    with pytest.raises(UsageError, match="needs the module 'no_such_module_anywhere'"):
        world_named("sim")


def test_a_world_whose_extra_is_missing_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(runner.WORLDS, "wire", ("no_such_module_anywhere", "World"))
    with pytest.raises(UsageError, match=r"not installed: run `make setup-wire` in a checkout, or install the extra"):
        world_named("wire")


def test_the_remedy_of_a_missing_extra_is_there_to_be_had():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    targets = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for remedy in runner.REMEDIES.values():
        assert set(re.findall(r"make ([a-z-]+)", remedy)) <= set(targets)
        assert set(re.findall(r"relayproof\[([a-z]+)\]", remedy)) <= set(extras)


def test_a_module_of_ours_that_is_missing_is_a_bug(monkeypatch):
    monkeypatch.setitem(runner.WORLDS, "sim", ("harness.no_such_room", "World"))
    with pytest.raises(ModuleNotFoundError):
        world_named("sim")


class Blind:
    """A world that sees nothing of what a host listens at."""

    @staticmethod
    def unjudged(claim):
        return "nobody looks" if claim.verb == "listens" else ""


SEES, LISTENS = (
    Expectation(f"expect.{verb}", 8, "host", verb, {}, f"RC-OUT-001.{verb}") for verb in ("sees", "listens")
)


@pytest.mark.parametrize(
    ("expected", "kept", "left"),
    [
        ((SEES,), (SEES,), []),
        ((SEES, LISTENS), (SEES,), ["RC-OUT-001.listens"]),
        ((LISTENS,), (LISTENS,), []),
        ((SEES, LISTENS, replace(SEES, proves=LISTENS.proves)), (SEES,), ["RC-OUT-001.listens"]),
    ],
    ids=["all can be judged", "one cannot", "nothing would be left", "half a requirement"],
)
def test_what_a_world_cannot_judge_is_taken_out_and_told(expected, kept, left, monkeypatch):
    use_fake_world(monkeypatch, "tests.harness.run.test_runner", "Blind")
    ours, told = fitted(plan(expectations=expected))
    assert ours.expectations == kept
    assert told == tuple(LeftOut(f"{ours.id}: {one}", "nobody looks") for one in left)


class Forger:
    def run(self, _plan):
        return acted(plan(id="another"))


def test_the_history_of_another_plan_is_refused(monkeypatch):
    use_fake_world(monkeypatch, "tests.harness.run.test_runner", "Forger")
    with pytest.raises(WorldError, match="another plan"):
        run_plan(plan())


def test_faults_are_pinned_to_when_they_began():
    began = Event(0, 12.5, "host-relay", "fault", "began", {"id": "story.2", "name": "cut", "effect": True})
    assert pinned(History(plan(), (began,), Footer(0, 0, 0, "", 0))).pinned == {"story.2": 12.5}
