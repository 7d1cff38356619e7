import pytest

from harness.base.errors import UsageError
from harness.run.kill_map import FILE, learned, pairs_in, pairs_of, plans_of, read_kill_map, write_kill_map

KILLS = {"RC-A-001.x": {"late": "plan[1]", "lost": "plan[2]"}}


def test_a_kill_map_is_read_as_it_was_written(tmp_path):
    write_kill_map(tmp_path, {"mutant": KILLS})
    assert read_kill_map(tmp_path) == {"mutant": KILLS}


def test_a_gallery_without_a_kill_map_has_an_empty_one(tmp_path):
    assert read_kill_map(tmp_path) == {}


@pytest.mark.parametrize("text", ["", "[]", '{"m": []}', '{"m": {"RC": ["late"]}}', '{"m": {"RC": {"late": 3}}}'])
def test_a_damaged_kill_map_is_refused_with_a_remedy(tmp_path, text):
    (tmp_path / FILE).write_text(text)
    with pytest.raises(UsageError, match=FILE):
        read_kill_map(tmp_path)


def test_what_a_plan_is_named_for():
    assert pairs_in(KILLS, "plan[1]") == {("RC-A-001.x", "late")}
    assert pairs_in(KILLS, "plan[3]") == frozenset()


def test_pairs_and_plans_of_kills():
    assert pairs_of(KILLS) == {("RC-A-001.x", "late"), ("RC-A-001.x", "lost")}
    assert plans_of(KILLS) == {"plan[1]", "plan[2]"}


def test_what_was_found_replaces_what_was_kept_of_the_plans_that_were_run():
    assert learned(KILLS, {("RC-B-002.y", "lied"): ["plan[1]"]}, {"plan[1]"}) == {
        "RC-A-001.x": {"lost": "plan[2]"},
        "RC-B-002.y": {"lied": "plan[1]"},
    }


def test_few_plans_stand_for_many_kills():
    killed = {("A", "a"): ["one", "both"], ("B", "b"): ["both", "two"], ("C", "c"): ["three"]}
    assert learned({}, killed, {"one", "two", "both", "three"}) == {
        "A": {"a": "both"},
        "B": {"b": "both"},
        "C": {"c": "three"},
    }


def test_of_plans_that_kill_alike_the_one_that_was_named_stays():
    killed = {("A", "a"): ["one", "two", "three"]}
    assert learned({"A": {"a": "two"}}, killed, {"one", "two", "three"}) == {"A": {"a": "two"}}
    assert learned({"A": {"a": "gone"}}, killed, {"one", "two", "three"}) == {"A": {"a": "two"}}
