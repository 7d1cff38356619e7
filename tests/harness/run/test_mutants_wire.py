"""Mutants as processes: what is compared and how, and one gallery for real. The last needs the extra ``wire``, and Go or toxiproxy-server."""

import json
import re
import shutil
import subprocess
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from harness.base.verdict import Verdict
from harness.run import mutants_wire
from harness.run.casting import Part
from harness.run.gallery import Mutant, load_gallery
from harness.run.mutant_trial import ROLES, Run, commands
from harness.run.mutants_wire import MORE_SEEDS, WIRE_ALONE, Crossed, Crossing, Passage, crossing, run_on_wire
from harness.run.mutants_wire_table import as_json, last_word, line, write_json
from tests.harness.run.test_mutants import GALLERY, LAW, OTHER, STORY, harness_mutant, mutant

MUTANTS = Path(__file__).parents[2] / "mutants"


def run(**changes):
    fields = {"verdict": Verdict.FAIL, "failed": (LAW,), "hits": 1, "is_set_up": True, "faults": 1}
    return Run("p", "relay", **(fields | changes))


def reference(**changes):
    return [run(**({"verdict": Verdict.PASS, "failed": ()} | changes))]


def compared(wire, kind="delete", **changes):
    one = mutant(kind, {} if kind == "benign" else None)
    declared = frozenset({LAW} if kind != "benign" else ())
    part = Part("p", run(**({"failed": ()} if kind == "benign" else {}) | changes.pop("sim", {})), declared)
    return crossing(one, part, changes.pop("reference", reference()), wire)


def test_the_same_kills_in_both_worlds_are_exact():
    assert compared(run()).exact


@pytest.mark.parametrize("failed", [(), (OTHER,), (LAW, OTHER), ((LAW[0], "late"),)])
def test_another_requirement_or_code_is_not(failed):
    assert not compared(run(failed=failed)).exact


DEAF = ("RC-OPS-004.obeys-signal", "did-not-leave")


@pytest.mark.parametrize(("failed", "exact"), [((LAW, DEAF), True), ((DEAF,), False)])
def test_what_the_wire_alone_can_judge_is_not_compared(failed, exact):
    assert compared(run(failed=failed)).exact is exact


def test_what_the_wire_alone_can_judge_is_what_its_guide_says():
    page = (MUTANTS.parents[1] / "docs" / "guide" / "wire.md").read_text()
    table = page.partition("## What only real processes show")[2].partition("\n## ")[0]
    assert set(re.findall(r"`(RC-[^`]+)`", table)) == WIRE_ALONE


@pytest.mark.parametrize(("failed", "exact"), [((LAW,), True), ((LAW, OTHER), True), ((OTHER,), False)])
def test_what_some_seeds_bring_down_in_the_sim_may_fall_on_the_wire(failed, exact):
    part = Part("p", run(failed=(LAW, OTHER)), chances=(run(failed=(LAW,)), run(failed=(LAW, OTHER))))
    assert crossing(mutant(), part, reference(), run(failed=failed)).exact is exact


@pytest.mark.parametrize(
    ("wire", "changes", "why"),
    [
        (run(why="WorldError: no"), {}, "WorldError: no"),
        (run(), {"sim": {"why": "RuntimeError: no"}}, "RuntimeError: no"),
        (run(failed=()), {"sim": {"failed": ()}}, "the kill map names RC-ORD-001.no-loss lost-write"),
        (run(hits=0), {}, "used in the sim and not here"),
        (run(), {"reference": reference(verdict=Verdict.FAIL, failed=(LAW,))}, "the reference is not green there"),
    ],
)
def test_what_spoils_a_comparison_is_said(wire, changes, why):
    found = compared(wire, **changes)
    assert why in found.why
    assert not found.exact


@pytest.mark.parametrize(
    ("failed", "chances", "idle", "why"),
    [
        ((), (1, 0), True, ""),
        ((), (1, 1), False, "used in the sim and not here"),
        ((LAW,), (1, 0), True, "used in the sim and not here"),
    ],
)
def test_what_the_sim_uses_by_some_seeds_only_may_lie_idle_on_the_wire_but_then_kills_nothing(
    failed, chances, idle, why
):
    ours = run(failed=failed)
    part = Part("p", ours, chances=tuple(replace(ours, hits=hits) for hits in chances))
    found = crossing(mutant(), part, reference(), run(failed=failed, hits=0))
    assert found.is_idle is idle
    assert why in found.why
    assert bool(found.why) is bool(why)


