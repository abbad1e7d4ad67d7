"""The way into ClickHouse: batched, bounded, and never lost while ClickHouse is away.

`put` and `put_facts` only append to memory and return at once. One thread sends batches: straight to ClickHouse
when it answers, else to the spool, from where they are replayed in order. A batch leaves memory when one of the two
has committed it, not before: while the disk is full it waits there. Each batch has a token, so that one
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
from dataclasses import dataclass, replace
from functools import partial

from core.errors import SpoolUnavailable, StorageRejected, StorageUnavailable
from core.model import Facts, Sample
from core.pipeline.spec import WriterStats
from storage.clickhouse.query_log import QueryLog
from storage.clickhouse.sample_rows import SampleRows
from storage.clickhouse.spool import Spool, Waiting

log = logging.getLogger(__name__)

RETRY_SECONDS = (0.5, 1, 2, 4, 5)
"""Pauses between attempts while ClickHouse is away; the last one repeats."""
REPLAY_SECONDS = 1.0
"""Longest replay at a stretch, so that fresh samples are not held up."""

ADOPT_SECONDS = 30.0
"""So often it is looked for what processes that ended left waiting."""

UNWRITABLE = "%d rows for %s can neither be sent nor be kept: they are dropped"

Settle = Callable[[Facts, float], Sequence[Facts] | None]
"""Given a batch and when it was first sent, returns what to send instead, or None: the same again."""


@dataclass(slots=True)
class Due:
    """A batch in memory that neither ClickHouse nor the spool has committed."""

    batch: Facts
    tried: float | None = None
    """When it was first sent to ClickHouse (epoch seconds); None: never."""

    def mark_tried(self, at: float) -> None:
        """Remember that it was sent first at `at` (epoch seconds)."""
        self.tried = at


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of sending a batch; neither: it was set aside."""

    is_stored: bool = False
    instead: Sequence[Facts] | None = None
    """What is to be sent in its place."""


