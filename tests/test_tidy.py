"""House rules that a machine can keep."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from harness.cli import main

ROOT = Path(__file__).parents[1]
SOURCES = sorted(path for room in ("harness", "reference") for path in (ROOT / room).rglob("*.py"))
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
TRACKED = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()

LINES_MAX = 450
"""House style says about 300; beyond this a file holds two ideas."""

ONLY_WORDS = {"__init__.py"}
"""Files that may hold nothing but a docstring and names of others need no test of their own."""

PLAIN_VALUES = {
    "harness/base/rank.py",
    "harness/history/plan.py",
    "harness/history/events.py",
    "harness/worlds/stage.py",
    "reference/platform.py",
    "reference/protocol/instant.py",
    "reference/protocol/timers.py",
}
"""Declarations without behaviour: every test of their users tests them."""


def name(path):
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("source", SOURCES, ids=name)
def test_every_source_says_what_lives_there(source):
    assert ast.get_docstring(ast.parse(source.read_text())), f"{name(source)} has no module docstring"


TESTED_BY_LAWS = {"harness/faults": "tests/harness/faults/test_catalogue.py"}
"""Rooms whose files are held to laws over an example of each, all in one test."""


def missing_tests():
    for source in SOURCES:
        by_law = name(source.parent) in TESTED_BY_LAWS
        if source.name not in ONLY_WORDS and name(source) not in PLAIN_VALUES and not by_law:
            twin = ROOT / "tests" / source.relative_to(ROOT).parent / f"test_{source.name}"
            if not twin.is_file():
                yield name(twin)


def test_every_source_has_its_test_file():
    assert list(missing_tests()) == []


def test_the_list_of_plain_values_names_real_files():
    assert [entry for entry in (*PLAIN_VALUES, *TESTED_BY_LAWS.values()) if not (ROOT / entry).is_file()] == []


@pytest.mark.parametrize("source", SOURCES, ids=name)
def test_no_file_holds_two_ideas(source):
    assert len(source.read_text().splitlines()) <= LINES_MAX


def test_nothing_is_put_off():
    unfinished = re.compile(r"\b(TODO|FIXME|XXX)\b")
    found = [name(path) for path in SOURCES if unfinished.search(path.read_text())]
    assert found == []


def test_no_file_names_a_folder_of_one_machine():
    one_machine = re.compile(r"(?<![\w.])/(root|work|home/(?!owner|user)\w+)/\w")
    texts = [ROOT / path for path in TRACKED if Path(path).suffix in {".py", ".md", ".yaml", ".toml", ".json", ""}]
    assert [
        name(path) for path in texts if path.is_file() and one_machine.search(path.read_text(errors="replace"))
    ] == []


def targets(text):
    return set(re.findall(r"^([a-z]+):.*## ", text, re.MULTILINE))


def test_the_makefile_has_the_promised_targets():
    promised = {"help", "setup", "scenarios", "test", "check", "mutants", "bench", "demo", "clean"}
    makefile = (ROOT / "Makefile").read_text()
    assert targets(makefile) == promised
    assert set(re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split()) == promised


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_make_target_of_a_page_exists(page):
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", page.read_text(), re.MULTILINE))
    assert named <= targets((ROOT / "Makefile").read_text())


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_command_of_a_page_exists_with_its_options(page):
    for command, rest in re.findall(r"^(?:`|\$ )?relayproof ([a-z]+)([^\n`|#]*)", page.read_text(), re.MULTILINE):
        assert command in main.commands, f"{name(page)} names `relayproof {command}`"
        known = {option for parameter in main.commands[command].params for option in parameter.opts}
        assert set(re.findall(r"(?<!\S)--[a-z-]+", rest)) <= known, f"{name(page)}: relayproof {command}{rest}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_of_a_page_leads_somewhere(page):
    prose = re.sub(r"^```.*?^```|`[^`\n]*`", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    links = re.findall(r"\]\((?!https?:)([^)#]+)", prose)
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_architecture_stays_short():
    assert len((ROOT / "ARCHITECTURE.md").read_text().splitlines()) <= 200