def test_where_every_seed_kills_another_way_one_must_kill_here():
    part = Part("p", run(), chances=(run(failed=(OTHER,)),))
    assert not crossing(mutant(), part, reference(), run(failed=())).exact
    assert crossing(mutant(), part, reference(), run(failed=(OTHER,))).exact


def test_a_benign_one_may_leave_nothing_unclear_that_the_reference_does_not():
    wire = run(verdict=Verdict.INCONCLUSIVE, failed=(), unclear=(OTHER,))
    assert not compared(wire, "benign").exact
    assert compared(wire, "benign", reference=reference(unclear=(OTHER,))).exact


def crossed(one=None, *crossings, left_out=""):
    return Crossed(one or mutant(), crossings, left_out)


KILLED = Crossing("p", is_control=False, expected=frozenset({LAW}), possible=frozenset({LAW}), found=frozenset({LAW}))
SPARED = Crossing("c", is_control=True, expected=frozenset(), possible=frozenset(), found=frozenset())
MISSED = replace(KILLED, found=frozenset({OTHER}))
UNLUCKY = replace(KILLED, expected=frozenset(), found=frozenset())
BY_THE_WAY = replace(KILLED, expected=frozenset({OTHER}), possible=frozenset({OTHER}), found=frozenset({OTHER}))


@pytest.mark.parametrize(
    ("outcome", "exact"),
    [
        (crossed(None, KILLED, SPARED), True),
        (crossed(None, KILLED, MISSED), False),
        (crossed(None, SPARED), False),
        (crossed(None), False),
        (crossed(None, replace(KILLED, is_control=True)), False),
        (crossed(None, KILLED, replace(SPARED, is_idle=True)), False),
        (crossed(None, KILLED, replace(SPARED, is_idle=True), SPARED), True),
        (crossed(None, UNLUCKY, SPARED), False),
        (crossed(None, UNLUCKY, SPARED, KILLED), True),
        (crossed(None, replace(UNLUCKY, must_fail=True), SPARED, KILLED), False),
        (crossed(None, UNLUCKY, BY_THE_WAY), False),
        (crossed(None, KILLED, BY_THE_WAY), True),
        (crossed(None, BY_THE_WAY), True),
        (
            crossed(
                mutant("delete", {LAW[0]: LAW[1], OTHER[0]: OTHER[1]}),
                KILLED,
                replace(BY_THE_WAY, expected=frozenset(), found=frozenset()),
            ),
            False,
        ),
        (crossed(mutant("benign", {}), replace(SPARED, is_idle=True)), False),
        (crossed(mutant("benign", {}), SPARED), True),
        (crossed(mutant("benign", {}), replace(SPARED, unclear=frozenset({LAW}))), False),
    ],
)
def test_a_broken_one_must_be_killed_somewhere_and_a_benign_one_nowhere(outcome, exact):
    assert outcome.exact is exact


def test_where_all_were_left_out_nothing_is_good():
    out = crossed(left_out="no such fault")
    assert not Passage((out,), 0).is_good
    assert Passage((out, crossed(None, KILLED)), 2).is_good
    assert not Passage((out, crossed(None, MISSED)), 2).is_good


def test_who_was_left_out_is_never_counted_as_killed(tmp_path):
    passage = Passage((crossed(None, KILLED), crossed(harness_mutant(), left_out="no program")), 2)
    write_json(passage, tmp_path)
    assert json.loads((tmp_path / "mutants.json").read_text()) == as_json(passage)
    found = as_json(passage)
    assert found["world"] == "wire"
    assert found["left_out"] == [{"id": "h", "reason": "no program"}]
    assert (found["totals"]["mutants"], found["totals"]["exact"], found["totals"]["left_out"]) == (1, 1, 1)
    assert found["mutants"][0]["plans"] == [
        {
            "id": "p",
            "control": False,
            "expected": {LAW[0]: [LAW[1]]},
            "possible": {LAW[0]: [LAW[1]]},
            "killed": {LAW[0]: [LAW[1]]},
            "must_fail": False,
            "used": True,
            "exact": True,
            "why": "",
        }
    ]
    assert "1 of 1 mutants killed on the wire as in the sim" in last_word(passage, 3.0)
    assert "1 left out" in last_word(passage, 3.0)


