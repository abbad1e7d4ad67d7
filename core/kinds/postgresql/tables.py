"""The rows of the tables of a PostgreSQL's reading."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from core.kinds.postgresql import spec

PREPARED_PID = 0
"""pg_blocking_pids names a prepared transaction by this pid."""


@dataclass(frozen=True, slots=True)
class About:
    """What a server is."""

    TABLE: ClassVar[str] = "about"

    product: str
    role: str
    """primary or standby."""
    database: str
    """The one that its url names: tables, indexes and sequences are those of it."""
    user: str
    started: float
    """Epoch seconds."""
    uptime_seconds: float
    is_encrypted: bool
    max_connections: str | None
    """Settings as the server shows them; None before they were read."""
    shared_buffers: str | None
    max_wal_size: str | None
    archive_mode: str | None
    track_io_timing: str | None
    wal_files: int | None
    wal_bytes: float | None
    archived: int | None
    """Files, since the statistics were reset."""
    archive_failures: int | None
    last_archived: float | None
    """Epoch seconds."""
    locks_ratio: float | None
    prepared: int | None
    """Prepared transactions."""
    extensions: str
    pending_restart: str
    """Settings that wait for a restart."""
    statements_evicted: int | None
    """By pg_stat_statements for want of room, ever."""
    horizon: str
    """What holds vacuum back most, and by how many transactions."""
    may_see_all: bool
    """Whether our role sees the statistics of others."""


@dataclass(frozen=True, slots=True)
class Note:
    """A query that was not answered."""

    TABLE: ClassVar[str] = "notes"

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Session:
    """A session; target is what actions name it by."""

    TABLE: ClassVar[str] = "sessions"

    pid: int
    target: str
    state: str | None
    blocked_by: str
    """The pids that it waits for."""
    blocks: int
    """Sessions that wait for it, directly or not."""
    transaction_seconds: float | None
    query_seconds: float | None
    state_seconds: float | None
    wait: str | None
    """wait_event_type and wait_event."""
    user: str | None
    database: str | None
    application: str | None
    client: str | None
    query: str | None
    query_id: str | None


@dataclass(frozen=True, slots=True)
class BlockingNode:
    """A session in the tree of who waits for whom: roots first, each followed by those that wait for it."""

    TABLE: ClassVar[str] = "blocking"

    depth: int
    pid: int
    """PREPARED_PID: a prepared transaction, which has no session."""
    target: str
    """Empty without a session that can be signalled."""
    blocked_by: str
    blocks: int
    waiting_seconds: float | None
    lock: str | None
    state: str
    transaction_seconds: float | None
    user: str | None
    application: str | None
    query: str | None

    @property
    def name(self) -> str:
        """Its pid, or what stands for it."""
        return "prepared transaction" if self.pid == PREPARED_PID else str(self.pid)


@dataclass(frozen=True, slots=True)
class ConnectionGroup:
    """The connections of one user, application, client and database."""

    TABLE: ClassVar[str] = "connections"

    user: str
    application: str
    client: str
    database: str
    connections: int
    active: int
    idle: int
    idle_in_transaction: int


@dataclass(frozen=True, slots=True)
class Statement:
    """What a statement did within the last minutes."""

    TABLE: ClassVar[str] = "statements"

    query_id: str
    id: str | None
    """As lines of charts name it; None: our own statements together."""
    query: str | None
    database: str | None
    user: str | None
    calls: float
    calls_per_second: float | None
    total_seconds: float
    share: float | None
    """Of the time of all statements."""
    busy_ratio: float | None
    mean_seconds: float
    stddev_seconds: float
    longest_seconds: float | None
    """Since the statistics were reset."""
    rows_per_call: float
    hit_ratio: float | None
    temp_blocks: float
    wal_bytes: float
    io_seconds: float


@dataclass(frozen=True, slots=True)
class Database:
    """A database; counts since its statistics were reset."""

    TABLE: ClassVar[str] = "databases"

    database: str
    bytes: int | None
    connections: int | None
    commits_per_second: float | None
    rollbacks_per_second: float | None
    hit_ratio: float | None
    deadlocks: int | None
    conflicts: int | None
    temp_files: int | None
    temp_bytes: int | None
    checksum_failures: int | None
    xid_age: int | None
    multixact_age: int | None
    killed: int | None
    abandoned: int | None


@dataclass(frozen=True, slots=True)
class Relation:
    """A table of the database."""

    TABLE: ClassVar[str] = "tables"

    table: str
    """With its schema."""
    target: str
    """Its oid, by which actions name it."""
    bytes: int
    heap_bytes: int
    index_bytes: int
    live_rows: int | None
    dead_rows: int | None
    dead_ratio: float | None
    is_bloating: bool
    """Whether vacuum does not keep up with it."""
    scans: int | None
    index_scan_ratio: float | None
    inserted: int | None
    updated: int | None
    deleted: int | None
    hot_ratio: float | None
    hit_ratio: float | None
    vacuumed_ago_seconds: float | None
    analyzed_ago_seconds: float | None
    xid_age: int | None


def has_many_dead_rows(dead_rows: float | None, dead_ratio: float | None) -> bool:
    """Return whether a table's dead rows are many, by their number and by their share."""
    return spec.DEAD_ROWS.is_bad(dead_rows or 0) and spec.DEAD_RATIO.is_bad(dead_ratio or 0)


