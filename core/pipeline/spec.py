"""What Fundwatch measures of its own work: metrics, limits and the rows of the pipeline collector's tables."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from core.limits import Limit
from core.metrics import Metric
from core.model import SourceId

PIPELINE = "pipeline"
"""The collector."""
RUNS_KEPT = 60
"""Newest runs of a collector whose duration and lateness are known."""
COLLECTOR = "collector "
"""What the components of collectors are called, before their name."""
SIZES_SECONDS = 60.0
"""How often tables and query log are read; they change slowly and cost a query each."""
STATEMENTS_SECONDS = 900.0
"""How far back the statements of the query log are summed up."""

LATENESS = Limit(0.5)
"""Share of the interval by which a run began late."""
QUEUE = Limit(0.5, 0.9)
"""Rows in the writer's queue over its capacity."""


class BreakerState(StrEnum):
    """What a breaker lets through: everything, nothing, or one probe."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Checks(StrEnum):
    """What Fundwatch is judged by, beside its collectors. Each is a component of that name."""

    CLICKHOUSE = "ClickHouse"
    WRITER = "writer"
    SPOOL = "spool"
    DATA = "data folder"
    SETTINGS = "settings"


WRITER_QUEUE = Metric("pipeline_writer_queue_rows", "Rows in the writer's queue.")
WRITTEN_RATE = Metric("pipeline_writer_rows_per_second", "Rows that ClickHouse acknowledged.")
WRITER_DROPPED = Metric("pipeline_writer_dropped_rows", "Rows dropped from a full queue since the start.")
WRITER_REPEATED = Metric(
    "pipeline_writer_repeated_rows", "Samples left out: their series had a value in that second. Since the start."
)
WRITER_NOT_FINITE = Metric("pipeline_writer_not_finite_rows", "Samples left out: NaN or infinite. Since the start.")
SPOOL_ROWS = Metric("pipeline_spool_rows", "Rows waiting on disk.")
SPOOL_BYTES = Metric("pipeline_spool_bytes", "Bytes waiting on disk.")
SPOOL_DROPPED = Metric("pipeline_spool_dropped_rows", "Rows dropped from a full spool since the start.")
REFUSED_BATCHES = Metric("pipeline_refused_batches", "Batches set aside: refused by ClickHouse or unreadable.")
TABLE_ROWS = Metric("pipeline_table_rows", "Rows of a table of ours.", "table")
TABLE_BYTES = Metric("pipeline_table_bytes", "Compressed bytes on disk of a table of ours.", "table")
TABLE_PARTS = Metric("pipeline_table_parts", "Active parts of a table of ours.", "table")

TOPIC_LAG = Metric("consume_lag_messages", "Messages of a topic that are not taken in yet.", "importer")
TOPIC_ROWS = Metric("consume_rows", "Rows of a topic that were taken in since ever.", "importer")
TOPIC_REFUSED = Metric("consume_refused_rows", "Rows of a topic that were refused since ever.", "importer")

PROCESS_MEMORY = Metric("process_resident_memory_bytes", "Resident memory of the process that collects.")
CHILDREN_MEMORY = Metric("process_children_resident_memory_bytes", "Resident memory of its children.")
PROCESS_CPU_RATIO = Metric("process_cpu_ratio", "CPU of the process that collects, of one core.")
PROCESS_THREADS = Metric("process_threads", "Threads of the process that collects.")

BREAKER = Metric("collector_breaker_state", "0: closed, 1: half open, 2: open.", "collector")
FAILURES = Metric("collector_failures_in_a_row", "Failed runs in a row.", "collector")
ABANDONED_THREADS = Metric("collector_abandoned_threads", "Threads of runs that were given up.", "collector")
LATENESS_P99 = Metric("collector_lateness_p99_seconds", "How late runs began: 99th percentile.", "collector")
COLLECTOR_CPU = Metric("collector_cpu_seconds", "CPU of the run before.", "collector")
COLLECTOR_CPU_RATIO = Metric("collector_cpu_ratio", "CPU of the run before over the interval.", "collector")
COLLECTOR_MEMORY = Metric("collector_process_resident_bytes", "Resident memory of the process.", "collector")


@dataclass(frozen=True, slots=True)
class CollectorRuns:
    """A collector and its runs."""

    TABLE: ClassVar[str] = "collectors"

    collector: str
    kind: str
    """Of the source that it watches; empty when it watches none."""
    instance: str
    status: str
    why: str
    interval_seconds: float
    timeout_seconds: float
    last_run: float | None
    """Epoch seconds at which it began, like the other times."""
    last_outcome: str | None
    last_success: float | None
    next_run: float | None
    duration_seconds: float | None
    """Of the newest run."""
    durations_seconds: list[float]
    """Of the newest RUNS_KEPT runs, oldest first."""
    lateness_p99_seconds: float | None
    failures_in_a_row: int
    breaker: str
    """A BreakerState."""
    retry_in_seconds: float | None
    """Until the next probe; None: the breaker was opened by hand."""
    opened_total: int
    abandoned_threads: int
    samples: int | None
    error: str
    """Of the newest run."""

    @property
    def source(self) -> SourceId | None:
        """The watched source that it reads, if it reads one."""
        return SourceId(self.kind, self.instance) if self.kind else None

    @property
    def component(self) -> str:
        """Name of its component."""
        return f"{COLLECTOR}{self.collector}"


@dataclass(frozen=True, slots=True)
class WriterStats:
    """How the writer and its spool are doing. Totals are since the start."""

    TABLE: ClassVar[str] = "writer"

    queued_rows: int
    capacity_rows: int
    rows_per_second: float
    """Mean of the last minute."""
    batches: int
    rows_written: int
    dropped_rows: int
    spooled_batches: int
    spooled_rows: int
    spooled_bytes: int
    spool_dropped_rows: int
    refused_batches: int
    """Set aside: ClickHouse refuses them, or they cannot be read any more."""
    refused_rows: int
    last_flush: float | None
    """Epoch seconds of the last batch."""
    last_error: str
    stuck_why: str
    """Why the queued rows wait: neither ClickHouse nor the disk takes them. Empty: they do not."""
    repeated_rows: int
    """Samples left out because their series had a value in that second."""
    not_finite_rows: int
    """Samples left out because they were NaN or infinite."""


@dataclass(frozen=True, slots=True)
class TopicTaken:
    """A topic whose messages are rows that are taken in, after the newest look."""

    TABLE: ClassVar[str] = "topic"

    importer: str
    topic: str
    kind: str
    """Of the rows."""
    rows: int
    """That were taken since ever."""
    refused: int
    lag: int | None
    """Messages that are not read yet; None: not known."""
    partitions: int
    """That are read here; others are by another member of the group."""
    last_message: float | None
    """When the newest one that was read was produced, epoch seconds; None: none since the start."""


@dataclass(frozen=True, slots=True)
class TableSize:
    """A table of ours in ClickHouse: active parts only."""

    TABLE: ClassVar[str] = "tables"

    table: str
    rows: int
    bytes: int
    parts: int

    @property
    def bytes_per_row(self) -> float | None:
        """Compressed size on disk over rows; None without rows."""
        return self.bytes / self.rows if self.rows else None


@dataclass(frozen=True, slots=True)
class StatementKind:
    """Statements of one kind that we sent to ClickHouse, from our own query log."""

    TABLE: ClassVar[str] = "queries"

    kind: str
    count: int
    p50_seconds: float
    p95_seconds: float
    longest_seconds: float
    rows: int
    errors: int
    last_error: str
