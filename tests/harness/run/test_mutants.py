import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.base.errors import UsageError
from harness.base.verdict import Verdict
from harness.run.gallery import Mutant
from harness.run.mutant_trial import Job, Run, run_job
from harness.run.mutants import Table, outcome_of, run_gallery, unmapped_of, why_red
from harness.run.mutants_table import as_json, last_word, line, write_json

LAW = ("RC-ORD-001.no-loss", "lost-write")
OTHER = ("RC-ORD-002.no-duplicate", "duplicate")

STORY = """\
scenario: a-word
about: The session says a word and the phone shows it, a cut of its network notwithstanding.
cast: {host: reference, relay: sut, phone: reference}
story:
  - host.says: before
  - phone.sees: before
  - fault: {cut: phone-relay, how: black hole, for: 40s}
    during:
      - host.says: meanwhile
  - host.says: after
expect:
  - {phone.sees: [before, meanwhile, after], times: 1, proves: RC-ORD-009.resumes}
"""

GALLERY = """\
import functools
import reference.relay.shim
from harness.run.gallery import Mutant
from harness.sut.inprocess import REFERENCE
from harness.worlds.sim.world import SimWorld
from reference.protocol.relay import RelayMachine

class SkipsOne(RelayMachine):
    def resume_from(self, session, cursor):
        return min(cursor + 1, session.log.seq), False

class Titles(RelayMachine):
    pass

def relay(machine):
    def programs(count):
        count()
        return {"relay": functools.partial(reference.relay.shim.serve, machine=machine)}
    return programs

def unused(count):
    return REFERENCE

def world(count):
    count()
    return SimWorld()

MUTANTS = (
    Mutant("skips-one", "weaken", "relay", "It skips.", "", {"RC-ORD-006.no-skip": "poll-skip"}, relay(SkipsOne)),
    Mutant("is-right", "benign", "relay", "It is right.", "", {}, relay(Titles)),
    Mutant("is-unused", "delete", "relay", "It is nowhere.", "", {"RC-ORD-006.no-skip": "poll-skip"}, unused),
    Mutant("is-whole", "harness", "harness", "It is not broken at all.", "", world=world),
)
"""


def mutant(kind="delete", kills=None):
    kills = {LAW[0]: LAW[1]} if kills is None else kills
    return Mutant("m", kind, "relay", "It is broken.", "ORD-1", kills, lambda count: {})


def harness_mutant():
    return Mutant("h", "harness", "harness", "It is broken.", "", world=lambda count: None)


def run(plan="p[1]", **changes):
    fields = {"role": "relay", "verdict": Verdict.FAIL, "failed": (LAW,), "hits": 1, "is_set_up": True, "faults": 1}
    return Run(plan, **(fields | changes))


def outcome(mutant=None, *runs, known=None, baseline=None):
    return outcome_of(mutant or globals()["mutant"](), known or {}, list(runs), baseline or {})


def test_a_reference_that_is_red_says_what_was_seen():
    found = run(role="harness", told="p(99) is 0.250 s, the budget is 0.160 s")
    assert why_red(found) == f"FAIL {LAW[0]} {LAW[1]}: p(99) is 0.250 s, the budget is 0.160 s"
    broke = run(role="harness", verdict=Verdict.HARNESS_ERROR, failed=(), unclear=(LAW,), told="x", why="no room")
    assert why_red(broke) == "no room"
    assert why_red(run(role="relay", verdict=Verdict.INCONCLUSIVE, failed=(), unclear=(LAW,))) == ""


def test_a_run_keeps_the_words_of_what_it_failed_by():
    root = Path(__file__).parents[3]
    file, plan = root / "scenarios/latency/echo.yaml", "echo[a good line]"
    (found,) = run_job(root / "tests/mutants", Job("nagle-200ms", file, frozenset({plan})))
    assert found.failed == (("RC-LAT-001.echo", "over-budget"),)
    assert found.told.endswith("the budget is 0.160 s")


