import re
import textwrap
from pathlib import Path

import pytest
import yaml

from harness.base.errors import UsageError
from harness.history import journal
from harness.history.plan import Actor, every_step
from harness.run import trial
from harness.run.runner import WORLDS
from harness.run.trial import programs_for, trial_of
from harness.scenario.expand import plans
from tests.harness.run.stage import plan

ROOT = Path(__file__).parents[3]
GUIDE = ROOT / "docs" / "guide" / "run.md"
THIRD_PARTY = ROOT / "docs" / "guide" / "third-party" / "sut.yaml"


def sut(folder, text):
    path = folder / "sut.yaml"
    path.write_text(text)
    return path


def module(folder, name, text):
    (folder / f"{name}.py").write_text(text)


def test_a_program_of_the_files_own_folder_is_found(tmp_path):
    module(tmp_path, "my_relay_on_trial", "async def serve(door, platform): ...\n")
    found = trial_of(sut(tmp_path, "sut: mine\nroles:\n  relay: {python: my_relay_on_trial:serve}\n"))
    assert list(found) == ["relay"]
    assert found["relay"].__name__ == "serve"


@pytest.mark.parametrize("role", ["host", "relay", "device", "phone", "laptop", "tablet2"])
def test_a_role_or_a_name_of_the_cast(tmp_path, role):
    assert list(trial_of(sut(tmp_path, f"roles:\n  {role}: {{python: reference.relay.shim:serve}}\n"))) == [role]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty; write for example"),
        ("sut: mine", "says nothing of `roles`"),
        ("roles: {}", "says nothing of `roles`"),
        ("roles: {rely: {python: a:b}}", "no role 'rely'; did you mean `relay`"),
        (
            "roles: {relay: {process: ./relay}}",
            "has no `python: module:function`, and the world 'sim' runs nothing else",
        ),
        ("roles: {relay: {proces: ./relay}}", "did you mean `process`"),
        ("roles: {relay: ./relay}", "runs nothing else"),
        ("roles: {relay: {python: 7}}", "has no `python: module:function` but 7"),
        ("roles: {relay: {python: nowhere_at_all:serve}}", "cannot be loaded: ModuleNotFoundError"),
        ("roles: {relay: {python: json:nothing_there}}", "cannot be loaded: AttributeError"),
        ("roles: {relay: {python: ':serve'}}", "cannot be loaded: ValueError"),
        ("roles: {relay: {python: json:loads}}", "no function of a door and a platform"),
        ("roles: {relay: {python: json:__name__}}", "no function of a door and a platform"),
        ("roles: [", r"sut\.yaml:1:9: not YAML"),
        ("roles: {}\nroles: {}", r"sut\.yaml:2:1: "),
        ("roles: " + "[" * 5000, r"sut\.yaml:1:\d+: "),
        ("roles: \0", r"sut\.yaml:1:8: the control character U\+0000"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path, text, message):
    with pytest.raises(UsageError, match=message):
        trial_of(sut(tmp_path, text))


def test_a_role_may_be_a_function_and_a_process(tmp_path):
    module(tmp_path, "my_two", "async def serve(door, platform): ...\n")
    path = sut(tmp_path, "roles:\n  relay: {python: my_two:serve, process: cat -}\n")
    assert trial_of(path, "sim")["relay"].__name__ == "serve"
    assert trial_of(path, "wire")["relay"][-1] == "-"


def test_the_wire_runs_no_function(tmp_path):
    with pytest.raises(UsageError, match="has no `process: command`, and the world 'wire' runs nothing else"):
        trial_of(sut(tmp_path, "roles: {relay: {python: json:loads}}"), "wire")


def test_every_problem_of_a_command_is_said_with_its_place(tmp_path):
    text = "roles:\n  relay: {process: [./nowhere, '{agent_cmd}']}\n  phone: {process: [cat, '}']}\n"
    with pytest.raises(UsageError, match=r"(?s)sut\.yaml:2:21: there is no file .*sut\.yaml:2:32: .*sut\.yaml:3:26: "):
        trial_of(sut(tmp_path, text), "wire")


def test_every_world_has_its_kind_of_program():
    assert set(trial._KIND) == set(WORLDS)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        trial_of(tmp_path / "none.yaml")


@pytest.mark.parametrize("text", ["1 / 0", "def serve(:"])
def test_what_a_module_raises_is_said(tmp_path, text):
    name = f"broken_{len(text)}"
    module(tmp_path, name, text)
    with pytest.raises(UsageError, match=r"cannot be loaded: (ZeroDivisionError|SyntaxError)"):
        trial_of(sut(tmp_path, f"roles: {{host: {{python: {name}:serve}}}}"))


CAST = (
    Actor("host", "host", "reference"),
    Actor("relay", "relay", "sut"),
    Actor("phone", "device", "sut"),
    Actor("tablet", "device", "sut"),
)


def test_only_who_is_on_trial_runs_a_program_of_the_file():
    assert programs_for(plan(cast=CAST), {"host": "h", "relay": "r"}) == {"relay": "r"}


def test_a_name_goes_before_its_role():
    offered = {"device": "any device", "phone": "the phone"}
    assert programs_for(plan(cast=CAST), offered) == {"phone": "the phone", "tablet": "any device"}


def test_the_command_that_the_third_partys_file_names_puts_its_device_on_trial_and_asks_for_what_it_can(monkeypatch):
    monkeypatch.chdir(ROOT)
    named = re.search(r"`relayproof run (\S+) --world (\S+) --sut (\S+)`", THIRD_PARTY.read_text().splitlines()[0])
    scenario, world, file = named.groups()
    assert Path(file).samefile(THIRD_PARTY)
    found = plans(Path(scenario), world=world, suts=trial_of(Path(file), world))
    assert found
    for one in found:
        assert {step.verb for step in every_step(one.story) if step.actor in one.suts} == {"sees"}  # it only reads
        assert {claim.verb for claim in one.expectations} <= {"sees", "shows", "attempts"}


@pytest.mark.slow
def test_the_example_of_the_guide_works(pytester):
    """The programs of the guide, each in its role, judged by a scenario that needs all three."""
    blocks = re.findall(r"^```(yaml|python)\n# (\S+)\n(.*?)^```", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    files = {name: text for _, name, text in blocks}
    assert set(yaml.safe_load(files["sut.yaml"])["roles"]) == {"host", "relay", "phone"}
    for name, text in files.items():
        path = pytester.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    (pytester.path / "all-three.yaml").write_text(
        textwrap.dedent("""\
        scenario: all-three
        about: Everybody is on trial.
        cast: {host: sut, relay: sut, phone: sut}
        story:
          - host.says: hello
        expect:
          - {phone.sees: hello, times: 1, proves: RC-OUT-001.catches-up}
        """)
    )
    result = pytester.runpytest_subprocess("--sut", "sut.yaml", "--report", "out", ".")
    result.assert_outcomes(passed=1)
    (kept,) = (pytester.path / "out" / "histories").iterdir()
    greeted = [event for event in journal.read(kept).events if event.what == "hello" and event.kind == "ok"]
    assert {event.actor: event.data["name"] for event in greeted} == {
        "relay": "my-relay",
        "host": "my-host",
        "phone": "my-device",
    }
