"""Where batches wait on disk while ClickHouse is away: SQLite in WAL mode, one blob a batch.

Batches leave in the order they came, behind one that was sent before. Past its size the oldest are dropped and counted.
A batch that ClickHouse refuses for good, or that cannot be read any more, is set aside, so that it neither blocks the
others nor disappears.
When a batch was first sent is kept with it: ClickHouse may have begun to take it (storage/clickhouse/settle.py).

Every method changes the file whole or not at all, and raises SpoolUnavailable when the disk does not take it.
"""

from __future__ import annotations

import contextlib
import json
import logging
import shutil
import sqlite3
import threading
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orjson

from core.errors import SpoolUnavailable
from core.model import Facts
from storage.damage import set_aside
from storage.sqlite import prepare, transaction

SCHEMA = """
CREATE TABLE IF NOT EXISTS batches (id INTEGER PRIMARY KEY AUTOINCREMENT, rows INTEGER, bytes INTEGER, payload BLOB);
CREATE TABLE IF NOT EXISTS tried (id INTEGER PRIMARY KEY, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS promised (id INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS refused (id INTEGER PRIMARY KEY AUTOINCREMENT, rows INTEGER, payload BLOB, reason TEXT);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
INSERT OR IGNORE INTO counters VALUES ('dropped_rows', 0);
"""

