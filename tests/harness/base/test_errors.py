import pytest

from harness.base import errors
from harness.base.errors import HarnessError, Place, Problem, ScenarioError


def test_a_problem_shows_its_line_a_caret_and_the_remedy():
    problem = Problem(Place("x.yaml", 3, 5, "a:\u00a0b c"), "a space", "write one")
    assert problem.render().splitlines() == ["x.yaml:3:5: a space", "  a:\u00a0b c", "      ^", "  write one"]


def test_of_a_long_line_the_part_around_the_caret_is_shown():
    shown = Problem(Place("x.yaml", 1, 5000, "a" * 4999 + "!" + "b" * 10_000), "here").render().splitlines()
    assert len(shown[1]) < 200
    assert shown[1][shown[2].index("^")] == "!"


def test_without_a_line_there_is_no_caret():
    assert Problem(Place("x.yaml", 1, 1), "the file is empty").render() == "x.yaml:1:1: the file is empty"


def test_every_problem_is_told_at_once():
    several = [Problem(Place("x.yaml", n, 1), f"problem {n}") for n in (1, 2)]
    assert str(ScenarioError(several)) == "x.yaml:1:1: problem 1\nx.yaml:2:1: problem 2"
    with pytest.raises(AssertionError):
        ScenarioError([])


def test_every_error_of_ours_ends_a_command_with_2():
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, HarnessError)]
    assert {kind.exit_code for kind in kinds} == {2}
    assert len(kinds) > 3
