"""The lists of docs/spec that a scenario may point into."""

import pytest

from harness.scenario import requirements as module


@pytest.fixture
def spec(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "SPEC", tmp_path)
    for cached in (module.requirements, module.error_codes):
        cached.cache_clear()
    yield tmp_path
    for cached in (module.requirements, module.error_codes):
        cached.cache_clear()


def test_absent_lists_are_empty(spec):
    assert module.known_requirements() == frozenset()
    assert module.error_codes() == frozenset()


@pytest.mark.parametrize("head", ["", "requirements:\n"])
def test_rows_are_read(spec, head):
    rows = "- {id: RC-OUT-001.a, profile: [strict]}\n- {id: RC-OUT-002.b, text: x}\n"
    (spec / "requirements.yaml").write_text(head + rows)
    (spec / "errors.yaml").write_text("errors:\n  - {code: token-expired, status: 401}\n")
    assert module.known_requirements() == {"RC-OUT-001.a", "RC-OUT-002.b"}
    assert module.requirements()["RC-OUT-001.a"].profiles == ("strict",)
    assert module.error_codes() == {"accepted", "token-expired"}


def test_errors_by_key_are_read(spec):
    (spec / "errors.yaml").write_text("token-expired: {status: 401}\nbad-args: {status: 400}\n")
    assert module.error_codes() == {"accepted", "token-expired", "bad-args"}
