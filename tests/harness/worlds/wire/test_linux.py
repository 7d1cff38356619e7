import sys

import pytest
from click.testing import CliRunner

from harness.base.errors import UsageError
from harness.cli import main
from harness.run.runner import world_named
from harness.worlds.wire import __main__ as machine
from harness.worlds.wire.linux import why_not_here
from tests.harness.run.stage import use_fake_world

SENTENCE = "the wire world needs Linux, and this is darwin; the simulated world runs anywhere (--world sim)"


@pytest.fixture
def elsewhere(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")


def test_on_linux_there_is_nothing_to_say(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    assert why_not_here() == ""


@pytest.mark.usefixtures("elsewhere")
def test_the_wire_world_is_refused_elsewhere_and_the_simulated_one_is_not(monkeypatch):
    use_fake_world(monkeypatch)
    with pytest.raises(UsageError) as refused:
        world_named("wire")
    assert str(refused.value) == SENTENCE
    world_named("sim")


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("command", ["up", "clocks"])
def test_a_command_that_needs_it_says_the_sentence_and_no_more(command):
    told = CliRunner().invoke(main, [command])
    assert (told.output, told.exit_code) == (f"{SENTENCE}\n", 2)


@pytest.mark.usefixtures("elsewhere")
def test_of_another_system_nothing_else_is_asked(monkeypatch, capsys):
    monkeypatch.setattr(machine, "impossible", None)
    monkeypatch.setattr(machine, "lacking", None)
    assert machine.main() == machine.IMPOSSIBLE
    assert capsys.readouterr().out == f"wire world: nothing can be played: {SENTENCE}\n"
