import json
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.base.verdict import Verdict
from harness.cli import main
from harness.cli_mutants import again
from harness.history import journal
from harness.run.gallery import load_gallery
from harness.run.judge import judge
from harness.run.mutants_wire import Crossed, Crossing, Passage
from tests.harness.run.test_mutants import GALLERY, STORY


def test_the_command_names_everything_that_decides_what_is_run(tmp_path):
    words = shlex.split(again("m", tmp_path / "my mutants", ("a b", "c"), whole=True, quick=True))
    assert words[:4] == ["relayproof", "mutants", "--only", "m"]
    assert words[4:6] == ["--gallery", str(tmp_path / "my mutants")]
    assert words[6:] == ["--files", "a b", "--files", "c", "--all-permutations", "--quick"]


@pytest.fixture
def gallery(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mutants").mkdir()
    (tmp_path / "mutants" / "some.py").write_text(GALLERY.replace('"poll-skip"', '"not-this"'))
    (tmp_path / "a-word.yaml").write_text(STORY)


def shown(*words):
    return CliRunner().invoke(main, ["mutants", "--gallery", "mutants", "--files", "a-word.yaml", "-n", "1", *words])


def lines_of(result, label):
    return [line.partition(f"{label}:")[2].strip() for line in result.output.splitlines() if f" {label}: " in line]


@pytest.mark.slow
@pytest.mark.usefixtures("gallery")
def test_a_mutant_that_is_not_as_declared_says_how_to_see_it_again():
    first = shown("--only", "skips-one")
    assert first.exit_code == Verdict.FAIL.exit_code
    assert "--report DIR" in first.output
    (command,) = lines_of(first, "again")
    second = CliRunner().invoke(main, [*shlex.split(command)[1:], "--report", "out", "-n", "1"])
    assert lines_of(second, "undeclared") == lines_of(first, "undeclared") != []
    kept = [shlex.split(line)[-1] for line in second.output.splitlines() if line.startswith("skips-one: ")]
    assert kept
    assert all(path.startswith("out/mutants/skips-one/histories/") for path in kept)
    found = [
        (one.requirement, one.code)
        for one in judge(journal.read(Path(kept[0]))).findings
        if one.verdict is Verdict.FAIL
    ]
    assert ("RC-ORD-006.no-skip", "poll-skip") in found


@pytest.mark.slow
@pytest.mark.usefixtures("gallery")
def test_one_that_is_as_declared_keeps_nothing(tmp_path):
    result = shown("--only", "is-right", "--report", "out")
    assert result.exit_code == 0, result.output
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mutants.json"]
    assert "again" not in result.output


@pytest.mark.usefixtures("gallery")
def test_a_report_that_cannot_be_written_is_said_before_anything_runs(tmp_path, monkeypatch):
    monkeypatch.setattr("harness.cli_mutants.run_gallery", None)
    (tmp_path / "out").write_text("")
    result = shown("--report", "out/deeper")
    assert result.exit_code == 2
    assert "name a folder that you may write" in result.output


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


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--remember"], "the kill map is made in the sim"),
        (["--again"], "the kill map is made in the sim"),
        (["--all-permutations", "--quick"], "choose"),
        ([], "has no program.py"),
    ],
)
def test_what_the_wire_cannot_do_for_a_gallery_is_a_usage_error(folder, options, why):
    found = mutants(folder, "--world", "wire", *options)
    assert found.exit_code == 2
    assert why in found.output


@pytest.mark.parametrize(("has_run", "code"), [(True, Verdict.PASS.exit_code), (False, Verdict.FAIL.exit_code)])
def test_the_wire_says_what_differs_and_who_was_left_out(folder, monkeypatch, has_run, code):
    pytest.importorskip("dns", reason="the extra `wire` is not installed; `make setup-wire` installs it")

    def crossed(gallery, files, *, tell, **options):
        assert (options["only"], options["quick"], options["workers"]) == (["skips-one"], True, 1)
        assert options["keep"] == folder / "out" / "mutants"
        mutant = load_gallery(gallery).mutants["skips-one"]
        killed = frozenset({("RC-ORD-006.no-skip", "poll-skip")})
        one = Crossing("a-word", is_control=False, expected=killed, possible=killed, found=killed)
        outcome = Crossed(mutant, (one,)) if has_run else Crossed(mutant, left_out="no such fault")
        tell(outcome)
        return Passage((outcome,), 2)

    monkeypatch.setattr("harness.cli_mutants.run_on_wire", crossed)
    (folder / "mutants" / "program.py").touch()
    options = ["--world", "wire", "--only", "skips-one", "--quick", "--report", str(folder / "out")]
    found = mutants(folder, *options)
    assert found.exit_code == code
    assert ("left out: no such fault" in found.output) is not has_run
    assert json.loads((folder / "out" / "mutants.json").read_bytes())["world"] == "wire"
