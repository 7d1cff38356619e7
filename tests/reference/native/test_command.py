import subprocess
import sys

import pytest
from click.testing import CliRunner

from reference.native.command import USAGE, main
from reference.native.files import NativeHome
from reference.native.plain import alone


def invoke(*arguments):
    return CliRunner().invoke(main, arguments)


@pytest.mark.parametrize("role", ["relay", "host", "device"])
def test_each_role_explains_itself(role):
    result = invoke(role, "--help")
    assert result.exit_code == 0
    assert "--state DIR" in result.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("relay", "--cert", "/no/such.pem"), "/no/such.pem: cannot be used as key and certificate"),
        (("device", "--ca", "/no/such.pem"), "/no/such.pem: cannot be used as authorities"),
        (("host", "--agent", "'"), "--agent: No closing quotation"),
        (("host", "--agent", " "), "--agent: there is no command in it"),
    ],
)
def test_what_cannot_be_used_is_said(tmp_path, arguments, told):
    result = invoke(arguments[0], "--shim", "--state", str(tmp_path / "state"), *arguments[1:])
    assert result.exit_code == USAGE
    assert told in result.output


def test_a_program_reads_no_role_before_it_knows_which_it_plays():
    code = "import sys, reference.native.command; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    read = set(done.stdout.split())
    assert "reference.native.command" in read
    assert not {"reference.relay.shim", "reference.host.shim", "reference.device.shim", "sqlite3", "httpx2"} & read


@pytest.fixture
def credential(tmp_path):
    path = tmp_path / "credential"
    path.touch(mode=0o600)
    path.write_text("rp_secret")
    return path


PLAIN = ("--url", "https://relay.test", "--credential")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "Usage:"),
        (("--nope",), "--nope"),
        (("relais",), "relais"),
        (("relay", "--cert", "x"), "--state"),
        (("relay", "--state", "s", "--cert", "x", "--listen", "8443"), "is not like 127.0.0.1:8443"),
        (("relay", "--state", "s", "--cert", "x", "--listen", "[::1]:65536"), "is not like 127.0.0.1:8443"),
        (("relay", "--state", "s", "--cert", "x", "--enrol", "laptop"), "is not like host=FILE"),
        (
            ("relay", "--state", "s", "--cert", "x", "--enrol", "host=a/key", "--enrol", "device=b/key"),
            "2 files are named 'key'",
        ),
        (("relay", "--state", "s", "--cert", "x", "--shim", "--name", "a"), "--name: not with --shim"),
        (("device", "--state", "s"), "--url is missing; or --shim"),
        (("device", "--state", "s", "--url", "http://relay.test"), "is not like https://relay.example"),
        (("device", "--state", "s", "--url", "https://[::1"), "is not like https://relay.example"),
        (("device", "--state", "s", "--url", "https://relay.test:84430"), "is not like https://relay.example"),
        (
            ("device", "--state", "s", "--url", "https://relay.test", "--credential", "/no/such"),
            "`relay --enrol` makes",
        ),
        (("device", "--state", "s", "--shim", "--session", "a"), "--session: not with --shim"),
        (("host", "--state", "s", "--agent", "a", "--url", "https://relay.test"), "--credential is missing"),
        (("host", "--state", "s", "--agent", "a", "--shim", "--title", "a"), "--title: not with --shim"),
    ],
)
def test_wrong_use_leaves_with_the_code_of_the_protocol(tmp_path, monkeypatch, arguments, told):
    monkeypatch.chdir(tmp_path)
    result = invoke(*arguments)
    assert result.exit_code == USAGE
    assert told in result.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("mode", "text", "told"),
    [(0o644, "rp_secret", "chmod 600"), (0o600, " ", "is empty; remove it"), (0o600, "\udcff", "not text")],
)
def test_a_credential_that_cannot_be_used_is_said_and_not_shown(tmp_path, credential, mode, text, told):
    credential.write_bytes(text.encode(errors="surrogateescape"))
    credential.chmod(mode)
    result = invoke("device", "--state", str(tmp_path / "state"), *PLAIN, str(credential))
    assert result.exit_code == USAGE
    assert told in result.output
    assert "rp_secret" not in result.output


def test_a_state_directory_in_use_is_said(tmp_path, credential):
    NativeHome(tmp_path / "state").prepare()
    with alone(tmp_path / "state"):
        result = invoke("device", "--state", str(tmp_path / "state"), *PLAIN, str(credential))
    assert result.exit_code == USAGE
    assert "another program uses it; end that, or name another" in result.output


def test_a_state_directory_that_cannot_be_held_is_said(tmp_path, credential):
    NativeHome(tmp_path / "state").prepare()
    (tmp_path / "state/lock").mkdir()
    result = invoke("device", "--state", str(tmp_path / "state"), *PLAIN, str(credential))
    assert result.exit_code == USAGE
    assert f"{tmp_path}/state/lock: Is a directory; remove it, or name another directory" in result.output


@pytest.mark.slow
def test_an_agent_gets_the_umask_of_its_person_and_the_state_does_not(tmp_path):
    script = f"""
import os
from reference.native import command
from reference.native.machine import Setting

def launched(setting):
    print(setting.agent_umask)
    print(os.umask(0o077))
    raise SystemExit

Setting.platform = launched
os.umask(0o027)
command.main(["host", "--agent", "a", "--shim", "--state", {str(tmp_path / "state")!r}])
"""
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert told.stdout.split() == [str(0o027), str(0o077)], told.stderr


@pytest.mark.slow
@pytest.mark.parametrize("module", ["reference.native.plain", "reference.relay.shim"])
def test_with_shim_a_program_reads_only_what_it_needs(tmp_path, module):
    script = f"""
import sys
from reference.native import command

command._run = lambda *_: print({module!r} in sys.modules)
command.main(["device", "--shim", "--state", {str(tmp_path / "state")!r}], standalone_mode=False)
"""
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert told.stdout.splitlines()[:1] == ["False"], told.stderr
