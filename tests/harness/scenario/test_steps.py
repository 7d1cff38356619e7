import pytest

from harness.base.errors import ScenarioError, UsageError
from harness.scenario.expand import expand
from harness.scenario.lint import lint
from harness.scenario.steps import STEPS, load_steps, step

CONFTEST = """\
from harness.scenario.steps import step


@step("{name}")
def taken(stage, step):
    yield from ()
"""
STORY = """\
scenario: own-step
about: A step of our own is taken.
cast: {host: sut, relay: reference, phone: reference}
story:
  - host.says: one
  - python: %s
expect:
  - {phone.sees: one, times: 1, proves: RC-OUT-001.catches-up}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = dict(STEPS)
    (tmp_path / "talk").mkdir()
    yield tmp_path
    STEPS.clear()
    STEPS.update(before)


def story(folder, name):
    path = folder / "talk" / "own-step.yaml"
    path.write_text(STORY % name)
    return path


@pytest.mark.parametrize("place", ["conftest.py", "talk/conftest.py"])
def test_a_step_beside_a_scenario_or_above_it_is_known_without_pytest(folder, place):
    (folder / place).write_text(CONFTEST.format(name="think a while"))
    path = story(folder, "think a while")
    with pytest.raises(ScenarioError, match="no python step is called"):
        expand(path)
    assert lint([path]) == []


def test_what_lies_above_the_working_directory_is_not_looked_at(folder, monkeypatch):
    (folder / "conftest.py").write_text(CONFTEST.format(name="too far up"))
    monkeypatch.chdir(folder / "talk")
    load_steps(story(folder, "too far up"))
    assert "too far up" not in STEPS


def test_a_conftest_is_imported_once(folder):
    (folder / "conftest.py").write_text(CONFTEST.format(name="once"))
    path = story(folder, "once")
    load_steps(path)
    taken = STEPS["once"]
    load_steps(path)
    assert STEPS["once"] is taken


def test_a_conftest_that_breaks_is_named(folder):
    (folder / "conftest.py").write_text("1 / 0")
    with pytest.raises(UsageError, match=r"conftest\.py: cannot be imported: ZeroDivisionError"):
        load_steps(story(folder, "any"))


def test_two_modules_cannot_give_one_name(folder):
    (folder / "conftest.py").write_text(CONFTEST.format(name="ours"))
    load_steps(story(folder, "ours"))
    with pytest.raises(AssertionError, match="ours"):
        step("ours")(lambda _stage, _step: None)
