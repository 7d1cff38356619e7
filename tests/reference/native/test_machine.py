import ssl

import pytest

from harness.worlds.pki import Authority
from reference.native.files import BadState
from reference.native.machine import BadSetting, Setting
from reference.relay.store import SqliteStore


@pytest.fixture
def pem(tmp_path):
    authority = Authority(1, "public")
    (tmp_path / "ca.pem").write_bytes(authority.certificate_pem)
    (tmp_path / "relay.pem").write_bytes(authority.leaf_pem("localhost"))
    return tmp_path


def test_a_platform_is_of_this_machine(pem):
    said = []
    setting = Setting(state_dir=pem / "s", ca_file=pem / "ca.pem", cert_file=pem / "relay.pem", say=said.append)
    platform = setting.platform()
    platform.home.write("token", b"x")
    platform.print("hello")
    assert platform.home.read("token") == b"x"
    assert said == ["hello"]
    assert isinstance(platform.open_store(), SqliteStore)


def test_it_verifies_whom_it_dials(pem):
    context = Setting(state_dir=pem / "s", ca_file=pem / "ca.pem").client_tls()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert [one["subject"] for one in context.get_ca_certs()] == [((("commonName", "public authority"),),)]


def test_without_authorities_of_its_own_it_trusts_the_systems(pem):
    assert Setting(state_dir=pem / "s").client_tls().verify_mode is ssl.CERT_REQUIRED


@pytest.mark.parametrize("field", ["ca_file", "cert_file"])
def test_a_file_that_is_no_pem_is_said(pem, field):
    (pem / "noise.pem").write_text("noise")
    with pytest.raises(BadSetting, match=r"noise\.pem: cannot be used as"):
        Setting(state_dir=pem / "s", **{field: pem / "noise.pem"}).platform()


def test_a_state_directory_that_cannot_be_made_is_said(pem):
    (pem / "file").write_text("")
    with pytest.raises(BadState):
        Setting(state_dir=pem / "file" / "s").platform()
