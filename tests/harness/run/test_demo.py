import io
from dataclasses import replace

import pytest
from rich.console import Console

from harness.base.errors import UsageError
from harness.base.verdict import Verdict
from harness.run import demo
from harness.run.runner import run_plan
from tests.harness.run.stage import use_fake_world, write_story


def told(monkeypatch, folder, words):
    use_fake_world(monkeypatch)
    write_story(folder, words=words)
    monkeypatch.setattr(demo, "OURS", folder)
    monkeypatch.setattr(demo, "ACTS", (demo.Act("a-word.yaml", "word=", "A word is said"),))
    out = io.StringIO()
    return demo.tell(fast=True, console=Console(file=out, width=100)), out.getvalue()


def test_a_story_is_told_with_its_verdict(monkeypatch, tmp_path):
    verdict, text = told(monkeypatch, tmp_path, "yes, maybe")
    assert verdict is Verdict.PASS
    assert "A word is said" in text
    assert "says “yes”" in text
    assert "RC-OUT-001.catches-up" in text


def test_a_failure_is_not_hidden(monkeypatch, tmp_path):
    verdict, text = told(monkeypatch, tmp_path, "no, yes")
    assert verdict is Verdict.FAIL
    assert "FAIL: 1m lived in" in text


@pytest.mark.parametrize(("wall_s", "told_s"), [(0.5, demo.LASTS_S - 0.5), (60.0, demo.TOLD_S)])
def test_a_story_takes_its_time_and_its_run_counts(monkeypatch, tmp_path, wall_s, told_s):
    use_fake_world(monkeypatch)
    write_story(tmp_path)
    pauses = []
    monkeypatch.setattr(demo, "OURS", tmp_path)
    monkeypatch.setattr(demo, "ACTS", (demo.Act("a-word.yaml", "word=yes", "A word is said"),))
    monkeypatch.setattr(demo, "run_plan", lambda plan: replace(run_plan(plan), wall_s=wall_s))
    monkeypatch.setattr(demo.time, "sleep", pauses.append)
    demo.tell(fast=False, console=Console(file=io.StringIO()))
    assert sum(pauses) == pytest.approx(told_s)


@pytest.mark.slow
@pytest.mark.parametrize("width", [80, 120])
def test_every_word_of_the_outage_fits_a_terminal(monkeypatch, width):
    monkeypatch.setattr(demo, "ACTS", demo.ACTS[:1])
    out = io.StringIO()
    demo.tell(fast=True, console=Console(file=out, width=width))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    said = " ".join(out.getvalue().replace("▒", " ").split())
    assert "shows connecting" in said
    assert "has no connection)" in said
    assert "the session has ended. Start it again when the network is back." in said


def test_a_story_that_is_missing_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(demo, "OURS", tmp_path)
    with pytest.raises(UsageError, match="is missing; reinstall"):
        demo.tell(fast=True)


def test_the_acts_are_real_scenarios():
    assert all((demo.OURS / act.file).is_file() for act in demo.ACTS)