RENAMED = {"flips": "state_changes"}
"""Tables that got another name: a batch may have been waiting since before."""
IN_MICROSECONDS = ("orders", "trades")
REFUSED_SHARE = 8
"""What is set aside may take this part of the spool's size; past it the oldest is dropped and counted."""
FULL_BYTES = 1_048_576
"""With less room than this on its disk, an error of input or output means that the disk is full."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SpoolStats:
    """What waits, what was lost to the size limit, what is set aside."""

    batches: int = 0
    rows: int = 0
    bytes: int = 0
    dropped_rows: int = 0
    refused_batches: int = 0
    refused_rows: int = 0
    refused_bytes: int = 0


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
        self._path = file
        self._lock = threading.Lock()
        file.parent.mkdir(parents=True, exist_ok=True)
        self._lost_rows = 0
        """Of a damaged file, not yet counted in a new one."""
        self._stats = SpoolStats()
        self._open()

    def __len__(self) -> int:
        return self._stats.batches

    @property
    def name(self) -> str:
        """Of its file."""
        return self._path.name

    def append(self, facts: Facts, tried: float | None = None, *, is_promised: bool = False) -> None:
        """Keep one batch, sent without an answer at `tried`; on return it survives a crash and a power cut.

        One that was sent goes to the front: ClickHouse forgets its token as others come. One that is promised was
        acknowledged to whoever sent it: it is not dropped for others, and not taken where there is no room for it.
        """
        with self._change():
            if is_promised:
                self.check_room()
            self._insert(facts, None if tried is None else self._front(), tried, is_promised=is_promised)
            self._drop_oldest()

    def check_room(self) -> None:
        """Raise SpoolUnavailable unless one more batch that is promised would be taken."""
        if self._stats.bytes > self._limit_bytes:
            raise SpoolUnavailable("the spool is full")

    def take_over(self, other: Spool) -> int:
        """Move every batch of another spool here, and return how many those were.

        Cut off, some are in both: each has its token, so that ClickHouse takes it once.
        """
        moved = 0
        while (waiting := other.oldest()) is not None:
            self.append(waiting.batch, waiting.tried, is_promised=other.is_promised(waiting.id))
            other.remove(waiting.id)
            moved += 1
        self._take_over_aside(other)
        return moved

    def _take_over_aside(self, other: Spool) -> None:
        """Take what another spool set aside and dropped. Cut off, what was set aside is in both, and told twice."""
        rows, dropped = other.aside()
        if not rows and not dropped:
            return
        with self._change():
            for each in rows:
                self._set_aside(*each)
            self._count_dropped(dropped)
        other.forget_aside()

    def aside(self) -> tuple[list[tuple[int, bytes, str]], int]:
        """Return what is set aside, oldest first (rows, payload, reason), and how many rows were dropped."""
        with self._file():
            rows = self._db.execute("SELECT rows, payload, reason FROM refused ORDER BY id").fetchall()
            return rows, self._stats.dropped_rows

    def forget_aside(self) -> None:
        """Forget what is set aside and dropped: another spool has it."""
        with self._change():
            self._db.execute("DELETE FROM refused")
            self._db.execute("UPDATE counters SET value = 0 WHERE name = 'dropped_rows'")
            self._stats = replace(self._stats, refused_batches=0, refused_rows=0, refused_bytes=0, dropped_rows=0)

    def is_promised(self, batch_id: int) -> bool:
        """Return whether a batch was acknowledged to whoever sent it."""
        with self._file():
            return self._db.execute("SELECT 1 FROM promised WHERE id = ?", (batch_id,)).fetchone() is not None

    def oldest(self) -> Waiting | None:
        """Return the batch that waits longest, or None. Those before it that cannot be read are set aside."""
        sql = "SELECT id, rows, payload, at FROM batches LEFT JOIN tried USING (id) ORDER BY id LIMIT 1"
        while True:
            with self._file():
                row = self._db.execute(sql).fetchone()
                if row is None:  # another process may have taken the last one
                    self._stats = self._counted()
                    return None
            batch_id, rows, payload, tried = row
            try:
                return Waiting(batch_id, unpack(payload), tried)
            except (zlib.error, ValueError, TypeError, KeyError, AttributeError) as error:
                why = f"cannot be read: {type(error).__name__}: {error}"
            log.error("a batch of %s rows in the spool %s; it is set aside", rows, why)
            with self._change():
                self._set_aside(int(rows or 0), payload, why)
                self._delete(batch_id)

    def mark_tried(self, batch_id: int, at: float) -> None:
        """Remember that a batch is being sent for the first time."""
        with self._change():
            self._db.execute("INSERT OR IGNORE INTO tried VALUES (?, ?)", (batch_id, at))

    def remove(self, batch_id: int) -> None:
        """Forget a batch that ClickHouse acknowledged."""
        with self._change():
            self._delete(batch_id)

    def replace(self, batch_id: int, batches: Sequence[Facts]) -> None:
        """Put batches in the place of the oldest one, in their order; they were never sent."""
        with self._change():
            sql = "SELECT 1 FROM promised WHERE id = ?"
            is_promised = self._db.execute(sql, (batch_id,)).fetchone() is not None
            self._delete(batch_id)
            for number, facts in enumerate(batches, start=batch_id - len(batches) + 1):
                self._insert(facts, number, is_promised=is_promised)

    def refuse(self, facts: Facts, reason: str, batch_id: int | None = None) -> None:
        """Set aside a batch that ClickHouse will never take."""
        with self._change():
            self._set_aside(len(facts), pack(facts), reason)
            if batch_id is not None:
                self._delete(batch_id)

    def stats(self) -> SpoolStats:
        """Return what the spool holds."""
        return self._stats

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def _open(self) -> None:
        self._db = _connect(self._path)
        self._file_number = _number_of(self._path)
        self._stats = self._counted()

    def _follow(self) -> None:
        """Open the file that is there now, where the own one was set aside, by this process or another one."""
        there = _number_of(self._path)
        if self._file_number is None or (there is not None and there != self._file_number):
            self._leave()
            self._open()
        if self._lost_rows:
            with transaction(self._db):
                self._count_dropped(self._lost_rows)
            self._lost_rows = 0

    def _leave(self) -> None:
        self._db.close()
        self._file_number = None

    @contextlib.contextmanager
    def _change(self) -> Iterator[None]:
        with self._file():
            before = self._stats
            try:
                with transaction(self._db):
                    yield
            except BaseException:
                self._stats = before
                raise

    @contextlib.contextmanager
    def _file(self) -> Iterator[None]:
        with self._lock:
            try:
                self._follow()
                yield
            except sqlite3.Error as error:
                code = getattr(error, "sqlite_errorcode", 0) & 0xFF
                if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                    self._begin_anew(error)
                is_full = code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and self._has_no_room())
                raise SpoolUnavailable("disk full" if is_full else f"the spool fails ({error})") from error

    def _has_no_room(self) -> bool:
        return shutil.disk_usage(self._path.parent).free < FULL_BYTES

    def _begin_anew(self, error: sqlite3.Error) -> None:
        """Keep a damaged file under another name; the next change makes a new one. What it held counts as dropped."""
        lost = self._stats.rows
        is_own = self._file_number in (None, _number_of(self._path))
        self._leave()
        if not is_own:  # another process was first, and counts
            return
        self._lost_rows += lost
        self._stats = SpoolStats(dropped_rows=self._lost_rows)
        try:
            aside = set_aside(self._path)
        except OSError as cannot:
            raise SpoolUnavailable(f"the spool is damaged and cannot be set aside ({cannot})") from error
        log.error("%s is damaged (%s): kept as %s, with %d rows", self._path, error, aside and aside.name, lost)

    def _insert(
        self, facts: Facts, batch_id: int | None = None, tried: float | None = None, *, is_promised: bool = False
    ) -> None:
        payload = pack(facts)
        batch_id = self._db.execute(
            "INSERT INTO batches (id, rows, bytes, payload) VALUES (?, ?, ?, ?)",
            (batch_id, len(facts), len(payload), payload),
        ).lastrowid
        if tried is not None:
            self._db.execute("INSERT INTO tried VALUES (?, ?)", (batch_id, tried))
        if is_promised:
            self._db.execute("INSERT INTO promised VALUES (?)", (batch_id,))
        self._add(batches=1, rows=len(facts), bytes=len(payload))

    def _front(self) -> int:
        """Return a number before those of all batches."""
        (oldest,) = self._db.execute("SELECT min(id) FROM batches").fetchone()
        return 0 if oldest is None else int(oldest) - 1

    def _drop_oldest(self) -> None:
        while self._stats.bytes > self._limit_bytes and self._stats.batches > 1:
            sql = "SELECT id FROM batches WHERE id NOT IN (SELECT id FROM promised) ORDER BY id LIMIT 1"
            oldest = self._db.execute(sql).fetchone()
            if oldest is None:
                return
            self._count_dropped(self._delete(oldest[0]))

    def _delete(self, batch_id: int) -> int:
        """Return how many rows are gone."""
        found = self._db.execute("DELETE FROM batches WHERE id = ? RETURNING rows, bytes", (batch_id,)).fetchone()
        self._db.execute("DELETE FROM tried WHERE id = ?", (batch_id,))
        self._db.execute("DELETE FROM promised WHERE id = ?", (batch_id,))
        if found is None:
            return 0
        rows, size = (int(each or 0) for each in found)
        self._add(batches=-1, rows=-rows, bytes=-size)
        return rows

    def _set_aside(self, rows: int, payload: bytes, reason: str) -> None:
        self._db.execute("INSERT INTO refused (rows, payload, reason) VALUES (?, ?, ?)", (rows, payload, reason))
        self._add(refused_batches=1, refused_rows=rows, refused_bytes=len(payload or b""))
        while self._stats.refused_bytes > self._limit_bytes // REFUSED_SHARE and self._stats.refused_batches > 1:
            sql = "DELETE FROM refused WHERE id = (SELECT min(id) FROM refused) RETURNING rows, length(payload)"
            gone, size = self._db.execute(sql).fetchone()
            self._add(refused_batches=-1, refused_rows=-gone, refused_bytes=-(size or 0))
            self._count_dropped(gone)

    def _count_dropped(self, rows: int) -> None:
        self._db.execute("UPDATE counters SET value = value + ? WHERE name = 'dropped_rows'", (rows,))
        self._add(dropped_rows=rows)

    def _add(self, **more: int) -> None:
        self._stats = replace(self._stats, **{name: getattr(self._stats, name) + by for name, by in more.items()})

    def _counted(self) -> SpoolStats:
        return _counted(self._db)


def counted_in(file: Path) -> SpoolStats:
    """Return what another process's spool holds, without changing it. Raises sqlite3.Error."""
    with contextlib.closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=1)) as connection:
        return _counted(connection)


