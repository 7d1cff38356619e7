import ssl

import pytest
from click.testing import CliRunner
from cryptography import x509

from harness.cli import main


def ca(*arguments):
    return CliRunner().invoke(main, ["ca", *map(str, arguments)])


def named(pem):
    names = x509.load_pem_x509_certificate(pem).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(name.value) for name in names]


@pytest.mark.parametrize(
    ("arguments", "name"), [((), "127.0.0.1"), (("--name", "relay.test"), "relay.test"), (("--name", "::1"), "::1")]
)
def test_two_files_of_their_owner_for_one_name(tmp_path, arguments, name):
    result = ca(tmp_path / "tls", *arguments)
    assert result.exit_code == 0
    assert "--ca" in result.output
    files = sorted((tmp_path / "tls").iterdir())
    assert [file.name for file in files] == ["ca.pem", "relay.pem"]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert named(files[1].read_bytes()) == [name]
    ssl.create_default_context(cafile=files[0])
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(files[1])


def test_nobody_can_make_the_same_again(tmp_path):
    for folder in ("one", "two"):
        assert ca(tmp_path / folder).exit_code == 0
    for name in ("ca.pem", "relay.pem"):
        assert (tmp_path / "one" / name).read_bytes() != (tmp_path / "two" / name).read_bytes()


def test_what_is_there_is_not_replaced(tmp_path):
    (tmp_path / "relay.pem").write_text("mine")
    result = ca(tmp_path)
    assert result.exit_code == 2
    assert f"{tmp_path}/relay.pem: is there already; remove it" in result.output
    assert [file.name for file in tmp_path.iterdir()] == ["relay.pem"]


@pytest.mark.parametrize("name", ["", "a" * 100, "ä.test"])
def test_a_name_that_no_certificate_takes_is_said(tmp_path, name):
    result = ca(tmp_path, "--name", name)
    assert result.exit_code == 2
    assert "cannot stand in a certificate" in result.output


def test_a_folder_that_cannot_be_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    result = ca(tmp_path / "file" / "tls")
    assert result.exit_code == 2
    assert "name another folder" in result.output
