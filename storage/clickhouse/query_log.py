"""Our own query log: embedded ClickHouse keeps none."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from core.model import Facts

COLUMNS = ("ts", "kind", "seconds", "rows", "bytes", "error")
LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class Query:
    """One statement: what kind, how long, how much, and how it failed if it did."""

    ts: float
    kind: str
    seconds: float
    rows: int
    bytes: int
    error: str = ""


@dataclass(slots=True)
class Measured:
    """What a running statement fills in before it ends."""

    rows: int = 0
    bytes: int = 0


class QueryLog:
    """Keeps the newest statements until the writer drains them into the table `queries`."""

    def __init__(self) -> None:
        self._queries: deque[Query] = deque(maxlen=LIMIT)
        self._lock = threading.Lock()
        self.dropped = 0
        """Statements that were forgotten because nobody drained them."""

    @contextmanager
    def record(self, kind: str) -> Iterator[Measured]:
        """Time the statement run inside, failure included."""
        measured, started, error = Measured(), time.perf_counter(), ""
        try:
            yield measured
        except Exception as problem:
            error = f"{type(problem).__name__}: {problem}"[:500]
            raise
        finally:
            seconds = time.perf_counter() - started
            with self._lock:
                self.dropped += len(self._queries) == LIMIT
                self._queries.append(Query(time.time(), kind, seconds, measured.rows, measured.bytes, error))

    def newest(self, limit: int = 200) -> list[Query]:
        """Return the newest statements not yet drained, newest first."""
        with self._lock:
            return list(self._queries)[: -limit - 1 : -1]

    def drain(self) -> Facts | None:
        """Return every statement since the last drain as rows of `queries`, or None when there are none."""
        with self._lock:
            taken = list(self._queries)
            self._queries.clear()
        if not taken:
            return None
        columns = (
            [round(query.ts * 1000) for query in taken],
            [query.kind for query in taken],
            [query.seconds for query in taken],
            [query.rows for query in taken],
            [query.bytes for query in taken],
            [query.error for query in taken],
        )
        return Facts("queries", COLUMNS, columns)
