import pytest

from harness.base.errors import UsageError
from harness.run.trial import trial_of


def sut(folder, text):
    path = folder / "sut.yaml"
    path.write_text(text)
    return path


def test_a_program_of_the_files_own_folder_is_found(tmp_path):
    (tmp_path / "my_relay_on_trial.py").write_text("async def serve(door, platform): ...\n")
    trial = trial_of(sut(tmp_path, "sut: mine\nroles:\n  relay: {python: my_relay_on_trial:serve}\n"))
    assert list(trial) == ["relay"]
    assert trial["relay"].__name__ == "serve"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "says nothing of `roles`"),
        ("roles: {}", "says nothing of `roles`"),
        ("roles: {phone: {python: a:b}}", "no role 'phone'"),
        ("roles: {relay: {process: ./relay}}", "runs nothing else"),
        ("roles: {relay: {python: nowhere_at_all:serve}}", "cannot be loaded"),
        ("roles: {relay: {python: json:nothing_there}}", "cannot be loaded"),
        ("roles: [", "is not YAML"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path, text, message):
    with pytest.raises(UsageError, match=message):
        trial_of(sut(tmp_path, text))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        trial_of(tmp_path / "none.yaml")