def test_a_line_says_where_chance_was_against_it_if_nothing_else_shows_more():
    missed = f"by chance:    {LAW[0]} {LAW[1]}  not in"
    assert f"{missed} any of these plans" in line(crossed(None, UNLUCKY, SPARED))
    assert f"{missed} p" in line(crossed(None, UNLUCKY, SPARED, replace(KILLED, plan="q")))
    assert "by chance" not in line(crossed(None, KILLED, SPARED))
    unlucky = replace(BY_THE_WAY, expected=frozenset(), found=frozenset())
    assert f"by chance:    {OTHER[0]} {OTHER[1]}  not in any" in line(crossed(None, unlucky, SPARED))
    assert "none, as by some seeds of the sim" in line(
        crossed(None, KILLED, replace(SPARED, is_idle=True, is_used=False))
    )


def test_a_line_says_what_a_mutant_did_not_show_although_it_is_as_in_the_sim():
    not_here = f"not here:     {LAW[0]} {LAW[1]}"
    assert not_here in line(crossed(None, BY_THE_WAY, SPARED))
    assert not_here not in line(crossed(None, KILLED, BY_THE_WAY))
    assert not_here not in line(crossed(left_out="no such fault"))
    assert "no control:   what is broken was used in none" in line(
        crossed(None, KILLED, replace(SPARED, is_used=False))
    )
    assert line(crossed(None, KILLED, replace(SPARED, is_used=False), SPARED)).count("\n") == 0
    assert "no control" not in line(crossed(None, KILLED))


def test_a_line_says_in_which_world_alone_something_was_found():
    text = line(crossed(None, MISSED))
    assert f"in sim only:  {LAW[0]} {LAW[1]}  in p" in text
    assert f"on wire only: {OTHER[0]} {OTHER[1]}  in p" in text
    assert line(crossed(left_out="no such fault")).startswith("--")


class InThisProcess:
    map = staticmethod(map)


@pytest.mark.parametrize(("at", "exact"), [(MORE_SEEDS[-1], True), (MORE_SEEDS[-1] + 1, False)])
def test_where_the_wire_differs_the_sim_is_asked_by_more_seeds_and_that_is_told_last(at, exact, tmp_path, monkeypatch):
    pytest.importorskip("dns", reason="the extra `wire` is not installed; `make setup-wire` installs it")
    (tmp_path / "some.py").write_text(GALLERY)
    named = {name: {LAW[0]: {LAW[1]: "a-word"}} for name in ("skips-one", "is-unused")}
    (tmp_path / "kill_map.json").write_text(json.dumps(named))
    (tmp_path / "a-word.yaml").write_text(STORY)

    def run_job(_folder, job):
        more = (OTHER,) if job.mutant == "skips-one" and (job.world == "wire" or job.seed >= at) else ()
        role = ROLES[0] if job.mutant else "relay"
        failed = (LAW, *more) if job.mutant else ()
        verdict = Verdict.FAIL if failed else Verdict.PASS
        return [replace(run(verdict=verdict, failed=failed), plan="a-word", role=role)]

    monkeypatch.setattr(mutants_wire, "run_job", run_job)
    monkeypatch.setattr(mutants_wire, "pool_of", lambda _workers: nullcontext(InThisProcess))
    told = []
    passage = run_on_wire(tmp_path, [tmp_path / "a-word.yaml"], only=list(named), quick=True, tell=told.append)
    assert [one.mutant.id for one in told] == ["is-unused", "skips-one"]
    assert [one.exact for one in told] == [True, exact]
    assert {one.mutant.id: one for one in passage.outcomes} == {one.mutant.id: one for one in told}


