from harness.checks.requirements import load_requirements
from harness.run.coverage import coverage, musts
from tests.harness.checks.made import expects, plan

PLAN = plan(expectations=(expects("phone", "sees", ["a"], proves="RC-OUT-001.catches-up"),), invariants=("no-loss",))


def rows(plans=(PLAN,), kill_map=None):
    return {row.id: row for row in coverage(plans, kill_map)}


def test_every_requirement_has_a_row_in_order():
    assert list(rows()) == list(load_requirements())


def test_an_expected_requirement_is_covered_and_names_what_covers_it():
    row = rows(kill_map={"M01": {"RC-OUT-001.catches-up": {"lost-write": "plan"}}})["RC-OUT-001.catches-up"]
    assert (row.status, row.scenarios, row.checks, row.mutants, row.worlds, row.reason) == (
        "covered",
        ("made",),
        ("device.sees",),
        ("M01",),
        ("sim",),
        "",
    )


def test_a_law_covers_its_requirement_though_no_scenario_names_it():
    row = rows()["RC-ORD-001.no-loss"]
    assert (row.status, row.scenarios, row.checks, row.laws) == ("covered", (), (), ("no-loss",))
    assert rows()["RC-SES-000.control"].laws == ("control",)


def test_a_plan_that_names_a_requirement_covers_nothing_unless_a_check_judges_it():
    named = plan(
        expectations=(expects("phone", "dances", ["a"], proves="RC-OUT-001.catches-up"),), invariants=("nobody",)
    )
    row = rows((named,))["RC-OUT-001.catches-up"]
    assert (row.status, row.scenarios) == ("not-yet", ())


def test_the_musts_that_no_mutant_was_seen_to_fail_are_named():
    found = musts(rows(kill_map={"M01": {"RC-OUT-001.catches-up": {"lost-write": "plan"}}}).values())
    assert "RC-OUT-001.catches-up" not in found.without_mutant
    assert "RC-ORD-001.no-loss" in found.without_mutant
    assert found.with_mutant == 1
    assert found.covered == 1 + len(found.without_mutant) < found.all


def test_what_is_covered_is_unproven_until_a_mutant_was_seen_to_fail_it():
    found = rows(kill_map={"M01": {"RC-OUT-001.catches-up": {"lost-write": "plan"}}})
    assert not found["RC-OUT-001.catches-up"].unproven
    assert found["RC-ORD-001.no-loss"].unproven
    assert not any(row.unproven for row in found.values() if row.status != "covered")


def test_nothing_covers_anything_without_plans():
    assert {row.status for row in rows(()).values()} == {"not-yet", "excluded"}
    assert all(row.reason for row in rows(()).values())


def test_what_cannot_be_observed_says_why():
    row = rows()["RC-ART-022.phone"]
    assert row.status == "excluded"
    assert "comfort" in row.reason
