"""The way into ClickHouse: batched, bounded, and never lost while ClickHouse is away.

`put` and `put_facts` only append to memory and return at once. One thread sends batches: straight to ClickHouse
when it answers, else to the spool, from where they are replayed in order. Each batch has a token, so that one
whose answer was lost on the way is repeated without being counted twice; and when it was first sent is kept, so that
one that was on its way when ClickHouse was killed is not repeated but settled (storage/clickhouse/settle.py).
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace

from core.errors import StorageRejected, StorageUnavailable
from core.model import Facts, Sample
from core.pipeline.spec import WriterStats
from storage.clickhouse.query_log import QueryLog
from storage.clickhouse.series import SeriesKey, series_id
from storage.clickhouse.spool import Spool, Waiting

log = logging.getLogger(__name__)

RETRY_SECONDS = (0.5, 1, 2, 4, 5)
"""Pauses between attempts while ClickHouse is away; the last one repeats."""
REPLAY_SECONDS = 1.0
"""Longest replay at a stretch, so that fresh samples are not held up."""

NAME_AGAIN_SECONDS = 3600

Settle = Callable[[Facts, float], Sequence[Facts] | None]
"""Given a batch and when it was first sent, returns what to send instead, or None: the same again."""


class Writer:
    """Takes samples and rows from any thread and brings them to ClickHouse."""

    def __init__(
        self,
        insert: Callable[[Facts], None],
        spool: Spool,
        query_log: QueryLog | None = None,
        *,
        settle: Settle = lambda batch, tried: None,
        flush_seconds: float = 2.0,
        queue_rows: int = 500_000,
    ) -> None:
        self._insert = insert
        self._settle = settle
        self._spool = spool
        self._query_log = query_log
        self._flush_seconds = flush_seconds
        self._capacity = queue_rows
        self._lock = threading.Lock()
        self._queue: deque[Facts] = deque()
        self._queued_rows = 0
        self._known: dict[SeriesKey, int] = {}
        self._named_at = 0
        self._dropped_rows = 0
        self._rows_written = 0
        self._batches = 0
        self._recent: deque[tuple[float, int]] = deque(maxlen=600)
        self._last_flush: float | None = None
        self._last_error = ""
        self._failures = 0
        self._retry_at = 0.0
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._send_lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def put(self, host: str, ts: float, samples: Sequence[Sample]) -> None:
        """Take the samples of one run, all at `ts` (epoch seconds). A value that is not a number is left out."""
        second = int(ts)
        self._name_series_again(second)
        fresh: list[tuple[int, str, str, dict[str, str], int]] = []
        ids: list[int] = []
        values: list[float] = []
        for sample in samples:
            if sample.value != sample.value:
                continue
            key = (host, sample.metric, sample.labels)
            number = self._known.get(key)
            if number is None:
                number = self._known[key] = series_id(*key)
                fresh.append((number, host, sample.metric, dict(sample.labels), second))
            ids.append(number)
            values.append(sample.value)
        if fresh:
            names = ("series", "host", "metric", "labels", "seen")
            self.put_facts(Facts("series", names, tuple(zip(*fresh, strict=True))))
        if ids:
            self.put_facts(Facts("samples", ("series", "ts", "value"), (ids, [second] * len(ids), values)))

    def _name_series_again(self, second: int) -> None:
        """Forget now and then which series are named, so that a dropped batch of names heals by itself."""
        if abs(second - self._named_at) >= NAME_AGAIN_SECONDS:
            self._known = {}
            self._named_at = second

    def put_facts(self, facts: Facts) -> None:
        """Take rows of any table. When the queue is full the oldest rows are dropped and counted."""
        if not len(facts):
            return
        with self._lock:
            self._queue.append(facts)
            self._queued_rows += len(facts)
            while self._queued_rows > self._capacity and len(self._queue) > 1:
                lost = len(self._queue.popleft())
                self._queued_rows -= lost
                self._dropped_rows += lost

    def start(self) -> None:
        """Start the sending thread."""
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def stop(self, timeout_seconds: float = 5.0) -> None:
        """Send or spool what is queued, then stop. Nothing accepted before the call is lost."""
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout_seconds)
        if self._send_lock.acquire(timeout=0.5):
            self._send_lock.release()
            self.flush(replay=False)
            return
        for batch in self._take():
            self._spool.append(batch)

    def flush(self, *, replay: bool = True) -> None:
        """Send everything queued now, in the calling thread."""
        with self._send_lock:
            if replay:
                self._replay()
            for batch in self._take():
                self._send(batch)

    def stats(self) -> WriterStats:
        """Return the writer's and the spool's state."""
        spool = self._spool.stats()
        now = time.monotonic()
        recent = [rows for at, rows in list(self._recent) if at > now - 60]
        return WriterStats(
            queued_rows=self._queued_rows,
            capacity_rows=self._capacity,
            rows_per_second=sum(recent) / 60,
            batches=self._batches,
            rows_written=self._rows_written,
            dropped_rows=self._dropped_rows,
            spooled_batches=spool.batches,
            spooled_rows=spool.rows,
            spooled_bytes=spool.bytes,
            spool_dropped_rows=spool.dropped_rows,
            refused_batches=spool.refused_batches,
            last_flush=self._last_flush,
            last_error=self._last_error,
        )

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait(self._flush_seconds)
            self._wake.clear()
            try:
                self._drain_query_log()
                self.flush()
            except Exception as error:
                self._last_error = f"{type(error).__name__}: {error}"
                log.exception("the writer failed; it goes on")

    def _drain_query_log(self) -> None:
        queries = self._query_log.drain() if self._query_log else None
        if queries and (len(queries) > 1 or queries.data[1][0] != "insert queries"):
            self.put_facts(queries)

    def _take(self) -> list[Facts]:
        """Return the queue as one batch a table, in the order the tables first appeared."""
        with self._lock:
            taken = list(self._queue)
            self._queue.clear()
            self._queued_rows = 0
        groups: dict[tuple[str, tuple[str, ...], str], list[Facts]] = {}
        for facts in taken:
            groups.setdefault((facts.table, facts.columns, facts.token), []).append(facts)
        return [_merge(parts) for parts in groups.values()]

    def _send(self, batch: Facts) -> None:
        if len(self._spool) or time.monotonic() < self._retry_at:
            self._spool.append(batch)
            return
        tried = time.time()
        try:
            self._insert(batch)
        except StorageRejected as error:
            self._refuse(batch, error)
        except StorageUnavailable as error:
            self._back_off(error)
            self._spool.append(batch, tried)
        else:
            self._acknowledge(batch)

    def _replay(self) -> None:
        """Send what waits on disk, oldest first, until it is empty, ClickHouse is away or the time is up."""
        until = time.monotonic() + REPLAY_SECONDS
        while len(self._spool) and self._retry_at <= time.monotonic() < until:
            waiting = self._spool.oldest()
            if waiting is None:
                return
            self._replay_one(waiting)
        if len(self._spool) and self._retry_at <= time.monotonic():
            self._wake.set()

    def _replay_one(self, waiting: Waiting) -> None:
        batch_id, batch, tried = waiting
        try:
            if tried is None:
                self._spool.mark_tried(batch_id, time.time())
            elif (instead := self._settle(batch, tried)) is not None:
                rows = [f"{len(each)} for {each.table}" for each in instead]
                log.warning("of %d rows on their way when ClickHouse ended go again: %s", len(batch), rows or "none")
                self._spool.replace(batch_id, instead)
                return
            self._insert(batch)
        except StorageRejected as error:
            self._refuse(batch, error, batch_id)
        except StorageUnavailable as error:
            self._back_off(error)
        else:
            self._acknowledge(batch)
            self._spool.remove(batch_id)

    def _acknowledge(self, batch: Facts) -> None:
        self._failures, self._retry_at = 0, 0.0
        self._last_error = ""
        self._last_flush = time.time()
        self._batches += 1
        self._rows_written += len(batch)
        self._recent.append((time.monotonic(), len(batch)))

    def _refuse(self, batch: Facts, error: StorageRejected, batch_id: int | None = None) -> None:
        self._last_error = f"{batch.table}: {error}"
        log.error("ClickHouse refuses %d rows for %s, set aside in the spool: %s", len(batch), batch.table, error)
        self._spool.refuse(batch, str(error), batch_id)

    def _back_off(self, error: StorageUnavailable) -> None:
        if not self._failures:
            log.warning("ClickHouse is away, batches wait on disk: %s", error)
        self._retry_at = time.monotonic() + RETRY_SECONDS[min(self._failures, len(RETRY_SECONDS) - 1)]
        self._failures += 1
        self._last_error = str(error)


def _merge(parts: Sequence[Facts]) -> Facts:
    first = parts[0]
    token = first.token or uuid.uuid4().hex
    if len(parts) == 1:
        return replace(first, token=token)
    columns = range(len(first.columns))
    data = tuple([value for part in parts for value in part.data[column]] for column in columns)
    return replace(first, data=data, token=token)