def test_a_mutant_that_dies_as_declared_is_exact():
    found = outcome(None, run(), run("p[2]"))
    assert found.exact
    assert found.killed == {LAW: ("p[1]", "p[2]")}


def test_a_survivor_is_not_exact():
    found = outcome(None, run(verdict=Verdict.PASS, failed=()))
    assert not found.exact
    assert found.missing == [LAW]


def test_a_kill_by_another_code_is_not_exact():
    found = outcome(None, run(failed=((LAW[0], "late"),)))
    assert (found.missing, found.undeclared) == ([LAW], [(LAW[0], "late")])


def test_collateral_is_exact_only_when_the_kill_map_holds_it():
    both = run(failed=(LAW, OTHER))
    assert not outcome(None, both).exact
    assert outcome(None, both, known={OTHER[0]: {OTHER[1]: "p[1]"}}).exact


@pytest.mark.parametrize(
    ("runs", "why"),
    [
        ([], "never run"),
        ([run(hits=0)], "never used"),
        ([run(is_set_up=False)], "no story ever began"),
    ],
)
def test_a_mutant_that_shows_nothing_is_void_and_not_killed(runs, why):
    found = outcome(None, *runs)
    assert why in found.void
    assert not found.exact


def test_a_system_that_refuses_everything_needs_no_story():
    assert outcome(mutant("unconditional"), run(is_set_up=False)).exact


def test_a_failure_where_the_broken_place_was_not_used_is_an_error():
    found = outcome(None, run(), run("p[2]", hits=0))
    assert not found.exact
    assert "not used" in found.errors[0][1]


def test_a_world_that_gave_up_is_an_error():
    assert not outcome(None, run(), run("p[2]", failed=(), why="WorldError: it gave up")).exact


def test_a_benign_one_may_leave_unclear_what_the_reference_leaves_unclear():
    same = {("p[1]", "relay"): run(failed=(), unclear=(OTHER,))}
    unsure = run(verdict=Verdict.INCONCLUSIVE, failed=(), unclear=(OTHER,))
    assert outcome(mutant("benign", {}), unsure, baseline=same).exact
    assert not outcome(mutant("benign", {}), unsure).exact


def test_a_benign_one_that_fails_is_killed():
    assert not outcome(mutant("benign", {}), run()).exact


@pytest.mark.parametrize(
    ("changes", "exact"),
    [
        ({"verdict": Verdict.INCONCLUSIVE}, True),
        ({"verdict": Verdict.HARNESS_ERROR, "why": "WorldError: no"}, True),
        ({"verdict": Verdict.PASS}, False),
        ({"verdict": Verdict.PASS, "faults": 0}, False),
        ({"verdict": Verdict.INCONCLUSIVE, "hits": 0}, False),
    ],
)
def test_a_broken_harness_must_never_be_green_about_a_fault(changes, exact):
    assert outcome(harness_mutant(), run(**({"failed": (), "role": "harness"} | changes))).exact is exact


def table(*outcomes, red=()):
    return Table(tuple(outcomes), frozenset({"p[1]"}), dict(red), 7)


def test_json_counts_benign_ones_and_harnesses_apart():
    found = as_json(
        table(
            outcome(None, run()),
            outcome(mutant("benign", {}), run()),
            outcome(harness_mutant(), run(verdict=Verdict.PASS, failed=())),
        )
    )
    assert found["totals"] == {
        "mutants": 1,
        "exact": 1,
        "benign": 1,
        "benign_killed": 1,
        "harness": 1,
        "harness_passed": 1,
    }
    assert found["mutants"][0] == {
        "id": "m",
        "kind": "delete",
        "expected": {LAW[0]: [LAW[1]]},
        "killed": {LAW[0]: [LAW[1]]},
        "exact": True,
    }


