"""The relay's store in one SQLite file: an append-only list of records.

``synchronous=FULL`` in WAL mode: 50 of 50 acknowledgements came after the fsync, with NORMAL none did (measured; properties.md finding 3).
Deliberately absent: a store in memory, which would acknowledge what it cannot keep.
"""

import functools
import sqlite3
from collections.abc import Callable
from pathlib import Path

import trio

_SCHEMA = "CREATE TABLE IF NOT EXISTS record (n INTEGER PRIMARY KEY, body BLOB NOT NULL)"


class SqliteStore:
    """Implements ``reference.platform.Store``; one thread at a time touches the file.

    Args:
        path: of the database file, made when missing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._one = trio.CapacityLimiter(1)
        self._db: sqlite3.Connection | None = None

    async def load(self) -> list[bytes]:
        """All durable records in order.

        Raises:
            OSError: the file cannot be read, or there is no room for what reading it needs.
        """
        return await self._in_thread(self._load)

    async def commit(self, records: list[bytes]) -> None:
        """Append records in one transaction and wait for the disk.

        Raises:
            OSError: nobody knows what was stored; the store must not be used again.
        """
        await self._in_thread(functools.partial(self._commit, records))

    async def aclose(self) -> None:
        """Close the file; committed records stay."""
        await self._in_thread(self._close)

    async def _in_thread[Result](self, work: Callable[[], Result]) -> Result:
        """Run in a thread; never abandoned, because half a commit would be nobody's."""
        return await trio.to_thread.run_sync(work, limiter=self._one)

    def _open(self) -> sqlite3.Connection:
        if self._db is None:
            db = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
            try:
                db.execute("PRAGMA journal_mode=WAL")
                db.execute("PRAGMA synchronous=FULL")
                db.execute(_SCHEMA)
            except sqlite3.Error:
                db.close()
                raise
            self._db = db
        return self._db

    def _load(self) -> list[bytes]:
        try:
            return [body for (body,) in self._open().execute("SELECT body FROM record ORDER BY n")]
        except sqlite3.Error as error:
            raise OSError(f"store: {error}") from error

    def _commit(self, records: list[bytes]) -> None:
        db = self._open()
        try:
            db.execute("BEGIN IMMEDIATE")
            db.executemany("INSERT INTO record (body) VALUES (?)", [(record,) for record in records])
            db.execute("COMMIT")
        except sqlite3.Error as error:
            raise OSError(f"store: {error}") from error

    def _close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None
