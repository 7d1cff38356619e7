import pytest

from reference.native.files import BadState, NativeHome


@pytest.fixture
def home(tmp_path):
    made = NativeHome(tmp_path / "state" / "host")
    made.prepare()
    return made


def test_a_directory_is_made_for_its_owner_only(home):
    assert home.path.stat().st_mode & 0o777 == 0o700


def test_what_was_written_comes_back_and_is_nobody_elses(home):
    assert home.read("token") is None
    home.write("token", b"one")
    home.write("token", b"two")
    assert home.read("token") == b"two"
    assert (home.path / "token").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in home.path.iterdir()] == ["token"]


@pytest.mark.parametrize("name", ["", "../x", "a/b", "x" * 101, "a\0"])
def test_only_names_of_state_files_are_taken(home, name):
    with pytest.raises(ValueError, match="not a name"):
        home.write(name, b"")


def test_a_write_that_fails_leaves_the_old_contents(home, monkeypatch):
    home.write("token", b"one")

    def full(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("reference.native.files.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        home.write("token", b"two")
    assert home.read("token") == b"one"
    assert [path.name for path in home.path.iterdir()] == ["token"]


def test_a_directory_that_others_may_look_into_is_refused(tmp_path):
    tmp_path.chmod(0o755)
    with pytest.raises(BadState, match="chmod 700"):
        NativeHome(tmp_path).prepare()


def test_a_file_is_no_directory(tmp_path):
    (tmp_path / "state").write_text("")
    with pytest.raises(BadState, match="state directory"):
        NativeHome(tmp_path / "state").prepare()