def _counted(db: sqlite3.Connection) -> SpoolStats:
    waiting = db.execute("SELECT count(*), coalesce(sum(rows), 0), coalesce(sum(bytes), 0) FROM batches")
    dropped = db.execute("SELECT value FROM counters WHERE name = 'dropped_rows'")
    refused = db.execute("SELECT count(*), coalesce(sum(rows), 0), coalesce(sum(length(payload)), 0) FROM refused")
    return SpoolStats(*waiting.fetchone(), *dropped.fetchone(), *refused.fetchone())


def _connect(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, check_same_thread=False, isolation_level=None, timeout=5)
    try:
        prepare(connection)
        connection.executescript(SCHEMA)
    except BaseException:
        connection.close()
        raise
    return connection


def _number_of(file: Path) -> int | None:
    """Return what tells a file from another one of its name; None: there is none."""
    try:
        return file.stat().st_ino
    except OSError:
        return None


def pack(facts: Facts) -> bytes:
    """Return the batch as compressed JSON, whatever it holds: NaN and infinity stay what they are.

    What JSON has no word for goes as text, with "?" for what UTF-8 cannot write. Raises TypeError or ValueError for
    what has no text either.
    """
    content = {"table": facts.table, "columns": facts.columns, "data": facts.data, "token": facts.token}
    try:
        packed = orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)
    except TypeError:  # an integer of more than 64 bits, half a surrogate pair, an object
        packed = b""
    if not packed or b"null" in packed:  # orjson writes null for NaN and infinity
        packed = json.dumps(content, default=_plain, ensure_ascii=False).encode("utf-8", "replace")
    return zlib.compress(packed, 1)


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else str(value)


def unpack(payload: bytes) -> Facts:
    """Return the batch that `pack` made."""
    packed = zlib.decompress(payload)
    try:
        content = orjson.loads(packed)
    except orjson.JSONDecodeError:  # NaN and infinity are no JSON to orjson
        content = json.loads(packed)
    table = RENAMED.get(content["table"], content["table"])
    columns, data = tuple(content["columns"]), tuple(content["data"])
    if table in IN_MICROSECONDS:
        at = columns.index("ts")
        data = (*data[:at], [_microseconds(each) for each in data[at]], *data[at + 1 :])
    return Facts(table, columns, data, content["token"])


def _microseconds(ticks: int) -> int:
    """Return a time of an order or trade: a batch may have been waiting since these were kept by the second."""
    return ticks * 1_000_000 if ticks < 2**32 else ticks
