import json

import pytest

from harness.run.gallery import load_gallery
from harness.run.kill_map import read_kill_map, write_kill_map
from harness.run.mapping import STAMPS, keep, sliced, stamps_of, unmapped
from tests.harness.run.test_gallery import gallery
from tests.harness.run.test_mutants import LAW, OTHER, mutant, outcome, run


@pytest.fixture
def two(tmp_path):
    """A gallery of two broken systems in a file each, and a story."""
    (tmp_path / "story.yaml").write_text("scenario: story\n")
    return gallery(tmp_path, a="first", b="second")


def stamped(folder):
    return stamps_of(load_gallery(folder), folder, [folder / "story.yaml"], whole=True)


def test_only_those_whose_content_changed_are_mapped_again(two):
    before = stamped(two)
    (two / "a.py").write_text((two / "a.py").read_text() + "# changed\n")
    after = stamped(two)
    assert {name for name in before if before[name] != after[name]} == {"first"}


@pytest.mark.parametrize("name", ["story.yaml", "_parts.py"])
def test_what_all_of_them_use_changes_all(two, name):
    before = stamped(two)
    (two / name).write_text((two / name).read_text() + "# changed\n")
    assert not before.items() & stamped(two).items()


def test_what_is_mapped_with_the_content_of_now_is_left_alone(two):
    write_kill_map(two, {"first": {}, "second": {}})
    loaded, stamps = load_gallery(two), stamped(two)
    assert unmapped(loaded, two, stamps) == ["first", "second"]
    (two / STAMPS).write_text(json.dumps({"first": stamps["first"], "second": "other"}))
    assert unmapped(loaded, two, stamps) == ["second"]
    assert unmapped(loaded, two, {}) == ["first", "second"]
    (two / STAMPS).write_text("{")
    assert unmapped(loaded, two, stamps) == ["first", "second"]


def test_what_was_kept_by_somebody_else_meanwhile_stays(tmp_path):
    write_kill_map(tmp_path, {"m": {OTHER[0]: {OTHER[1]: "q"}}, "n": {}})
    assert keep(tmp_path, outcome(None, run()), frozenset({"p[1]"}), "stamp")
    assert read_kill_map(tmp_path) == {"m": {OTHER[0]: {OTHER[1]: "q"}, LAW[0]: {LAW[1]: "p[1]"}}, "n": {}}
    assert (tmp_path / STAMPS).read_text() == '{\n "m": "stamp"\n}\n'


@pytest.mark.parametrize(
    "what",
    [
        outcome(mutant("benign", {}), run(failed=())),
        outcome(None, run(hits=0, failed=())),
        outcome(None, run(), run("p[2]", failed=(), why="WorldError: it gave up")),
    ],
    ids=["benign", "void", "broken off"],
)
def test_what_is_no_measure_is_not_kept(tmp_path, what):
    assert not keep(tmp_path, what, frozenset({"p[1]"}), "stamp")
    assert read_kill_map(tmp_path) == {}


def test_parts_are_dealt_out_and_lose_nobody():
    names = list("abcdefg")
    assert sliced(names, "2/3") == ["b", "e"]
    assert sorted(name for part in ("1/3", "2/3", "3/3") for name in sliced(names, part)) == names
