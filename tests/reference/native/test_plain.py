"""A person's door: with a role of cardboard, and with the three real programs on loopback."""

import os
import pty
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
import trio
import trio.testing
from click.testing import CliRunner

import reference.__main__
from harness.cli import main
from reference.native import plain
from reference.native.plain import runs_device, runs_host, runs_relay, serve_person
from reference.native.terminal import Terminal

AGENT = Path(__file__).parents[3] / "docs/guide/echo_agent.py"
PATIENCE_S = 30
SIGNING_IN = "signing in at https://relay.test\n"


class Role:
    """Answers verbs from a table of lists; what is not there gets an empty ``ok``; a ``stop`` ends it with a word."""

    def __init__(self, **answers):
        self.answers, self.asked = answers, []

    async def serve(self, door, _platform):
        async for request in door.requests:
            verb = request["verb"]
            self.asked.append((verb, request.get("args")))
            prepared = self.answers.get(verb)
            answer = prepared.pop(0) if prepared else {"ok": {}}
            for event in answer.get("events", []):
                door.send(event)
            door.send({"id": request["id"], **{key: answer[key] for key in ("ok", "err") if key in answer}})
            if verb == "stop":
                door.send({"ev": "exiting", "code": 0, "reason": "owner", "message": "closed"})
            if verb in ("stop", "bye"):
                return 0
        return 0


def err(code, message="no"):
    return {"err": {"code": code, "message": message}}


@pytest.fixture
def typing(monkeypatch):
    """Lines that the person types."""
    lines = []

    async def typed():
        for line in lines:
            yield line

    monkeypatch.setattr(plain, "typed", typed)
    return lines


def device(role, session="s1"):
    return trio.run(serve_person, role.serve, None, runs_device("https://relay.test", "secret", session), Terminal())


def test_typed_lines_are_prompts_and_the_end_of_input_the_end(typing):
    typing += ["hello there", "  ", "again"]
    role = Role()
    assert device(role) == 0
    assert role.asked == [
        ("start", {"relay_url": "https://relay.test", "credential": "secret"}),
        ("attach", {"session": "s1"}),
        ("send", {"text": "hello there"}),
        ("send", {"text": "again"}),
        ("stop", {"how": "graceful"}),
    ]


def test_what_is_shown_is_printed_and_cannot_command_a_terminal(typing, capfd):
    text = "one\x1b[2J\u202e\nhost is online"
    shown = [{"ev": "shown", "author": "host", "kind": "update", "text": text, "seq": 1}]
    shown += [{"ev": "shown", "author": "host", "kind": "other", "text": ""}, {"ev": "message", "stage": "pending"}]
    shown += [{"ev": "presence", "state": "offline", "reason": None}]
    device(Role(attach=[{"ok": {}, "events": shown}]))
    assert capfd.readouterr().out == SIGNING_IN + "host update: one�[2J�\n  host is online\nhost is offline\n"


def test_a_question_is_answered_by_a_line(typing, capfd):
    pending = [{"tool": "Write a file", "request": "r1", "options": [{"optionId": "yes"}, {"optionId": "no,  never"}]}]
    typing += ["/answer", "/answer r1 yes ", "/answer r1 no,  never", "/answer"]
    role = Role(screen=[{"ok": {"pending": pending}}, {"ok": {"pending": []}}])
    device(role)
    answers = [args for verb, args in role.asked if verb == "answer"]
    assert answers == [{"request": "r1", "option": "yes"}, {"request": "r1", "option": "no,  never"}]
    assert capfd.readouterr().out == SIGNING_IN + (
        "Write a file: /answer r1 yes\nWrite a file: /answer r1 no,  never\nnothing waits for an answer\n"
    )


def test_a_line_that_is_refused_does_not_end_the_device(typing, capfd):
    typing += ["too much", "hello"]
    role = Role(send=[err("rate-limited", "wait")])
    assert device(role) == 0
    assert [args for verb, args in role.asked if verb == "send"] == [{"text": "too much"}, {"text": "hello"}]
    assert capfd.readouterr().err == "Refused, rate-limited: wait\n"


