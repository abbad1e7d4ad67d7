"""The rows of a ClickHouse's tables.

A row that a question asks for (questions.py) has a field for each column of the answer, with a default where not every
server, or not our own engine, has the column.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

MOST_BYTES = 2.0**60
"""An object store says that it has more: no share of that means anything."""


@dataclass(frozen=True, slots=True)
class About:
    """What a server is."""

    TABLE: ClassVar[str] = "about"

    product: str
    host: str
    user: str
    """Whom we log in as."""
    is_own: bool
    """Whether it is the engine inside Fundwatch."""
    uptime_seconds: float
    memory_limit_bytes: float | None
    parts_delay: int | None
    """Parts in a partition from where inserts are delayed."""
    parts_throw: int | None
    """Parts in a partition from where inserts are rejected."""
    parts_active: float | None
    tables: int
    changed: str
    """Settings that are not at their default."""
    is_limited: bool
    """Whether our own queries run within limits."""
    refused: str
    """What the server does not have or our user may not read."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A question without an answer."""

    TABLE: ClassVar[str] = "refused"

    question: str
    why: str


@dataclass(frozen=True, slots=True)
class Event:
    """A counter of system.events."""

    TABLE: ClassVar[str] = "events"

    event: str
    count: float
    per_second: float | None = None
    """Since the answer before; the server does not say."""


@dataclass(frozen=True, slots=True)
class Pool:
    """A background pool of threads."""

    TABLE: ClassVar[str] = "pools"

    pool: str
    busy: float
    size: float

    @property
    def used_ratio(self) -> float:
        """Busy threads over all."""
        return self.busy / self.size


@dataclass(frozen=True, slots=True)
class RunningQuery:
    """A query that runs."""

    TABLE: ClassVar[str] = "running"

    query_id: str
    user: str
    elapsed: float
    """Seconds."""
    read_rows: int
    read_bytes: int
    client: str
    query: str
    total_rows_approx: int | None = None
    memory_usage: int | None = None
    peak_memory_usage: int | None = None


@dataclass(frozen=True, slots=True)
class OfTable:
    """Something of one table."""

    database: str
    table: str

    @property
    def place(self) -> str:
        """The table in full: "fund.ticks"."""
        return f"{self.database}.{self.table}"


@dataclass(frozen=True, slots=True)
class Merge(OfTable):
    """A merge that runs."""

    TABLE: ClassVar[str] = "merges"

    elapsed: float
    """Seconds."""
    progress: float
    num_parts: int
    bytes: int
    """Compressed."""
    memory_usage: int
    is_mutation: bool


@dataclass(frozen=True, slots=True)
class Mutation(OfTable):
    """A mutation that is not done, or one of the last day."""

    TABLE: ClassVar[str] = "mutations"

    mutation_id: str
    command: str
    created: float
    parts_to_do: int
    is_done: bool
    latest_fail_reason: str
    age_seconds: float


@dataclass(frozen=True, slots=True)
class StoredTable(OfTable):
    """A table that has active parts."""

    TABLE: ClassVar[str] = "tables"

    engine: str
    rows: int
    bytes: int
    """On disk."""
    compressed_bytes: int
    uncompressed_bytes: int
    parts: int
    partitions: int
    most_parts: int
    """In its fullest partition."""
    last_write: float
    """Epoch seconds of its newest part."""
    ttl: str


@dataclass(frozen=True, slots=True)
class StoredColumn(OfTable):
    """A column of a table and the room that it takes."""

    TABLE: ClassVar[str] = "columns"

    name: str
    type: str
    compressed_bytes: int
    uncompressed_bytes: int
    codec: str