@pytest.mark.parametrize(
    ("form", "by_chance", "spared", "plans"),
    [
        ({"quick": True}, (), (), ["one"]),
        ({"quick": True}, ("one",), ("one",), ["one", "two"]),
        ({"quick": True}, ("one",), (), ["one"]),
        ({"quick": True}, (), ("one",), ["one"]),
        ({"quick": True}, ("one", "two"), ("one", "two"), ["one", "two"]),
        ({}, (), (), ["one", "control"]),
        ({}, ("one",), ("one",), ["one", "control", "two"]),
        ({}, ("control",), ("control",), ["one", "control", "last"]),
        ({}, (), ("control",), ["one", "control"]),
        ({}, ("one", "control"), ("one", "control"), ["one", "control", "two", "last"]),
        ({"whole": True}, ("one",), ("one",), ["one", "two", "control"]),
    ],
)
def test_another_one_is_run_only_where_chance_was_against_the_sim_too(
    form, by_chance, spared, plans, tmp_path, monkeypatch
):
    """The chance shows by many seeds only, and the wire did not have it."""
    pytest.importorskip("dns", reason="the extra `wire` is not installed; `make setup-wire` installs it")
    (tmp_path / "some.py").write_text(GALLERY)
    named = {"skips-one": {LAW[0]: {LAW[1]: "one"}, OTHER[0]: {OTHER[1]: "two"}}}
    (tmp_path / "kill_map.json").write_text(json.dumps(named))
    files = [tmp_path / f"{name}.yaml" for name in ("one", "two", "control", "last")]
    for file in files:
        file.write_text(STORY.replace("a-word", file.stem))
    deadly = {"one": (LAW,), "two": (LAW, OTHER)}

    def run_job(_folder, job):
        (plan,) = job.wanted
        lucky = plan in spared if job.world == "wire" else plan in by_chance and job.seed == MORE_SEEDS[-1]
        failed = () if lucky or not job.mutant else deadly.get(plan, ())
        verdict = Verdict.FAIL if failed else Verdict.PASS
        role = ROLES[0] if job.mutant else "relay"
        return [replace(run(verdict=verdict, failed=failed, hits=int(not lucky)), plan=plan, role=role)]

    monkeypatch.setattr(mutants_wire, "run_job", run_job)
    monkeypatch.setattr(mutants_wire, "pool_of", lambda _workers: nullcontext(InThisProcess))
    monkeypatch.setattr(Mutant, "is_spared", lambda _self, _used: False)
    told = []
    passage = run_on_wire(tmp_path, files, only=["skips-one"], **form, tell=told.append)
    assert told == list(passage.outcomes)
    (outcome,) = told
    assert [one.plan for one in outcome.crossings] == plans
    assert outcome.exact is (set(spared) <= set(by_chance) and not {"one", "two"} <= set(spared))
    assert passage.runs == 2 * len(plans)


# --- the program


def started(one, uses, *options):
    gallery = load_gallery(MUTANTS)
    template = commands(gallery.mutants[one], gallery.homes[one], str(uses))["device"]
    words = [word for word in template[: template.index("--ca")] if word != "{agent_cmd}"]
    return [word.format(state_dir=uses.with_suffix(".state")) for word in words]


@pytest.mark.slow
def test_a_broken_program_speaks_as_the_reference_does_and_says_nothing_of_itself(tmp_path):
    pytest.importorskip("dns", reason="the extra `wire` is not installed; `make setup-wire` installs it")
    ask = '{"id": 1, "verb": "hello", "args": {}}\n'
    command = started("device-extra-fields", tmp_path / "uses")
    broken = subprocess.run(command, input=ask, capture_output=True, text=True, check=True, timeout=60)
    role = next(n for n, word in enumerate(command) if word in ROLES)
    right = [command[0], "-m", "reference", *command[role:]]
    right = subprocess.run(right, input=ask, capture_output=True, text=True, check=True, timeout=60)
    assert broken.stdout == right.stdout != ""
    assert "extra-fields" not in broken.stdout + broken.stderr


def test_every_role_of_a_mutant_gets_a_command(tmp_path):
    pytest.importorskip("dns", reason="the extra `wire` is not installed; `make setup-wire` installs it")
    gallery = load_gallery(MUTANTS)
    name = "trusts-the-relay"
    assert set(commands(gallery.mutants[name], gallery.homes[name], "uses")) == {"host", "relay"}


# --- for real


@pytest.mark.slow
def test_a_gallery_crosses(tmp_path):
    pytest.importorskip("toxiproxy", reason="the extra `wire` is not installed; `make setup-wire` installs it")
    pytest.importorskip("mitmproxy", reason="the extra `wire` is not installed; `make setup-wire` installs it")
    folder = tmp_path / "mutants"
    folder.mkdir()
    (folder / "some.py").write_text(GALLERY)
    (folder / "kill_map.json").write_text(json.dumps({"skips-one": {"RC-ORD-006.no-skip": {"poll-skip": "a-word"}}}))
    shutil.copy(MUTANTS / "program.py", folder)
    (tmp_path / "a-word.yaml").write_text(STORY)
    told = []
    passage = run_on_wire(
        folder,
        [tmp_path / "a-word.yaml"],
        only=["skips-one", "is-whole"],
        quick=True,
        keep=tmp_path / "out",
        tell=told.append,
    )
    killed, whole = passage.outcomes
    assert told == [killed, whole]
    assert ("RC-ORD-006.no-skip", "poll-skip") in killed.crossings[0].found
    assert killed.crossings[0].why == ""
    assert whole.left_out
    assert passage.runs == 2
    assert list((tmp_path / "out" / "skips-one" / "histories").iterdir())
