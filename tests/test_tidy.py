"""House rules that a machine can keep."""

import ast
import re
import subprocess
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest
import yaml

from harness.cli import main
from reference.native.command import main as programs

ROOT = Path(__file__).parents[1]
SOURCES = sorted(path for room in ("harness", "reference") for path in (ROOT / room).rglob("*.py"))
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
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


TESTED_THROUGH = {
    "harness/checks/catalogue.py": "tests/harness/checks/test_requirements.py",
    "harness/checks/findings.py": "tests/harness/checks/test_delivery.py",
    "harness/checks/model.py": "tests/harness/checks/test_requirements.py",
    "harness/checks/streams.py": "tests/harness/checks/test_log.py",
    "harness/checks/when.py": "tests/harness/checks/test_outage.py",
    "harness/checks/words.py": "tests/harness/checks/test_delivery.py",
    "harness/faults/*.py": "tests/harness/faults/test_catalogue.py",
    "harness/faults/catalogue/*.py": "tests/harness/faults/test_catalogue.py",
    "harness/run/evidence.py": "tests/harness/run/test_judge.py",
    "harness/run/judgement.py": "tests/harness/run/test_judge.py",
    "harness/run/mutants_wire_table.py": "tests/harness/run/test_mutants_wire.py",
    "harness/run/mutant*.py": "tests/harness/run/test_mutants.py",
    "harness/scenario/__main__.py": "tests/harness/scenario/test_schema.py",
    "harness/scenario/guide.py": "tests/harness/scenario/test_schema.py",
    "harness/scenario/*.py": "tests/harness/scenario/test_expand.py",
    "harness/sut/canary.py": "tests/harness/sut/test_tap.py",
    "harness/sut/tap_*.py": "tests/harness/sut/test_tap.py",
    "harness/worlds/pki.py": "tests/harness/worlds/sim/test_pki.py",
    "harness/worlds/errands.py": "tests/harness/worlds/sim/test_world.py",
    "harness/worlds/start_args.py": "tests/harness/worlds/sim/test_world.py",
    "harness/worlds/wire/firewall.py": "tests/harness/worlds/wire/test_routed.py",
    "harness/worlds/wire/ground.py": "tests/harness/worlds/wire/test_world.py",
    "harness/worlds/wire/namespaces.py": "tests/harness/worlds/wire/test_routed.py",
    "harness/worlds/wire/doors.py": "tests/harness/worlds/wire/test_routed.py",
    "harness/worlds/wire/account.py": "tests/harness/worlds/wire/test_world.py",
    "harness/worlds/wire/laying.py": "tests/harness/worlds/wire/test_world.py",
    "harness/worlds/wire/outfit.py": "tests/harness/worlds/wire/test_world.py",
    "harness/worlds/wire/stage.py": "tests/harness/worlds/wire/test_world.py",
    "harness/worlds/wire/operations.py": "tests/harness/worlds/wire/test_world.py",
    "harness/worlds/wire/roles.py": "tests/harness/worlds/wire/test_world.py",
    "harness/worlds/acts.py": "tests/harness/worlds/test_director.py",
    "harness/worlds/in_force.py": "tests/harness/worlds/test_director.py",
    "harness/worlds/pace.py": "tests/harness/worlds/test_director.py",
    "harness/worlds/sim/current.py": "tests/harness/worlds/sim/test_entropy.py",
    "harness/worlds/sim/dial.py": "tests/harness/worlds/sim/test_tcp.py",
    "harness/worlds/sim/endpoint.py": "tests/harness/worlds/sim/test_tcp.py",
    "harness/worlds/sim/flow.py": "tests/harness/worlds/sim/test_tcp.py",
    "reference/__main__.py": "tests/reference/native/test_stdio.py",
    "reference/device/driver.py": "tests/reference/device/test_shim.py",
    "reference/protocol/client*.py": "tests/reference/protocol/test_host.py",
    "reference/protocol/device_*.py": "tests/reference/protocol/test_device.py",
    "reference/protocol/host_*.py": "tests/reference/protocol/test_host.py",
    "reference/protocol/limits.py": "tests/reference/protocol/test_relay.py",
    "reference/protocol/relay_*.py": "tests/reference/protocol/test_relay.py",
    "reference/relay/service.py": "tests/reference/relay/test_server.py",
}
"""Sources that are parts of something larger, and the test that drives them through it; the first pattern that matches counts."""


def mirrored(source):
    """The test file at the mirrored place."""
    return ROOT / "tests" / source.relative_to(ROOT).parent / f"test_{source.name}"


