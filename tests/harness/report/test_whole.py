import os

import pytest

from harness.base.errors import UsageError
from harness.report.whole import write_whole


def test_a_file_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "report.json"
    write_whole(path, "old")
    write_whole(path, "new")
    assert path.read_text() == "new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.json"]


def test_a_folder_that_is_not_there_is_a_clear_error(tmp_path):
    with pytest.raises(UsageError, match="cannot be written"):
        write_whole(tmp_path / "no" / "report.json", "text")


def test_a_failed_write_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(*_names):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(UsageError, match="No space left"):
        write_whole(tmp_path / "report.json", "text")
    assert list(tmp_path.iterdir()) == []
