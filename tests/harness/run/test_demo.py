import io

import pytest
from rich.console import Console

from harness.base.errors import UsageError
from harness.base.verdict import Verdict
from harness.run import demo
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


def test_a_story_that_is_missing_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(demo, "OURS", tmp_path)
    with pytest.raises(UsageError, match="is missing; reinstall"):
        demo.tell(fast=True)


def test_the_acts_are_real_scenarios():
    assert all((demo.OURS / act.file).is_file() for act in demo.ACTS)