@cache
def imports_of(file):
    """Files of ours that a file imports, also inside functions; a package by itself stands for all that lies in it."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {place(alias.name) for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            parts = {place(f"{node.module}.{alias.name}") for alias in node.names}
            modules = {part for part in parts if part.with_suffix(".py").is_file()}
            found |= modules if parts == modules else modules | {place(node.module)}
    packages = {one for where in found if (where / "__init__.py").is_file() for one in where.glob("*.py")}
    return frozenset(one for one in {where.with_suffix(".py") for where in found} | packages if one.is_file())


def place(module):
    """Where a module or package lies, without suffix."""
    return ROOT / module.replace(".", "/")


def reaches(test, source):
    """Whether a test, or its support, imports a source, or something of the source's own room that needs it."""
    support = [test, *(folder / "conftest.py" for folder in test.parents if (folder / "conftest.py").is_file())]
    support += [file for file in imports_of(test) if file.is_relative_to(ROOT / "tests")]
    known = {file for one in support for file in imports_of(one)}
    ahead = list(known)
    while ahead and source not in known:
        file = ahead.pop()
        further = imports_of(file) - known if file.is_relative_to(source.parent) else frozenset()
        known |= further
        ahead += further
    return source in known


TESTED = [source for source in SOURCES if source.name not in ONLY_WORDS and name(source) not in PLAIN_VALUES]


@pytest.mark.parametrize("source", [one for one in TESTED if not mirrored(one).is_file()], ids=name)
def test_a_source_without_a_test_file_is_tested_through_another(source):
    through = [ROOT / test for pattern, test in TESTED_THROUGH.items() if fnmatch(name(source), pattern)]
    assert through, f"{name(mirrored(source))} is missing"
    assert through[0].is_file()
    assert reaches(through[0], source), f"{name(through[0])} imports neither {name(source)} nor what needs it"


@pytest.mark.parametrize(
    ("test", "source", "does"),
    [
        ("tests/reference/protocol/test_relay.py", "reference/protocol/relay_streams.py", True),
        ("tests/reference/protocol/test_relay.py", "reference/protocol/host.py", False),
        ("tests/harness/scenario/test_expand.py", "harness/worlds/director.py", False),
    ],
)
def test_reaching_is_not_everything(test, source, does):
    assert reaches(ROOT / test, ROOT / source) is does


def test_what_is_listed_is_there():
    assert [entry for entry in PLAIN_VALUES if not (ROOT / entry).is_file()] == []
    assert [pattern for pattern in TESTED_THROUGH if not any(fnmatch(name(one), pattern) for one in SOURCES)] == []


@pytest.mark.parametrize("source", SOURCES, ids=name)
def test_no_file_holds_two_ideas(source):
    assert len(source.read_text().splitlines()) <= LINES_MAX


def test_nothing_is_put_off():
    unfinished = re.compile(r"\b(TODO|FIXME|XXX)\b")
    found = [name(path) for path in SOURCES if unfinished.search(path.read_text())]
    assert found == []


def test_no_file_names_a_folder_of_one_machine():
    one_machine = re.compile(r"(?<![\w.])/(root|work|home/(?!owner|user)\w+)/\w")
    texts = [
        ROOT / path
        for path in TRACKED
        if Path(path).suffix in {".py", ".md", ".yaml", ".yml", ".toml", ".json", ".csv", ""}
    ]
    assert [
        name(path) for path in texts if path.is_file() and one_machine.search(path.read_text(errors="replace"))
    ] == []


def targets(text):
    return set(re.findall(r"^([a-z-]+):.*## ", text, re.MULTILINE))


def test_the_makefile_has_the_promised_targets():
    promised = {
        "help",
        "setup",
        "setup-wire",
        "scenarios",
        "test",
        "test-wire",
        "check",
        "mutants",
        "mutants-wire",
        "wire",
        "wire-diff",
        "bench",
        "demo",
        "clean",
    }
    makefile = (ROOT / "Makefile").read_text()
    assert targets(makefile) == promised
    assert set(re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split()) == promised


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_make_target_of_a_page_exists(page):
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(), re.MULTILINE))
    assert named <= targets((ROOT / "Makefile").read_text())


@pytest.mark.parametrize("page", [*PAGES, *WORKFLOWS], ids=name)
def test_every_command_of_a_page_or_workflow_exists_with_its_options(page):
    begins = r"^(?:`|\$ )?" if page in PAGES else r"(?:^ +|run: |do )"
    for command, rest in re.findall(begins + r"relayproof ([a-z]+)([^\n`|#;]*)", page.read_text(), re.MULTILINE):
        assert command in main.commands, f"{name(page)} names `relayproof {command}`"
        its = {**main.commands, **programs.commands}[command]
        known = {option for parameter in its.params for option in parameter.opts}
        assert set(re.findall(r"(?<!\S)--[a-z-]+", rest)) <= known, f"{name(page)}: relayproof {command}{rest}"


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=name)
def test_a_workflow_may_only_read_and_pins_its_actions(workflow):
    data = yaml.safe_load(workflow.read_text())
    steps = [step for job in data["jobs"].values() for step in job["steps"]]
    assert data["permissions"] == {"contents": "read"}
    assert all(job["timeout-minutes"] for job in data["jobs"].values())
    assert [
        one["uses"] for one in steps if not re.fullmatch(r"actions/[a-z-]+@v\d+", one.get("uses", "actions/x@v1"))
    ] == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_of_a_page_leads_somewhere(page):
    prose = re.sub(r"^```.*?^```|`[^`\n]*`", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    links = re.findall(r"\]\((?!https?:)([^)#]+)", prose)
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_architecture_stays_short():
    assert len((ROOT / "ARCHITECTURE.md").read_text().splitlines()) <= 200
