import subprocess
import sys

import pytest
from click.testing import CliRunner

from reference.native.command import USAGE, main


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
