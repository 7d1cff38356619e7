import pytest
import trio

from reference.relay.store import SqliteStore
from tests.reference.relay.store_contract import CONTRACT


@pytest.mark.parametrize("clause", CONTRACT, ids=lambda clause: clause.__name__)
def test_sqlite_keeps_the_contract(clause, tmp_path):
    trio.run(clause, lambda: SqliteStore(tmp_path / "relay.sqlite"))


def test_a_store_that_cannot_write_says_so(tmp_path):
    async def main():
        store = SqliteStore(tmp_path / "relay.sqlite")
        await store.load()
        store._db.execute("PRAGMA query_only=ON")
        with pytest.raises(OSError, match="store"):
            await store.commit([b"x"])
        await store.aclose()

    trio.run(main)


def test_commits_wait_for_the_disk(tmp_path):
    async def main():
        store = SqliteStore(tmp_path / "relay.sqlite")
        await store.load()
        assert store._db.execute("PRAGMA synchronous").fetchone() == (2,)
        assert store._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        await store.aclose()

    trio.run(main)


def test_a_store_that_cannot_be_opened_says_so_and_may_be_opened_later(tmp_path):
    folder = tmp_path / "later"
    store = SqliteStore(folder / "relay.db")

    async def main():
        with pytest.raises(OSError, match="store: unable to open"):
            await store.load()
        folder.mkdir()
        await store.commit([b"one"])
        assert await store.load() == [b"one"]
        await store.aclose()

    trio.run(main)