def session(name, state="online"):
    return {"session": name, "title": f"work on {name}", "presence": {"state": state}}


def test_the_only_session_that_has_not_ended_needs_no_name(typing):
    role = Role(list=[{"ok": {"sessions": [session("old", "ended"), session("new")]}}])
    assert device(role, session="") == 0
    assert ("attach", {"session": "new"}) in role.asked


@pytest.mark.parametrize(
    ("sessions", "code", "told"),
    [
        ([session("a"), session("b")], 64, "\n    --session b  (work on b)\n"),
        ([session("a", "ended")], 69, "start a host first"),
    ],
)
def test_which_session_is_asked_for(typing, capfd, sessions, code, told):
    assert device(Role(list=[{"ok": {"sessions": sessions}}]), session="") == code
    assert told in capfd.readouterr().err


@pytest.mark.parametrize(("word", "code"), [("token-revoked", 77), ("session-ended", 69), ("bad-args", 64)])
def test_a_refusal_ends_with_the_code_of_its_reason(typing, capfd, word, code):
    assert device(Role(start=[err(word)])) == code
    assert ("relay --enrol ROLE=FILE" in capfd.readouterr().err) is (code == 77)


def host(role):
    """What it asked until all rests."""

    async def rests():
        async with trio.open_nursery() as nursery:
            wants = runs_host("https://relay.test", "secret", "")
            nursery.start_soon(serve_person, role.serve, None, wants, Terminal())
            await trio.testing.wait_all_tasks_blocked()
            assert nursery.child_tasks, "it ended"
            nursery.cancel_scope.cancel()

    trio.run(rests)
    return role.asked


