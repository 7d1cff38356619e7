import json

import pytest

from harness import cli_spec
from harness.base.errors import UsageError
from harness.cli_spec import show_requirements
from harness.report.explain import Law

LAWS = {"RC-OUT-001.catches-up": Law("MUST", "Nothing is lost."), "RC-LAT-001.echo": Law("SHOULD", "It is quick.")}


@pytest.fixture(autouse=True)
def _laws(monkeypatch):
    monkeypatch.setattr(cli_spec, "laws", lambda: LAWS)


def test_all_requirements():
    assert len(show_requirements(None, as_json=False).splitlines()) == 2


def test_an_area():
    assert "Nothing is lost." in show_requirements("RC-OUT", as_json=False)
    assert "quick" not in show_requirements("RC-OUT", as_json=False)


def test_for_programs():
    assert json.loads(show_requirements("RC-LAT-001.echo", as_json=True))[0]["level"] == "SHOULD"


def test_a_requirement_that_does_not_exist():
    with pytest.raises(UsageError, match="did you mean"):
        show_requirements("RC-OUT-001.catches-ip", as_json=False)
