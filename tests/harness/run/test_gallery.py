import sys

import pytest

from harness.base.errors import UsageError
from harness.run.gallery import PACKAGE, PROGRAM, Mutant, load_gallery, load_mutant

MODULE = """\
from harness.run.gallery import Mutant
from ._parts import programs
MUTANTS = (Mutant("{id}", "delete", "relay", "It is broken.", "ORD-1", {{"RC-A-001.x": ("one", "two")}}, programs),)
"""


def gallery(folder, **modules):
    (folder / "_parts.py").write_text(
        "def programs(count):\n    return {}\n\ndef watch(note):\n    return {'relay': note}\n"
    )
    for name, mutant in modules.items():
        (folder / f"{name}.py").write_text(MODULE.format(id=mutant))
    return folder


def broken(**changes):
    fields = {"id": "m", "kind": "delete", "role": "relay", "about": "It is broken.", "source": "ORD-1"}
    return Mutant(**(fields | {"kills": {"RC-A-001.x": "one"}, "programs": lambda count: {}} | changes))


def test_modules_of_a_gallery_share_their_parts(tmp_path):
    found = load_gallery(gallery(tmp_path, b="second", a="first"))
    assert list(found.mutants) == ["first", "second"]
    assert found.watched("note") == {"relay": "note"}


def test_one_mutant_is_loaded_without_its_neighbours(tmp_path):
    gallery(tmp_path, a="first", b="second")
    assert load_mutant(tmp_path / "a.py", "first").id == "first"
    assert {name for name in sys.modules if name.startswith(PACKAGE)} == {PACKAGE, f"{PACKAGE}.a", f"{PACKAGE}._parts"}


def test_the_program_of_a_gallery_is_no_module_of_mutants(tmp_path):
    (gallery(tmp_path, a="first") / PROGRAM).write_text("raise AssertionError")
    assert list(load_gallery(tmp_path).mutants) == ["first"]


def test_a_purpose_is_pairs_of_requirement_and_code(tmp_path):
    mutant = load_gallery(gallery(tmp_path, a="first")).mutants["first"]
    assert mutant.purpose == {("RC-A-001.x", "one"), ("RC-A-001.x", "two")}


@pytest.mark.parametrize(
    ("prepare", "complaint"),
    [
        (lambda folder: folder / "nowhere", "no such folder"),
        (gallery, "no module there has MUTANTS"),
        (lambda folder: gallery(folder, a="same", b="same"), "the mutant same is there twice"),
    ],
)
def test_a_gallery_that_cannot_be_used_says_why(tmp_path, prepare, complaint):
    with pytest.raises(UsageError, match=complaint):
        load_gallery(prepare(tmp_path))


@pytest.mark.parametrize(
    "changes",
    [{"kills": {}}, {"kind": "benign"}, {"programs": None}, {"role": "harness"}, {"world": lambda count: None}],
)
def test_an_entry_that_contradicts_itself_is_a_bug(changes):
    with pytest.raises(AssertionError):
        broken(**changes)


def test_a_run_is_spared_only_where_no_seam_of_the_mutant_is_used():
    def programs(count):
        return {}

    assert not broken(programs=programs).is_spared(frozenset({"Relay.say"}))
    programs.seams = frozenset({"Relay.end"})
    assert broken(programs=programs).is_spared(frozenset({"Relay.say"}))
    assert not broken(programs=programs).is_spared(frozenset({"Relay.say", "Relay.end"}))
