from contextlib import ExitStack
from pathlib import Path

import pytest

from harness.base.errors import WorldError
from harness.worlds import cache


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    return tmp_path


def test_it_is_where_the_specification_says(home, monkeypatch):
    assert cache.folder() == home / ".cache" / "relayproof"
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "elsewhere"))
    assert cache.folder() == home / "elsewhere" / "relayproof"
    assert list(home.iterdir()) == []


def test_who_writes_finds_it_made(home):
    with cache.writing() as folder:
        assert folder.is_dir()
    with cache.lock_file(".gate") as lock:
        assert lock.writable()
        assert (folder / ".gate").samefile(lock.name)


@pytest.mark.parametrize("use", [cache.writing, lambda: cache.lock_file(".gate")], ids=["writing", "lock_file"])
def test_one_that_cannot_be_written_is_said_with_the_remedy(home, use, monkeypatch):
    (home / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "file"))
    with ExitStack() as stack, pytest.raises(WorldError, match=r"file/relayproof cannot be written .*XDG_CACHE_HOME"):
        stack.enter_context(use())


def test_what_cannot_be_written_into_it_is_said_too(home):
    with pytest.raises(WorldError, match="XDG_CACHE_HOME"), cache.writing() as folder:
        Path(folder, "missing", "file").touch()