def test_the_table_is_written_whole(tmp_path):
    write_json(table(outcome(None, run())), tmp_path / "new")
    assert json.loads((tmp_path / "new" / "mutants.json").read_text())["totals"]["exact"] == 1


def test_a_folder_that_cannot_be_made_is_a_usage_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="--report"):
        write_json(table(), tmp_path / "file" / "new")


def test_a_line_says_what_differs_and_where():
    text = line(outcome(None, run(failed=(OTHER,))))
    assert f"not caught:  {LAW[0]} {LAW[1]}" in text
    assert f"undeclared:  {OTHER[0]} {OTHER[1]}  in p[1] (1)" in text


def test_the_last_word_names_plans_on_which_the_reference_is_not_green():
    text = last_word(table(outcome(None, run()), red={"p[1]": "FAIL RC-X"}), 3.0)
    assert "reference not green: p[1]: FAIL RC-X" in text
    assert "1 of 1 mutants killed exactly as declared" in text


def test_a_table_is_good_only_on_a_green_reference():
    assert table(outcome(None, run())).is_good
    assert not table(outcome(None, run()), red={"p[1]": "FAIL"}).is_good


def test_a_broken_system_without_a_kill_map_is_unmapped_and_a_benign_one_is_not():
    mutants = [outcome(None, run()).mutant]
    assert unmapped_of(mutants, {}) == (mutants[0].id,)
    assert unmapped_of(mutants, {mutants[0].id: {}}) == ()
    assert unmapped_of([replace(mutants[0], kind="benign", kills={})], {}) == ()


@pytest.mark.parametrize(
    ("found", "plans"),
    [
        (outcome(None, run(), run("p[2]")), []),
        (outcome(None, run(), run("p[2]", failed=(OTHER,))), ["p[2]"]),
        (outcome(None, run(failed=()), run("p[2]", failed=()), known={LAW[0]: {LAW[1]: "p[2]"}}), ["p[2]"]),
        (outcome(None, run(failed=()), run("p[2]", failed=())), ["p[1]"]),
        (outcome(None, run(hits=0), run("p[2]", hits=0)), ["p[1]", "p[2]"]),
        (outcome(mutant("benign", {}), run(failed=(), unclear=(OTHER,))), ["p[1]"]),
        (outcome(harness_mutant(), run(verdict=Verdict.PASS, failed=())), ["p[1]"]),
        (outcome(None), []),
    ],
    ids=["exact", "undeclared", "its home", "any", "errors", "unclear", "green", "never run"],
)
def test_what_is_not_as_declared_can_be_seen_in_a_plan(found, plans):
    assert found.telling == plans


@pytest.mark.slow
def test_a_gallery_is_run_against_the_simulated_world(tmp_path):
    folder, story, elsewhere = tmp_path / "mutants", tmp_path / "a-word.yaml", tmp_path / "not-here.yaml"
    folder.mkdir()
    (folder / "some.py").write_text(GALLERY)
    story.write_text(STORY)
    elsewhere.write_text(STORY.replace("a-word", "not-here").replace("story:", "worlds: [wire]\nstory:"))
    told, measured = [], []
    found = run_gallery(folder, [story, elsewhere], workers=1, tell=told.append, measured=measured.append)
    assert [(one.outcomes, one.plans) for one in measured] == [((), {"a-word"})]
    assert not found.red
    by_id = {one.mutant.id: one for one in found.outcomes}
    assert told == list(by_id.values())
    assert ("RC-ORD-006.no-skip", "poll-skip") in by_id["skips-one"].killed
    assert by_id["is-right"].exact
    assert by_id["is-unused"].void
    assert by_id["is-whole"].passed == ("a-word",)


def test_an_unknown_mutant_is_named_with_a_remedy(tmp_path):
    (tmp_path / "some.py").write_text(GALLERY)
    with pytest.raises(UsageError, match="did you mean `skips-one`"):
        run_gallery(tmp_path, [], only=["skip-one"])
