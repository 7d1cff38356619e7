from harness.checks.requirements import load_requirements
from harness.run.coverage import coverage
from tests.harness.checks.made import expects, plan

PLAN = plan(expectations=(expects("phone", "sees", ["a"], proves="RC-OUT-001.catches-up"),), invariants=("no-loss",))


def rows(plans=(PLAN,), mutants=()):
    return {row.id: row for row in coverage(plans, mutants)}


def test_every_requirement_has_a_row_in_order():
    assert list(rows()) == list(load_requirements())


def test_an_expected_requirement_is_covered_and_names_what_covers_it():
    row = rows(mutants=[{"id": "M01", "kills": {"RC-OUT-001.catches-up": "lost-write"}}])["RC-OUT-001.catches-up"]
    assert (row.status, row.scenarios, row.checks, row.mutants, row.worlds, row.reason) == (
        "covered",
        ("made",),
        ("device.sees",),
        ("M01",),
        ("sim",),
        "",
    )


def test_a_law_covers_its_requirement():
    assert rows()["RC-ORD-001.no-loss"].checks == ("no-loss",)
    assert rows()["RC-SES-000.control"].status == "covered"


def test_nothing_covers_anything_without_plans():
    assert {row.status for row in rows(()).values()} == {"not-yet", "excluded"}
    assert all(row.reason for row in rows(()).values())


def test_what_cannot_be_observed_says_why():
    row = rows()["RC-ART-022.phone"]
    assert row.status == "excluded"
    assert "comfort" in row.reason