@dataclass(frozen=True, slots=True)
class DetachedParts(OfTable):
    """The detached parts of a table for one reason; without a reason they were detached by hand."""

    TABLE: ClassVar[str] = "detached"

    reason: str
    parts: int
    example: str


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk."""

    TABLE: ClassVar[str] = "disks"

    name: str
    path: str
    free_space: float | None
    total_space: float | None
    unreserved_space: float | None = None
    type: str = ""
    is_broken: bool = False
    is_read_only: bool = False
    used_space: float | None = None
    """Bytes in use; None: the server does not tell. What is neither used nor free is kept for root."""

    @property
    def used_ratio(self) -> float | None:
        """Used share; None for a broken disk and for an object store, whose size means nothing.

        As df has it: of what is used and what programs may still have. A server tells no more than size and free space:
        what is kept for root then counts as used.
        """
        if not self.total_space or self.free_space is None or self.total_space >= MOST_BYTES:
            return None
        if self.used_space is None:
            return 1 - self.free_space / self.total_space
        usable = self.used_space + self.free_space
        return self.used_space / usable if usable else None


@dataclass(frozen=True, slots=True)
class ServerError:
    """How often an error happened since the server started."""

    TABLE: ClassVar[str] = "errors"

    name: str
    code: int
    count: int
    last: float
    message: str


@dataclass(frozen=True, slots=True)
class QueryPattern:
    """The queries of the last hour that differ in their constants alone."""

    TABLE: ClassVar[str] = "log_top"

    pattern: str
    calls: int
    failed: int
    seconds: float
    """All of them together."""
    share: float | None
    """Of the time of all queries."""
    p50_seconds: float
    p95_seconds: float
    longest_seconds: float
    rows: int
    bytes: int
    error: str
    memory_bytes: int | None = None
    """The highest of one query."""


@dataclass(frozen=True, slots=True)
class LoggedQuery:
    """A query of the log."""

    ts: float
    seconds: float
    rows: int
    query: str
    """In our own log the kind of the statement."""
    error: str
    code: int | None = None
    user: str = ""
    memory_bytes: int | None = None
    query_id: str = ""


@dataclass(frozen=True, slots=True)
class SlowQuery(LoggedQuery):
    """One of the slowest queries of the last hour."""

    TABLE: ClassVar[str] = "log_slow"


@dataclass(frozen=True, slots=True)
class FailedQuery(LoggedQuery):
    """One of the newest failed queries of the last hour."""

    TABLE: ClassVar[str] = "log_failed"


@dataclass(frozen=True, slots=True)
class Replica(OfTable):
    """A replicated table."""

    TABLE: ClassVar[str] = "replicas"

    is_readonly: bool
    absolute_delay: float
    """Seconds."""
    queue_size: int
    inserts_in_queue: int
    merges_in_queue: int
    log_lag: int
    total_replicas: int
    active_replicas: int
    exception: str


@dataclass(frozen=True, slots=True)
class QueuedTask(OfTable):
    """A task of the replication queue."""

    TABLE: ClassVar[str] = "queue"

    type: str
    part: str
    created: float
    num_tries: int
    num_postponed: int
    exception: str
    postponed: str
    """Why."""


@dataclass(frozen=True, slots=True)
class Dictionary:
    """A dictionary."""

    TABLE: ClassVar[str] = "dictionaries"

    database: str
    name: str
    status: str
    element_count: int
    bytes_allocated: int
    query_count: int
    loading_duration: float
    updated: float
    """Epoch seconds; 0: never."""
    exception: str


@dataclass(frozen=True, slots=True)
class ViewRefresh:
    """A refreshable materialised view."""

    TABLE: ClassVar[str] = "refreshes"

    database: str
    view: str
    status: str
    succeeded: float | None
    next: float | None
    exception: str
    read_rows: int | None = None


@dataclass(frozen=True, slots=True)
class KafkaConsumer(OfTable):
    """A consumer of a Kafka table."""

    TABLE: ClassVar[str] = "kafka"

    topics: str
    num_messages_read: int
    polled: float
    """Epoch seconds; 0: never."""
    exception: str


@dataclass(frozen=True, slots=True)
class ServerWarning:
    """Something that the server itself warns of."""

    TABLE: ClassVar[str] = "warnings"

    message: str
