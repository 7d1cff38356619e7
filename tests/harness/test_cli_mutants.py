import json

import pytest
from click.testing import CliRunner

from harness.cli import main
from tests.harness.run.test_mutants import GALLERY, STORY


@pytest.fixture
def folder(tmp_path):
    """A gallery of one broken relay, and a story that it cannot tell."""
    kept = GALLERY[: GALLERY.index('    Mutant("is-right"')] + ")\n"
    (tmp_path / "mutants").mkdir()
    (tmp_path / "mutants" / "some.py").write_text(kept)
    (tmp_path / "a-word.yaml").write_text(STORY)
    return tmp_path


def mutants(folder, *options):
    where = ["--gallery", str(folder / "mutants"), "--files", str(folder / "a-word.yaml"), "-n", "1"]
    return CliRunner().invoke(main, ["mutants", *where, *options], catch_exceptions=False)


@pytest.mark.slow
def test_a_kill_map_is_made_piece_by_piece_and_not_twice(folder):
    assert "Nothing to do" in mutants(folder, "--remember", "--part", "2/2").output
    first = mutants(folder, "--remember")
    assert "reference: green on 1 of 1 plans" in first.stderr
    assert "1 of 1, kept" in first.stderr
    kills = json.loads((folder / "mutants" / "kill_map.json").read_bytes())
    assert kills["skips-one"]["RC-ORD-006.no-skip"] == {"poll-skip": "a-word"}
    again = mutants(folder, "--remember")
    assert (again.exit_code, "Nothing to do" in again.output) == (0, True)
    assert mutants(folder).exit_code == 0


@pytest.mark.parametrize("part", ["0/2", "3/2", "1", "1/", "a/b"])
def test_a_part_that_is_none_is_a_usage_error(folder, part):
    found = mutants(folder, "--remember", "--part", part)
    assert found.exit_code == 2
    assert "is not like 2/5" in found.output