def test_a_host_takes_prompts_and_a_key_and_does_not_end_with_its_input(typing, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    typing += ["hello", " ", ""]
    (verb, start), *rest = host(Role())
    assert verb == "start"
    assert start == {
        "relay_url": "https://relay.test",
        "credential": "secret",
        "instance": start["instance"],
        "title": tmp_path.name,
        "cwd": str(tmp_path),
    }
    assert rest == [
        ("type", {"text": "hello"}),
        ("press", {"key": "space"}),
    ]


def test_a_session_belongs_to_a_folder_of_a_machine(typing, monkeypatch, tmp_path):
    deep = tmp_path / ("d" * 200)
    deep.mkdir()
    instances = []
    for machine, folder in (("one", tmp_path), ("two", tmp_path), ("one", deep), ("one", tmp_path)):
        monkeypatch.setattr("platform.node", lambda machine=machine: machine)
        monkeypatch.chdir(folder)
        instances.append(host(Role())[0][1]["instance"])
    assert len(set(instances)) == 3
    assert instances[0] == instances[-1]
    assert max(map(len, instances)) <= 128  # Id of reference/protocol/messages.py


def relay(role, *enrols):
    return trio.run(serve_person, role.serve, None, runs_relay(("127.0.0.1", 0), "relay.test", enrols), Terminal())


def test_a_relay_that_cannot_listen_says_where_and_what_to_do(capfd):
    assert relay(Role(start=[err("network", "in use")])) == 69
    assert "--listen 127.0.0.1:0: network: in use; name another" in capfd.readouterr().err


@pytest.mark.parametrize(("name", "told"), [("there", "is there already"), ("no/such/folder", "No such file")])
def test_a_file_is_never_replaced_by_a_credential(tmp_path, capfd, name, told):
    (tmp_path / "there").write_text("mine")
    role = Role(start=[{"ok": {"url": "https://relay.test"}}])
    assert relay(role, ("host", tmp_path / name)) == 64
    assert told in capfd.readouterr().err
    assert (tmp_path / "there").read_text() == "mine"
    assert "issue" not in dict(role.asked)


ISSUED = {"ok": {"credential": "rp_secret"}}


def test_each_enrolment_goes_by_its_files_name(tmp_path):
    role = Role(start=[{"ok": {"url": "https://relay.test"}}], issue=[ISSUED, ISSUED], stop=[err("bad-args")])
    files = tmp_path / "alice.laptop", tmp_path / "alice.phone"

    async def stops(person):
        await runs_relay(("127.0.0.1", 0), "relay.test", [("host", files[0]), ("device", files[1])])(person)
        await person.leave()

    trio.run(serve_person, role.serve, None, stops, Terminal())
    assert [args["subject"] for verb, args in role.asked if verb == "issue"] == ["alice.laptop", "alice.phone"]
    assert [file.read_text() for file in files] == ["rp_secret\n"] * 2


def test_an_enrolment_that_the_relay_refuses_leaves_no_file(tmp_path):
    role = Role(start=[{"ok": {"url": "https://relay.test"}}], issue=[err("network")])
    assert relay(role, ("host", tmp_path / "laptop")) == 69
    assert list(tmp_path.iterdir()) == []


def test_an_enrolment_that_is_interrupted_leaves_no_file(tmp_path):
    class Silent(Role):
        async def serve(self, door, platform):
            async for request in door.requests:
                if request["verb"] == "issue":
                    break
                door.send({"id": request["id"], "ok": {"url": "https://relay.test"}})

    assert relay(Silent(), ("host", tmp_path / "laptop")) == 0
    assert list(tmp_path.iterdir()) == []


def test_an_enrolment_that_does_not_fit_leaves_no_file_and_says_what_to_do(tmp_path, capfd, monkeypatch):
    def full(handle, mode):
        os.close(handle)
        return Path("/dev/full").open(mode)

    monkeypatch.setattr(plain.os, "fdopen", full)
    role = Role(start=[{"ok": {"url": "https://relay.test"}}], issue=[ISSUED])
    assert relay(role, ("host", tmp_path / "laptop")) == 64
    assert "No space left on device; make room, or name a file elsewhere" in capfd.readouterr().err
    assert list(tmp_path.iterdir()) == []


# --- the real programs


class Programs:
    """Programs of the reference, each with its lines; ended with the test."""

    def __init__(self, folder, stack):
        self.folder, self.stack = folder, stack

    def start(self, role, *arguments, **streams):
        command = [sys.executable, "-m", reference.__main__.__package__, role, "--state", self.folder / role]
        child = subprocess.Popen(
            [*command, *arguments],
            **{"stdin": subprocess.PIPE, "stdout": subprocess.PIPE} | streams,
            text=True,
            env=os.environ | {"NO_PROXY": "*", "no_proxy": "*"},
        )
        self.stack.enter_context(child)
        self.stack.callback(child.kill)
        return child


def heard(child, wanted):
    """Lines up to the one that begins so; a program that does not say it in time is ended."""
    lines = []
    patience = threading.Timer(PATIENCE_S, child.kill)
    patience.start()
    while not lines or not lines[-1].startswith(wanted):
        lines.append(child.stdout.readline())
        assert lines[-1], f"{wanted!r} did not come: {lines}"
    patience.cancel()
    return "".join(lines)


@pytest.fixture
def programs(tmp_path):
    with ExitStack() as stack:
        yield Programs(tmp_path, stack)


@pytest.fixture
def running(programs, tmp_path):
    """A relay, a host with the agent of the guide, and a device that is attached."""
    return run(programs, tmp_path)


def run(programs, tmp_path, said=None, **streams):
    """The same; the streams are the host's, pipes if not given, and what it says comes out of ``said``."""
    assert CliRunner().invoke(main, ["ca", str(tmp_path / "tls")]).exit_code == 0
    tls = tmp_path / "tls"
    enrol = ("--enrol", f"host={tmp_path}/laptop", "--enrol", f"device={tmp_path}/phone")
    relay = programs.start("relay", "--cert", tls / "relay.pem", "--listen", "127.0.0.1:0", *enrol)
    url = heard(relay, "relay ").split()[1]
    dials = ("--ca", tls / "ca.pem", "--url", url, "--credential")
    host = programs.start("host", *dials, tmp_path / "laptop", "--agent", f"{sys.executable} {AGENT}", **streams)
    host.stdout = host.stdout or said
    heard(host, "status: online")
    device = programs.start("device", *dials, tmp_path / "phone")
    heard(device, "host is online")
    return relay, host, device


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_prompt_reaches_the_agent_and_its_answer_the_device_and_a_signal_ends_each(running, tmp_path, number):
    relay, host, device = running
    device.stdin.write("is anybody there?\n")
    device.stdin.flush()
    assert "phone prompt: is anybody there?\n" in heard(device, "host update: You said: is anybody there?")

    host.send_signal(number)
    assert host.wait(PATIENCE_S) == 0
    heard(device, "host is ended " + ("terminal-closed" if number == signal.SIGHUP else "owner"))
    for child in (device, relay):
        child.send_signal(number)
        assert child.wait(PATIENCE_S) == 0

    for name in ("laptop", "phone"):
        secret = (tmp_path / name).read_text().strip()
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
        assert all(secret not in child.stdout.read() for child in running)


@pytest.mark.slow
def test_the_end_of_input_ends_a_device_and_an_enrolment_is_not_made_twice(running, programs, tmp_path):
    relay, _, device = running
    device.stdin.close()
    assert device.wait(PATIENCE_S) == 0
    relay.send_signal(signal.SIGTERM)
    assert relay.wait(PATIENCE_S) == 0
    again = programs.start(
        "relay",
        *("--cert", tmp_path / "tls/relay.pem", "--listen", "127.0.0.1:0", "--enrol", f"host={tmp_path}/laptop"),
    )
    assert again.wait(PATIENCE_S) == 64


@pytest.mark.slow
def test_a_relay_listens_where_it_is_told_and_nowhere_else(programs, tmp_path):
    CliRunner().invoke(main, ["ca", str(tmp_path)])
    nobodys = "192.0.2.1:0"  # of the documentation's network, RFC 5737
    assert programs.start("relay", "--cert", tmp_path / "relay.pem", "--listen", nobodys).wait(PATIENCE_S) == 69


@pytest.mark.slow
def test_a_file_is_not_taken_for_a_stream_that_is_closed(programs, tmp_path):
    CliRunner().invoke(main, ["ca", str(tmp_path)])
    refused = ("--cert", tmp_path / "relay.pem", "--listen", "192.0.2.1:0")
    relay = programs.start("relay", *refused, preexec_fn=lambda: os.close(2))
    assert relay.wait(PATIENCE_S) == 69
    assert (tmp_path / "relay/lock").read_text() == ""


@pytest.mark.slow
def test_a_device_whose_reader_is_gone_leaves(running):
    _, _, device = running
    device.stdout.close()
    device.stdin.write("hello\n")
    device.stdin.flush()
    assert device.wait(PATIENCE_S) == 0


@pytest.mark.slow
def test_a_host_whose_reader_is_gone_tells_its_relay(running):
    _, host, device = running
    host.stdout.close()
    host.stdin.write("hello\n")
    host.stdin.flush()
    heard(device, "host is ended terminal-closed")
    assert host.wait(PATIENCE_S) == 0


@pytest.mark.slow
def test_a_host_whose_terminal_closes_tells_its_relay(programs, tmp_path):
    person, terminal = pty.openpty()
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), terminal)
    _, host, device = run(programs, tmp_path, os.fdopen(person), **streams)
    os.close(terminal)
    host.stdout.close()
    for _ in range(2):  # the shell's and the kernel's
        host.send_signal(signal.SIGHUP)
    heard(device, "host is ended terminal-closed")
    assert host.wait(PATIENCE_S) == 0


@pytest.mark.slow
def test_a_host_whose_output_is_held_goes_on_and_ends_when_told(programs, tmp_path):
    reads, writes = os.pipe()
    _, host, device = run(programs, tmp_path, os.fdopen(reads), stdout=writes)
    filling = os.open(f"/proc/self/fd/{writes}", os.O_WRONLY | os.O_NONBLOCK)
    with suppress(BlockingIOError):
        while os.write(filling, b"." * 4096):
            pass
    os.close(filling)
    device.stdin.write("is anybody there?\n")
    device.stdin.flush()
    heard(device, "host update: You said: is anybody there?")
    host.send_signal(signal.SIGTERM)
    heard(device, "host is ended owner")
    assert host.wait(PATIENCE_S) == 0
    os.close(writes)
