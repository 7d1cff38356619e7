from harness.base.errors import WorldError
from harness.worlds.wire import __main__ as machine


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
    assert machine.main() == 1
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    for part in ("install Go", "install gcc", "need root", "install strace"):
        assert part in said
