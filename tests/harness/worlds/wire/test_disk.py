import errno
import subprocess
import sys

import pytest

from harness.base.errors import WorldError
from harness.worlds.wire import disk, guard
from harness.worlds.wire.disk import Disk
from harness.worlds.wire.namespaces import unavailable

pytestmark = pytest.mark.skipif(bool(unavailable()), reason=unavailable() or "they can be had")


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "disk"
    yield path
    guard.main([f"disk {path}\n"])
    assert not path.is_mount()


def test_a_full_disk_keeps_what_it_has_and_takes_nothing_until_there_is_room_again(path):
    one = Disk(path)
    assert (one.is_used, one.state.exists()) == (False, False)
    one.state.mkdir()
    (one.state / "kept").write_bytes(b"x" * 10_000)
    assert (one.is_used, one.takes()) == (True, True)
    one.fill()
    assert not one.takes()
    with pytest.raises(OSError, match="No space left") as refused:
        (one.state / "more").write_bytes(b"x")
    assert refused.value.errno == errno.ENOSPC
    assert (one.state / "kept").read_bytes() == b"x" * 10_000
    with pytest.raises(WorldError, match="is full already"):
        one.fill()
    one.free()
    assert one.takes()
    assert sorted(one.name for one in one.state.iterdir()) == ["kept", "more"]  # the probes have no names


def test_one_that_became_full_by_itself_is_nobodys_fault(path, monkeypatch):
    monkeypatch.setattr(disk, "DISK_BYTES", 64 * 1024)
    one = Disk(path)
    (path / "kept").write_bytes(b"x" * 10_000)
    one.check("relay")
    one.fill()
    one.check("relay")
    one.free()
    with pytest.raises(OSError, match="No space left"):
        (path / "much").write_bytes(b"x" * 2 * disk.DISK_BYTES)
    with pytest.raises(WorldError, match="relay's private directory has reached"):
        one.check("relay")


def test_a_disk_that_has_room_again_before_it_is_full_is_filled_once_more(path, monkeypatch):
    one = Disk(path)
    kept, passing = path / "kept", path / "passing"
    kept.write_bytes(b"x" * 10_000)
    passing.write_bytes(b"x" * 10_000)
    used = Disk._used_bytes

    def used_bytes(disk):
        found = used(disk)
        passing.unlink(missing_ok=True)
        return found

    monkeypatch.setattr(Disk, "_used_bytes", used_bytes)
    one.fill()
    assert not one.takes()


def test_whoever_is_killed_while_it_mounts_leaves_nothing(path):
    ends = f"from pathlib import Path; from harness.worlds.wire.disk import Disk; Disk(Path({str(path)!r})); import os; os.kill(os.getpid(), 9)"
    assert subprocess.run([sys.executable, "-c", ends], check=False).returncode == -9
    assert path.is_mount()
    guard.main([f"disk {path}\n", f"folder {path}\n"])
    assert not path.exists()


def test_a_disk_that_cannot_be_filled_is_an_error(path, monkeypatch):
    one = Disk(path)
    monkeypatch.setattr(Disk, "_used_bytes", lambda _: -1)
    with pytest.raises(WorldError, match="could not be filled"):
        one.fill()


def test_a_disk_that_cannot_be_had_is_an_error_with_the_kernels_word(path, monkeypatch):
    monkeypatch.setattr(disk, "DISK_BYTES", "much")
    with pytest.raises(WorldError, match=f"no disk can be had at {path}: .+"):
        Disk(path)