class IndexProblem(StrEnum):
    """What is wrong with an index."""

    INVALID = "invalid"
    BEING_BUILT = "being built"
    DUPLICATE = "duplicate"
    UNUSED = "unused"


@dataclass(frozen=True, slots=True)
class Index:
    """An index of the database."""

    TABLE: ClassVar[str] = "indexes"

    index: str
    table: str
    """With its schema."""
    problem: str
    """An IndexProblem, or empty."""
    remark: str
    """The problem in words: "duplicate of fills_symbol"."""
    bytes: int | None
    scans: int | None
    """Since the statistics were reset."""
    last_scan_ago_seconds: float | None
    read_rows: int | None
    definition: str | None


@dataclass(frozen=True, slots=True)
class Sequence:
    """A sequence of the database."""

    TABLE: ClassVar[str] = "sequences"

    sequence: str
    """With its schema."""
    type: str
    last_value: int | None
    max_value: int
    used_ratio: float | None
    is_cycle: bool


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting that differs from its default."""

    TABLE: ClassVar[str] = "settings"

    name: str
    value: str | None
    set_by: str
    pending_restart: bool


@dataclass(frozen=True, slots=True)
class Replica:
    """A standby that streams from the server."""

    TABLE: ClassVar[str] = "replicas"

    name: str | None
    client: str | None
    state: str | None
    sync_state: str | None
    write_lag_seconds: float | None
    flush_lag_seconds: float | None
    replay_lag_seconds: float | None
    replay_behind_bytes: float | None
    heard_ago_seconds: float | None


@dataclass(frozen=True, slots=True)
class Slot:
    """A replication slot."""

    TABLE: ClassVar[str] = "slots"

    slot: str
    type: str
    database: str | None
    is_active: bool
    """Whether it has a reader."""
    wal_status: str | None
    retained_bytes: float | None
    behind_bytes: float | None
    safe_bytes: float | None
    """WAL that may still be written before it is lost."""
    inactive_seconds: float | None
    """Told by servers from 17 on."""
    xmin_age: int | None
    invalidation: str | None


@dataclass(frozen=True, slots=True)
class Progress:
    """A command that runs long and tells how far it is."""

    TABLE: ClassVar[str] = "progress"

    pid: int
    command: str
    database: str | None
    relation: str | None
    phase: str | None
    done: float | None
    total: float | None
    unit: str
    """blocks or bytes."""
    seconds: float | None

    @property
    def ratio(self) -> float | None:
        """How much of its phase is done."""
        return self.done / self.total if self.done is not None and self.total else None

    @property
    def left_seconds(self) -> float | None:
        """How long its phase still takes at the pace so far."""
        ratio = self.ratio
        return self.seconds * (1 - ratio) / ratio if ratio and self.seconds else None


@dataclass(frozen=True, slots=True)
class Bloat:
    """What a measurement of bloat found in a table."""

    TABLE: ClassVar[str] = "bloat"

    table: str
    bytes: int
    dead_ratio: float
    free_ratio: float
