import re

import pytest

from harness.base import spec
from harness.base.spec import FOLDERS, SpecError, error_codes, error_statuses, find, read


def test_an_installed_package_finds_the_list_that_travels_with_it(tmp_path):
    (tmp_path / "errors.yaml").write_text("a: {}\n")
    assert find("errors.yaml", (tmp_path / "no-checkout", tmp_path)) == tmp_path / "errors.yaml"


def test_a_checkout_comes_first():
    assert find("requirements.yaml") == FOLDERS[0] / "requirements.yaml"


def test_a_list_that_is_nowhere_says_where_it_was_looked_for(tmp_path):
    with pytest.raises(SpecError, match=re.escape(str(tmp_path))):
        find("errors.yaml", (tmp_path,))


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe\x00"])
def test_what_is_not_yaml_is_said_with_its_file(tmp_path, content):
    (tmp_path / "errors.yaml").write_bytes(content)
    with pytest.raises(SpecError, match=r"errors\.yaml: not YAML"):
        read(tmp_path / "errors.yaml")


def test_error_codes():
    assert {"token-expired", "insufficient-scope"} <= error_codes()
    assert "accepted" not in error_codes()


@pytest.mark.parametrize("text", ["a: {}", "a: 7", "a: {status: soon}"])
def test_a_code_without_a_status_is_broken(tmp_path, monkeypatch, text):
    (tmp_path / "errors.yaml").write_text(text)
    monkeypatch.setattr(spec, "find", lambda _name: tmp_path / "errors.yaml")
    with pytest.raises(SpecError, match="`status` that is a number"):
        error_statuses.__wrapped__()


@pytest.mark.parametrize("text", ["", "[]", "errors"])
def test_a_list_without_codes_is_broken(tmp_path, monkeypatch, text):
    (tmp_path / "errors.yaml").write_text(text)
    monkeypatch.setattr(spec, "find", lambda _name: tmp_path / "errors.yaml")
    with pytest.raises(SpecError, match="mapping from code"):
        error_statuses.__wrapped__()
