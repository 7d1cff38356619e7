import json

import pytest

from harness.base.errors import UsageError
from harness.checks.requirements import load_requirements
from harness.cli_spec import _every_plan, covered, show_coverage, show_requirements


def test_all_requirements():
    assert len(show_requirements(None, as_json=False).splitlines()) == len(load_requirements())


def test_an_area():
    lines = show_requirements("RC-OUT", as_json=False).splitlines()
    assert lines
    assert all(line.startswith("RC-OUT") for line in lines)


def test_one_requirement_with_its_sources_and_scenarios():
    shown = show_requirements("RC-OUT-002.ends", as_json=False)
    assert "ten-minute-outage" in shown
    assert "level          MUST" in shown


def test_for_programs():
    assert json.loads(show_requirements("RC-OUT-002.ends", as_json=True))[0]["level"] == "MUST"


def test_a_requirement_that_does_not_exist():
    with pytest.raises(UsageError, match="did you mean"):
        show_requirements("RC-OUT-002.endz", as_json=False)


def test_coverage_has_a_row_for_each_requirement_and_counts_them():
    found = json.loads(show_coverage(as_json=True))
    assert [row["id"] for row in found["rows"]] == list(load_requirements())
    assert found["totals"]["covered"] == sum(row["status"] == "covered" for row in found["rows"])
    assert show_coverage(as_json=False).splitlines()[-1].startswith(f"covered {found['totals']['covered']}  ")


def test_coverage_says_which_covered_musts_no_mutant_was_seen_to_fail():
    found, shown = json.loads(show_coverage(as_json=True)), show_coverage(as_json=False)
    bare = found["must"]["without_mutant"]
    assert f"covered, no mutant yet ({len(bare)}):" in shown
    assert all(f"\n  {name}\n" in shown for name in bare)
    assert f"{found['must']['with_mutant']} of these failed by a mutant" in shown


def test_coverage_marks_what_is_covered_and_unproven():
    found, shown = json.loads(show_coverage(as_json=True)), show_coverage(as_json=False)
    marked = [line.split()[3] for line in shown.splitlines() if line.startswith("covered   unproven ")]
    assert marked == [row["id"] for row in found["rows"] if row["unproven"]]
    assert found["totals"]["unproven"] == len(marked)
    assert shown.endswith(f"  unproven {len(marked)}")


def test_a_law_is_not_said_to_be_named_by_every_scenario():
    line = next(line for line in show_coverage(as_json=False).splitlines() if "RC-LOC-001.stays-local" in line)
    assert "every run: " in line
    assert f"named in {len(_every_scenario())} scenarios" not in line


def _every_scenario():
    return {plan.scenario for plan in _every_plan()}


def test_what_is_not_covered_says_why():
    assert all(row.reason for row in covered() if row.status == "excluded")
