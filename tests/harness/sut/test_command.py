import shutil

import pytest

from harness.base.errors import ScenarioError
from harness.scenario.document import Problems
from harness.scenario.load import parse
from harness.sut.command import PLACEHOLDERS, command_of


@pytest.fixture
def folder(tmp_path):
    program = tmp_path / "my-host"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    (tmp_path / "data.txt").write_text("")
    return tmp_path


def read(folder, command, role="host"):
    document = parse(f"process: {command}\n".encode(), str(folder / "sut.yaml"))
    problems = Problems(document)
    found = command_of(document, ("process",), role, problems)
    problems.stop()
    return found


def test_a_path_is_seen_from_the_file_and_so_is_the_program(folder):
    words = ("env", "-C", str(folder), f"{folder}/my-host")
    assert read(folder, "./my-host --ca '{ca_file}'") == (*words, "--ca", "{ca_file}")
    assert read(folder, '[./my-host, "--agent={agent_cmd}", "$HOME; {{}}"]') == (
        *words,
        "--agent={agent_cmd}",
        "$HOME; {{}}",
    )


def test_a_name_is_looked_up_on_path(folder):
    assert read(folder, "cat data.txt")[3:] == (shutil.which("cat"), "data.txt")


def test_a_folder_with_braces_is_left_alone(folder):
    odd = folder / "{x}"
    odd.mkdir()
    shutil.copy(folder / "my-host", odd)
    assert [word.format() for word in read(odd, "./my-host")] == ["env", "-C", str(odd), f"{odd}/my-host"]


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("./my-host {ca_fil}", r"sut\.yaml:1:10: a host is given no \{ca_fil\}(?s:.*)did you mean `ca_file`"),
        ("./my-host {cert_file}", r"given no \{cert_file\}"),
        ("./my-host {0}", r"given no \{0\}"),
        ("./my-host {}", r"given no \{\}"),
        ("./my-host {ca_file.x}", r"given no \{ca_file\.x\}"),
        ("./my-host {ca_file!r}", r"given no \{ca_file\}"),
        ("./my-host '{ca_file:>9}'", r"given no \{ca_file\}"),
        ("./my-host {ca_file", r"(?s)expected '}'.*written twice"),
        ("./my-host '}'", r"(?s)Single '}'.*written twice"),
        ('["./my-host", "--n", 3]', r"sut\.yaml:1:10: not a command(?s:.*)quote numbers"),
        ("7", "not a command"),
        ("{a: b}", "not a command"),
        ("[]", "a command of 0 words"),
        ('""', "a command of 0 words"),
        ("./my-host 'x", "(?s)No closing quotation.*close the quotation"),
        ("./nothing", r"sut\.yaml:1:10: there is no file (?s:.*)seen from the folder"),
        ("./data.txt", "may not be executed(?s:.*)chmod"),
        ("my-host", r"no program 'my-host' on PATH(?s:.*)write \./my-host"),
        ("no-such-program-here", "(?s)on PATH.*install it"),
        ('["{state_dir}/x"]', "there is no file"),
        (f"[cat{', x' * 1000}]", "a command of 1001 words"),
    ],
)
def test_what_is_wrong_is_said_with_its_place_and_remedy(folder, command, message):
    with pytest.raises(ScenarioError, match=message):
        read(folder, command)


@pytest.mark.parametrize("role", PLACEHOLDERS)
def test_every_role_is_given_what_it_needs(folder, role):
    template = [*(f"{{{name}}}" for name in sorted(PLACEHOLDERS[role]))]
    assert read(folder, ["./my-host", *template], role)[4:] == tuple(template)