class Writer:
    """Takes samples and rows from any thread and brings them to ClickHouse."""

    def __init__(
        self,
        insert: Callable[[Facts], None],
        spool: Spool,
        query_log: QueryLog | None = None,
        *,
        settle: Settle = lambda batch, tried: None,
        adopt: Callable[[], object] = lambda: None,
        arrived: Callable[[str], object] = lambda table: None,
        flush_seconds: float = 2.0,
        queue_rows: int = 500_000,
    ) -> None:
        self._insert = insert
        self._settle = settle
        self._adopt = adopt
        """Takes over what processes that ended left waiting."""
        self._adopt_at = 0.0
        self._tell_arrived = arrived
        """Hears the table of what is stored: who read before knows it not yet."""
        self._spool = spool
        self._query_log = query_log
        self._flush_seconds = flush_seconds
        self._capacity = queue_rows
        self._lock = threading.Lock()
        self._queue: deque[Facts] = deque()
        self._due: deque[Due] = deque()
        """What was taken from the queue as batches, older than all in it."""
        self._sending: Due | None = None
        self._arrived = ""
        """Token of the batch that was last replayed: the disk may not have let the spool forget it."""
        self._queued_rows = 0
        """In the queue, due, and being sent."""
        self._stuck_why = ""
        self._is_dropping = False
        self._samples = SampleRows()
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
        """Take the samples of one run, all at `ts` (epoch seconds).

        Left out and counted: a value that is NaN or infinite, and a second value of a series in the same second.
        """
        for facts in self._samples.of(host, ts, samples):
            self.put_facts(facts)

    def put_facts(self, facts: Facts) -> None:
        """Take rows of any table. When the queue is full the oldest rows are dropped and counted."""
        if not len(facts):
            return
        with self._lock:
            self._queue.append(facts)
            self._queued_rows += len(facts)
            while self._queued_rows > self._capacity and len(self._queue) + len(self._due) > 1:
                self._drop(self._due.popleft().batch if self._due else self._queue.popleft())

    def _drop(self, facts: Facts) -> None:
        self._queued_rows -= len(facts)
        self._dropped_rows += len(facts)
        if facts.table == "series":
            self._samples.forget_names()
        if not self._is_dropping:
            log.error("the writer's queue is full (%d rows): the oldest are dropped", self._capacity)
        self._is_dropping = True

    @property
    def is_away(self) -> bool:
        """Whether ClickHouse did not answer a moment ago: it is not asked again before the pause is over."""
        return time.monotonic() < self._retry_at

    def check_room(self) -> None:
        """Raise SpoolUnavailable where `keep` would because the spool is full."""
        self._spool.check_room()

    def keep(self, facts: Facts, tried: float | None, error: StorageUnavailable | None = None) -> None:
        """Bring rows to the spool that are acknowledged as soon as this returns: they survive crash and power cut.

        tried: when they were sent to ClickHouse without an answer (epoch seconds), and `error` why. Raises
        SpoolUnavailable: nothing is kept.
        """
        if error is not None:
            self._back_off(error)
        self._spool.append(facts, tried, is_promised=True)
        self._wake.set()

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
        self._spool_rest()

    def _spool_rest(self) -> None:
        """Bring to the spool what is still in memory, also what a send that hangs may yet bring to ClickHouse."""
        self._gather()
        with self._lock:
            rest = [*([self._sending] if self._sending else []), *self._due]
            self._due.clear()
        for number, due in enumerate(rest):
            try:
                self._spool.append(due.batch, due.tried)
            except SpoolUnavailable as error:
                lost = sum(len(each.batch) for each in rest[number:])
                self._dropped_rows += lost
                log.error("%d rows lost at the end of the program: %s", lost, error)
                break
            except Exception:
                log.exception(UNWRITABLE, len(due.batch), due.batch.table)
                self._lose(due.batch)
        self._queued_rows = 0

    def flush(self, *, replay: bool = True) -> None:
        """Send everything queued now, in the calling thread. What neither store takes stays queued."""
        with self._send_lock:
            try:
                stuck_why = self._replay() if replay else ""
                self._gather()
                while (due := self._next()) is not None:
                    self._bring(due)
            except SpoolUnavailable as error:
                stuck_why = str(error)
            if stuck_why:
                self._tell_stuck(stuck_why)
            else:
                self._tell_free()

    @property
    def spool_name(self) -> str:
        """Name of this process's spool."""
        return self._spool.name

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
            dropped_rows=self._dropped_rows + (self._query_log.dropped if self._query_log else 0),
            spooled_batches=spool.batches,
            spooled_rows=spool.rows,
            spooled_bytes=spool.bytes,
            spool_dropped_rows=spool.dropped_rows,
            refused_batches=spool.refused_batches,
            refused_rows=spool.refused_rows,
            stuck_why=self._stuck_why,
            repeated_rows=self._samples.repeated_rows,
            not_finite_rows=self._samples.not_finite_rows,
            last_flush=self._last_flush,
            last_error=self._last_error,
        )

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait(self._flush_seconds)
            self._wake.clear()
            try:
                self._drain_query_log()
                if time.monotonic() >= self._adopt_at:
                    self._adopt_at = time.monotonic() + ADOPT_SECONDS
                    self._adopt()
                self.flush()
            except Exception as error:
                told, self._last_error = self._last_error, f"{type(error).__name__}: {error}"
                if told != self._last_error:
                    log.exception("the writer failed; it goes on")

    def _drain_query_log(self) -> None:
        queries = self._query_log.drain() if self._query_log else None
        if queries and (len(queries) > 1 or queries.data[1][0] != "insert queries"):
            self.put_facts(queries)

    def _gather(self) -> None:
        """Make of the queue one batch a table, in the order the tables first appeared."""
        with self._lock:
            groups: dict[tuple[str, tuple[str, ...], str], list[Facts]] = {}
            for facts in self._queue:
                groups.setdefault((facts.table, facts.columns, facts.token), []).append(facts)
            self._due.extend(Due(_merge(parts)) for parts in groups.values())
            self._queue.clear()

    def _next(self) -> Due | None:
        with self._lock:
            self._sending = self._due.popleft() if self._due else None
            return self._sending

    def _bring(self, due: Due) -> None:
        """Send a batch, and take it out of memory once it is committed. Raises SpoolUnavailable."""
        instead: Sequence[Facts] = ()
        try:
            instead = self._send(due)
        except SpoolUnavailable:
            with self._lock:
                self._due.appendleft(due)
                self._sending = None
            raise
        except Exception:
            log.exception(UNWRITABLE, len(due.batch), due.batch.table)
            self._lose(due.batch)
        with self._lock:
            self._due.extendleft(Due(each) for each in reversed(instead))
            self._queued_rows += sum(len(each) for each in instead) - len(due.batch)
            self._sending = None

    def _send(self, due: Due) -> Sequence[Facts]:
        """Return what must be sent in the place of a batch: nothing once it is committed."""
        is_away = time.monotonic() < self._retry_at
        if is_away or len(self._spool):
            try:
                self._spool.append(due.batch, due.tried)
                return ()
            except SpoolUnavailable:
                if is_away:
                    raise
        # Straight, past a spool that takes nothing: on a full disk it cannot be emptied either.
        try:
            return self._attempt(due.batch, due.tried, due.mark_tried).instead or ()
        except StorageUnavailable as error:
            self._back_off(error)
            self._spool.append(due.batch, due.tried)
            return ()

    def _attempt(
        self, batch: Facts, tried: float | None, mark_tried: Callable[[float], None], batch_id: int | None = None
    ) -> Attempt:
        """Send a batch to ClickHouse; one that can never be stored is set aside.

        mark_tried: remembers when it was first sent. batch_id: its number in the spool. Raises StorageUnavailable,
        SpoolUnavailable.
        """
        try:
            if tried is None:
                mark_tried(time.time())
            elif (instead := self._settled(batch, tried)) is not None:
                self._tell_arrived(batch.table)
                return Attempt(instead=instead)
            self._insert(batch)
        except (StorageUnavailable, SpoolUnavailable):
            raise
        except StorageRejected as error:
            self._refuse(batch, str(error), batch_id)
            return Attempt()
        except Exception as error:
            log.exception("a batch for %s cannot be sent", batch.table)
            self._refuse(batch, repr(error), batch_id)
            return Attempt()
        self._acknowledge(batch)
        return Attempt(is_stored=True)

    def _settled(self, batch: Facts, tried: float) -> Sequence[Facts] | None:
        instead = self._settle(batch, tried)
        if instead is not None:
            rows = [f"{len(each)} for {each.table}" for each in instead]
            log.warning("of %d rows on their way when ClickHouse ended go again: %s", len(batch), rows or "none")
        return instead

    def _replay(self) -> str:
        """Send what waits on disk, oldest first, until it is empty, ClickHouse is away or the time is up.

        Return why the spool cannot be changed; empty: it can.
        """
        until = time.monotonic() + REPLAY_SECONDS
        try:
            while len(self._spool) and self._retry_at <= time.monotonic() < until:
                waiting = self._spool.oldest()
                if waiting is None:
                    return ""
                self._replay_one(waiting)
        except SpoolUnavailable as error:
            return str(error)
        if len(self._spool) and self._retry_at <= time.monotonic():
            self._wake.set()
        return ""

    def _replay_one(self, waiting: Waiting) -> None:
        batch_id, batch, tried = waiting
        if batch.token and batch.token == self._arrived:
            self._spool.remove(batch_id)
            return
        try:
            attempt = self._attempt(batch, tried, partial(self._spool.mark_tried, batch_id), batch_id)
        except StorageUnavailable as error:
            self._back_off(error)
            return
        if attempt.instead is not None:
            self._spool.replace(batch_id, attempt.instead)
        elif attempt.is_stored:
            self._arrived = batch.token
            self._spool.remove(batch_id)

    def _acknowledge(self, batch: Facts) -> None:
        self._failures, self._retry_at = 0, 0.0
        self._last_error = ""
        self._last_flush = time.time()
        self._batches += 1
        self._rows_written += len(batch)
        self._recent.append((time.monotonic(), len(batch)))
        self._tell_arrived(batch.table)

    def _refuse(self, batch: Facts, why: str, batch_id: int | None = None) -> None:
        """Set a batch aside that cannot be stored, whatever is wrong with it: the others must go on."""
        self._spool.refuse(batch, why, batch_id)
        self._last_error = f"{batch.table}: {why}"
        log.error("%d rows for %s are refused, set aside in the spool: %s", len(batch), batch.table, why)

    def _lose(self, batch: Facts) -> None:
        """Count a batch that can be written nowhere: it must not hold up the others."""
        self._dropped_rows += len(batch)
        if batch.table == "series":
            self._samples.forget_names()

    def _back_off(self, error: StorageUnavailable) -> None:
        if self.is_away:
            return  # one of several that failed together
        if not self._failures:
            log.warning("ClickHouse is away, batches wait on disk: %s", error)
        self._retry_at = time.monotonic() + RETRY_SECONDS[min(self._failures, len(RETRY_SECONDS) - 1)]
        self._failures += 1
        self._last_error = str(error)

    def _tell_stuck(self, why: str) -> None:
        if why != self._stuck_why:
            log.error("%s: %d rows waiting", why, self._queued_rows)
        self._stuck_why = why

    def _tell_free(self) -> None:
        if self._stuck_why:
            log.warning("what waited in memory is stored (%s before)", self._stuck_why)
        self._stuck_why, self._is_dropping = "", False


def _merge(parts: Sequence[Facts]) -> Facts:
    first = parts[0]
    token = first.token or uuid.uuid4().hex
    if len(parts) == 1:
        return replace(first, token=token)
    columns = range(len(first.columns))
    data = tuple([value for part in parts for value in part.data[column]] for column in columns)
    return replace(first, data=data, token=token)
