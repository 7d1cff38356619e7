from dataclasses import replace
from pathlib import Path

import pytest

from harness.base.verdict import Verdict
from harness.run.casting import BENIGN_FILES, Measure, Playable, cast, controls
from harness.run.gallery import Mutant
from harness.run.mutant_trial import Run

SCENARIOS = Path(__file__).parents[3] / "scenarios"
LAW = ("RC-ORD-001.no-loss", "lost-write")

HOMES = {"a[1]": Path("a"), "a[2]": Path("a"), "b": Path("b"), "c": Path("c"), "d": Path("d"), "e": Path("e")}
KNOWN = {"m": {LAW[0]: {LAW[1]: "a[1]"}}}


class Splice:
    seams = frozenset({"Relay.resume"})

    def __call__(self, count):
        return {}


def mutant(kind="delete", **changes):
    kills = {} if kind == "benign" else {LAW[0]: LAW[1]}
    return Mutant("m", kind, "relay", "It is broken.", "ORD-1", kills, Splice(), **changes)


def run(plan, **changes):
    fields = {"verdict": Verdict.PASS, "used": Splice.seams, "simulated_s": 60.0}
    return Run(plan, "relay", **(fields | changes))


def playable(**refused):
    return Playable(
        HOMES, {plan.replace("_", "[") + "]" if "_" in plan else plan: why for plan, why in refused.items()}
    )


def measure(*killed, by=None, **changes):
    """The reference is green everywhere; the mutant is killed in the plans named, by ``LAW`` or by what ``by`` says of a plan."""
    reference = {plan: [run(plan, **changes.get(plan[0], {}))] for plan in HOMES}
    failed = dict.fromkeys(killed, (LAW,)) | (by or {})
    return Measure(reference, {("m", plan): run(plan, failed=failed.get(plan, ())) for plan in HOMES})


def parts(found):
    return [(part.plan, part.is_control) for part in found.parts]


def spare(found):
    return [part.plan for part in found.spare]


def test_killers_come_first_and_then_a_control():
    assert parts(cast(mutant(), KNOWN, playable(), measure("a[1]"))) == [("a[1]", False), ("b", True)]


def test_the_shortest_killer_comes_first_and_a_quick_run_has_no_control():
    known = {"m": {LAW[0]: {LAW[1]: "b", "other": "c"}}}
    times = measure("b", "c", b={"simulated_s": 90.0}, c={"simulated_s": 30.0})
    both = replace(mutant(), kills={LAW[0]: (LAW[1], "other")})
    assert parts(cast(both, known, playable(), times))[:2] == [("c", False), ("b", False)]
    quick = cast(both, known, playable(), times, quick=True)
    assert (parts(quick), spare(quick)) == ([("c", False)], ["b", "a[1]", "d", "e"])


def test_what_kills_as_declared_goes_before_a_shorter_story_that_it_only_brings_down():
    known = {"m": {LAW[0]: {LAW[1]: "b"}, "RC-ORD-009.resumes": {"late": "c"}}}
    times = measure("b", by={"c": (("RC-ORD-009.resumes", "late"),)}, b={"simulated_s": 90.0}, c={"simulated_s": 30.0})
    found = cast(mutant(), known, playable(), times)
    assert (parts(found), spare(found)) == ([("b", False), ("a[1]", True)], ["d", "e"])
    whole = cast(mutant(), known, playable(), times, whole=True)
    assert (parts(whole), spare(whole)) == ([("b", False), ("c", False), ("a[1]", True)], ["d", "e"])


def test_of_plans_that_kill_alike_the_one_that_the_kill_map_names_goes_first():
    times = measure("a[1]", "c", a={"simulated_s": 90.0}, c={"simulated_s": 30.0})
    known = {"m": {LAW[0]: {LAW[1]: "a[1]"}, "RC-ORD-009.resumes": {"late": "c"}}}
    assert parts(cast(mutant(), known, playable(), times, whole=True))[:2] == [("a[1]", False), ("c", False)]


def test_where_no_killer_can_be_played_a_sibling_stands_in_if_the_sim_says_that_it_kills():
    refused = playable(a_1="no such fault")
    assert parts(cast(mutant(), KNOWN, refused, measure("a[2]")))[0] == ("a[2]", False)
    assert cast(mutant(), KNOWN, refused, measure()) == "no plan that the wire world can play kills it in the sim"


def test_a_part_knows_what_the_kill_map_names_its_plan_for():
    killer, control = cast(mutant(), KNOWN, playable(), measure("a[1]")).parts
    assert (killer.declared, control.declared) == ({LAW}, frozenset())


def test_without_any_the_reason_is_the_worlds():
    assert cast(mutant(), KNOWN, playable(a_1="no such fault", a_2="nor this"), measure()) == "no such fault"


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (Mutant("h", "harness", "harness", "It is broken.", "", world=lambda count: None), "a broken harness is no program"),
        (mutant(sim_only="its disk is simulated"), "its disk is simulated"),
    ],
)  # fmt: skip
def test_what_is_no_process_is_left_out(one, why):
    assert cast(one, KNOWN, playable(), measure("a[1]")) == why


def test_what_was_never_mapped_is_left_out():
    assert cast(mutant(), {}, playable(), measure("a[1]")) == "it has no kill map"


def test_a_killer_on_which_the_reference_is_not_green_is_none():
    red = measure("a[1]", a={"verdict": Verdict.FAIL, "failed": (LAW,)})
    assert cast(mutant(), KNOWN, playable(), red) == "no plan that the wire world can play kills it in the sim"


def test_a_control_uses_what_is_broken():
    assert controls(mutant(), KNOWN, playable(), measure(b={"used": frozenset()})) == ["c", "d", "e"]


def test_a_control_in_which_the_sim_used_it_goes_before_a_shorter_one():
    used = measure("a[1]")
    used.kills["m", "d"] = run("d", hits=1)
    found = cast(mutant(), KNOWN, playable(), used)
    assert (parts(found), spare(found)) == ([("a[1]", False), ("d", True)], ["b", "c", "e"])


def test_a_benign_variant_plays_in_several_files_in_a_quick_run_in_one():
    found = cast(mutant("benign"), {}, playable(), measure())
    assert len({HOMES[part.plan] for part in found.parts}) == len(found.parts) == BENIGN_FILES
    assert len(cast(mutant("benign"), {}, playable(), measure(), quick=True).parts) == 1


def test_what_the_wire_world_cannot_play_is_said(monkeypatch):
    pytest.importorskip("dns", reason="the extra `wire` is not installed; `make setup-wire` installs it")
    monkeypatch.setattr("harness.worlds.wire.able.unavailable", lambda: "no root")
    found = Playable.of([SCENARIOS / "outage" / "ten-minute-outage.yaml", SCENARIOS / "sleep" / "clock-drifts.yaml"])
    assert set(found.homes) > set(found.refused)
    assert set(found.refused.values()) == {"its file excludes the wire world", "fault `cut`: no root"}
    assert {found.homes[plan].stem for plan in found.first} == {"ten-minute-outage"}
