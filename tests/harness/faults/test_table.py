from pathlib import Path

from harness.faults.model import FAULTS, MIDDLEBOX_SETTINGS, OPERATIONS
from harness.faults.table import render, written

PAGE = Path(__file__).parents[3] / "docs" / "spec" / "faults.md"


def test_the_page_is_what_the_classes_say():
    assert PAGE.read_text(encoding="utf-8") == render()


def test_the_page_names_everything():
    page = render()
    for name in (*FAULTS, *OPERATIONS, *MIDDLEBOX_SETTINGS):
        assert f"`{name}`" in page


def test_written_as_a_scenario_writes_it():
    assert written(FAULTS["cut"]) == "{cut: host-relay}"
    assert written(FAULTS["sleeps"]) == "{host.sleeps: 1h}"
    assert written(FAULTS["shows_certificate"]) == "{relay.shows_certificate: expired}"
