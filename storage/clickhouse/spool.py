"""Where batches wait on disk while ClickHouse is away: SQLite in WAL mode, one blob a batch.

Batches leave in the order they came. Past its size the oldest are dropped and counted. A batch that ClickHouse
refuses for good is set aside, so that it neither blocks the others nor disappears. When a batch was first sent is kept
with it: ClickHouse may have begun to take it (storage/clickhouse/settle.py).
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import orjson

from core.model import Facts
from storage.sqlite import prepare

SCHEMA = """
CREATE TABLE IF NOT EXISTS batches (id INTEGER PRIMARY KEY AUTOINCREMENT, rows INTEGER, bytes INTEGER, payload BLOB);
CREATE TABLE IF NOT EXISTS tried (id INTEGER PRIMARY KEY, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS refused (id INTEGER PRIMARY KEY AUTOINCREMENT, rows INTEGER, payload BLOB, reason TEXT);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
INSERT OR IGNORE INTO counters VALUES ('dropped_rows', 0);
"""

RENAMED = {"flips": "state_changes"}
"""Tables that got another name: a batch may have been waiting since before."""


@dataclass(frozen=True, slots=True)
class SpoolStats:
    """What waits, what was lost to the size limit, what ClickHouse refused."""

    batches: int
    rows: int
    bytes: int
    dropped_rows: int
    refused_batches: int


class Waiting(NamedTuple):
    """A batch in the spool."""

    id: int
    batch: Facts
    tried: float | None
    """When it was first sent to ClickHouse (epoch seconds); None: never."""


class Spool:
    """A queue of batches on disk. Safe to share between threads."""

    def __init__(self, file: Path, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._lock = threading.Lock()
        file.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(file, check_same_thread=False, isolation_level=None, timeout=5)
        prepare(self._db)
        self._db.executescript(SCHEMA)
        self._batches, self._bytes = self._db.execute(
            "SELECT count(*), coalesce(sum(bytes), 0) FROM batches"
        ).fetchone()

    def __len__(self) -> int:
        return int(self._batches)

    def append(self, facts: Facts, tried: float | None = None) -> None:
        """Keep one batch, sent without an answer at `tried`; on return it survives a crash and a power cut."""
        with self._transaction():
            self._insert(facts, tried=tried)
            self._drop_oldest()

    def oldest(self) -> Waiting | None:
        """Return the batch that waits longest, or None."""
        sql = "SELECT id, payload, at FROM batches LEFT JOIN tried USING (id) ORDER BY id LIMIT 1"
        with self._lock:
            row = self._db.execute(sql).fetchone()
        return Waiting(row[0], unpack(row[1]), row[2]) if row else None

    def mark_tried(self, batch_id: int, at: float) -> None:
        """Remember that a batch is being sent for the first time."""
        with self._lock:
            self._db.execute("INSERT OR IGNORE INTO tried VALUES (?, ?)", (batch_id, at))

    def remove(self, batch_id: int) -> None:
        """Forget a batch that ClickHouse acknowledged."""
        with self._transaction():
            self._delete(batch_id)

    def replace(self, batch_id: int, batches: Sequence[Facts]) -> None:
        """Put batches in the place of the oldest one, in their order; they were never sent."""
        with self._transaction():
            self._delete(batch_id)
            for number, facts in enumerate(batches, start=batch_id - len(batches) + 1):
                self._insert(facts, number)

    def refuse(self, facts: Facts, reason: str, batch_id: int | None = None) -> None:
        """Set aside a batch that ClickHouse will never take."""
        with self._transaction():
            self._db.execute(
                "INSERT INTO refused (rows, payload, reason) VALUES (?, ?, ?)", (len(facts), pack(facts), reason)
            )
            if batch_id is not None:
                self._delete(batch_id)

    def stats(self) -> SpoolStats:
        """Return what the spool holds."""
        with self._lock:
            rows = self._db.execute("SELECT coalesce(sum(rows), 0) FROM batches").fetchone()[0]
            dropped = self._db.execute("SELECT value FROM counters WHERE name = 'dropped_rows'").fetchone()[0]
            refused = self._db.execute("SELECT count(*) FROM refused").fetchone()[0]
            return SpoolStats(self._batches, rows, self._bytes, dropped, refused)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                self._recount()
                raise

    def _insert(self, facts: Facts, batch_id: int | None = None, tried: float | None = None) -> None:
        payload = pack(facts)
        batch_id = self._db.execute(
            "INSERT INTO batches (id, rows, bytes, payload) VALUES (?, ?, ?, ?)",
            (batch_id, len(facts), len(payload), payload),
        ).lastrowid
        if tried is not None:
            self._db.execute("INSERT INTO tried VALUES (?, ?)", (batch_id, tried))
        self._batches, self._bytes = self._batches + 1, self._bytes + len(payload)

    def _drop_oldest(self) -> None:
        while self._bytes > self._limit_bytes and self._batches > 1:
            batch_id, rows = self._db.execute("SELECT id, rows FROM batches ORDER BY id LIMIT 1").fetchone()
            self._delete(batch_id)
            self._db.execute("UPDATE counters SET value = value + ? WHERE name = 'dropped_rows'", (rows,))

    def _delete(self, batch_id: int) -> None:
        row = self._db.execute("DELETE FROM batches WHERE id = ? RETURNING bytes", (batch_id,)).fetchone()
        self._db.execute("DELETE FROM tried WHERE id = ?", (batch_id,))
        if row:
            self._batches, self._bytes = self._batches - 1, self._bytes - row[0]

    def _recount(self) -> None:
        self._batches, self._bytes = self._db.execute(
            "SELECT count(*), coalesce(sum(bytes), 0) FROM batches"
        ).fetchone()


def pack(facts: Facts) -> bytes:
    """Return the batch as compressed JSON."""
    content = {"table": facts.table, "columns": facts.columns, "data": facts.data, "token": facts.token}
    return zlib.compress(orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY), 1)


def unpack(payload: bytes) -> Facts:
    """Return the batch that `pack` made."""
    content = orjson.loads(zlib.decompress(payload))
    table = RENAMED.get(content["table"], content["table"])
    return Facts(table, tuple(content["columns"]), tuple(content["data"]), content["token"])
