import os
import shutil
import subprocess

import pytest

from harness.base.errors import WorldError
from harness.worlds.wire import __main__ as machine
from harness.worlds.wire.toxiproxy_server import WrongModule


def test_what_is_there_is_no_long_story(monkeypatch, capsys):
    monkeypatch.setattr(machine, "server_program", lambda: "toxiproxy-server")
    monkeypatch.setattr(machine, "why_no_shim", lambda: "")
    monkeypatch.setattr(machine.namespaces, "unavailable", lambda: "")
    monkeypatch.setattr(machine.syscalls, "lacking", lambda: "")
    assert machine.main() == 0
    assert capsys.readouterr().out == "wire world: nothing is missing\n"


def test_what_is_not_is_one_line(monkeypatch, capsys):
    def none():
        raise WorldError("no Go >= 1.23: install Go")

    monkeypatch.setattr(machine, "server_program", none)
    monkeypatch.setattr(machine, "why_no_shim", lambda: "there is no C compiler (cc); install gcc")
    monkeypatch.setattr(machine.namespaces, "unavailable", lambda: "network namespaces need root")
    monkeypatch.setattr(machine.syscalls, "lacking", lambda: "strace(1) is not here: install strace")
    assert machine.main() == machine.IMPOSSIBLE
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    for part in ("install Go", "install gcc", "need root", "install strace"):
        assert part in said


def test_a_module_that_is_not_the_pinned_one_is_no_lack_of_the_machine(monkeypatch):
    def other():
        raise WrongModule("what was built is not it")

    monkeypatch.setattr(machine, "server_program", other)
    with pytest.raises(WrongModule):
        machine.main()


PLAIN = {
    "namespaces": (
        "unshare --net sh -ec 'ip link add left type veth peer name right; nft add table inet t'",
        machine.namespaces.unavailable,
    ),
    "clocks": ("echo 'int x;' | cc -xc -shared -fPIC -include time.h -o /dev/null -", machine.why_no_shim),
    "system calls": ("strace -qq -o /dev/null true", machine.syscalls.lacking),
}
"""Plain commands that show that a machine can do something, beside the question by which the wire world finds out."""


@pytest.mark.parametrize(("command", "asked"), PLAIN.values(), ids=PLAIN)
def test_what_plain_commands_can_do_here_is_not_said_to_be_missing(command, asked):
    places = {"PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
    if subprocess.run(["sh", "-c", command], env=places, capture_output=True, check=False, timeout=30).returncode:
        pytest.skip(f"this machine cannot: {command}")
    if asked is machine.namespaces.unavailable and (os.geteuid() or not shutil.which("nsenter")):
        pytest.skip("this machine has no root, or not all tools")
    asked.cache_clear()
    assert asked() == ""
