"""What is measured of a PostgreSQL: its metrics, its checks and their limits, the questions that both sides quote.

The rows of its tables are in tables.py.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from core.limits import Limit
from core.metrics import Metric


class Checks(StrEnum):
    """What a PostgreSQL is judged by."""

    BLOCKING = "blocking"
    CONNECTIONS = "connections"
    QUERIES = "queries"
    TRANSACTIONS = "transactions"
    IDLE = "idle"
    PREPARED = "prepared"
    XID = "xid"
    MULTIXACT = "multixact"
    LOCKS = "locks"
    VACUUM = "vacuum"
    INDEXES = "indexes"
    SEQUENCES = "sequences"
    ARCHIVER = "archiver"
    SETTINGS = "settings"
    HITS = "hits"
    ROLLBACKS = "rollbacks"
    DEADLOCKS = "deadlocks"
    CONFLICTS = "conflicts"
    CHECKSUMS = "checksums"
    CHECKPOINTS = "checkpoints"
    REPLICATION = "replication"
    SLOTS = "slots"
    RIGHTS = "rights"


class Actions(StrEnum):
    """What can be done to a PostgreSQL."""

    CANCEL = "cancel"
    TERMINATE = "terminate"
    MEASURE_BLOAT = "measure_bloat"


RECENT_SECONDS = 300.0
"""Cache hits, rollbacks, deadlocks, conflicts and checksum failures are judged over that time."""
CHECKPOINTS_SECONDS = 3_600.0
"""Checkpoints are judged over that time."""
PERIODIC_SECONDS = 60.0
"""How often sizes, tables, indexes, sequences, locks and settings are asked for."""
STATEMENTS_SECONDS = 30.0
"""How often pg_stat_statements is asked for."""
STATEMENTS_WINDOW_SECONDS = 300.0
"""The time over which the table of statements sums."""
STATEMENTS_CHARTED = 5
TABLES_READ = 100
"""The biggest tables of a database that are asked for."""
QUERY_CHARACTERS = 1_000
"""Longer queries are cut by the server."""
BLOAT_SECONDS = 10.0
"""How long a measurement of bloat may take."""

CONNECTIONS = Limit(0.80, 0.90)
"""Connections of clients over those that others than superusers may open."""
BLOCKED = Limit(10.0, 30.0)
"""Seconds that a session waits for another's lock."""
QUERY = Limit(60.0)
"""Seconds that a query has been running which nobody blocks."""
TRANSACTION = Limit(120.0)
"""Seconds that a transaction has been open."""
IDLE_IN_TRANSACTION = Limit(300.0)
"""Seconds that a session has been idle in its transaction."""
PREPARED = Limit(300.0)
"""Seconds that a prepared transaction has been waiting."""
HITS = Limit(0.98, is_floor=True)
"""Share of blocks found in the cache."""
HITS_LEAST_BLOCKS = 50_000
"""Of fewer blocks within RECENT_SECONDS the share says nothing."""
ROLLBACKS = Limit(0.10)
"""Rollbacks over transactions."""
ROLLBACKS_LEAST = 100
"""Fewer rollbacks within RECENT_SECONDS say nothing."""
DEADLOCKS = Limit(1, 25)
"""Deadlocks within RECENT_SECONDS."""
CHECKPOINTS_LEAST = 4
"""Requested checkpoints within CHECKPOINTS_SECONDS from which on they are a warning when they outnumber timed ones."""
XID_SPACE = 2**31
"""Transaction ids in use at which the server stops writing."""
XID_AGE = Limit(None, 1_000_000_000)
"""Age of the oldest id that is not frozen; the warning depends on a setting: `age_limit`."""
FREEZE_FACTOR = 1.25
"""Vacuum starts to freeze at autovacuum_freeze_max_age: a quarter more says that it does not keep up."""
FREEZE_XIDS, FREEZE_MULTIXACTS = 200_000_000, 400_000_000
"""Defaults of autovacuum_freeze_max_age and autovacuum_multixact_freeze_max_age."""
DEAD_ROWS = Limit(10_000)
DEAD_RATIO = Limit(0.10)
"""Dead rows over all rows of a table."""
DEAD_TRIGGERS = 2.0
"""A table with that many times the dead rows that start autovacuum is one with which it does not keep up."""
SEQUENCES = Limit(0.90, 0.98)
"""Share of its range that a sequence has used."""
LAG = Limit(60.0)
"""Seconds that a standby is behind."""
BEHIND = Limit(None, 2**30)
"""Bytes that a standby is behind."""
SLOT_INACTIVE = Limit(None, 1_800.0)
"""Seconds that a replication slot has been without a reader."""
LOCKS = Limit(0.20, 0.80)
"""Locks held over the size of the lock table."""
SLOW_STATEMENT = Limit(0.02)
"""Mean seconds of a statement."""
SLOW_LEAST_CALLS = 100
"""The mean of fewer calls within STATEMENTS_WINDOW_SECONDS says nothing."""
VACUUMED = Limit(7 * 86_400.0)
"""Seconds since the last vacuum of a table with many dead rows."""
INDEX_UNUSED = Limit(30 * 86_400.0)
"""Seconds since an index was last used."""


def age_limit(freeze_max_age: float) -> Limit:
    """Return the limit of the age of the oldest id, of a server that freezes at `freeze_max_age`."""
    most = float(XID_AGE.critical or XID_SPACE)
    return replace(XID_AGE, warning=min(freeze_max_age * FREEZE_FACTOR, most))


MONITOR_ROLE = "pg_monitor"
"""The role whose members see what others do."""
NOT_VISIBLE = "not visible to this role"
"""What is said where the server shows our role nothing."""
IDLE_STATES = ("idle in transaction", "idle in transaction (aborted)")
"""States of sessions that began a transaction and do nothing."""
REPLICA_STATES = ("streaming", "backup")
"""States of standbys of which nothing is wrong."""
WAL_UNRESERVED, WAL_LOST = "unreserved", "lost"
"""wal_status of slots that are about to lose the WAL they need, and that have lost it."""
ARCHIVE_MODES = ("on", "always")
"""archive_mode of servers that archive."""
PING_MARK = "fundwatch_ping"
PING = f"SELECT 1 AS {PING_MARK}"
STATEMENTS_VIEW = "pg_stat_statements"
"""Also what a Note is about when it cannot be read."""
CLIENTS = "backend_type = 'client backend' OR backend_type IS NULL AND datid IS NOT NULL AND usesysid IS NOT NULL"
"""Sessions of clients: those of others have no backend_type for a role without pg_monitor."""
CONNECTIONS_QUERY = (
    'SELECT datname AS database, usename AS "user", application_name AS application, host(client_addr) AS client, '
    f"CASE WHEN backend_type IS NULL THEN '{NOT_VISIBLE}' ELSE coalesce(state, 'unknown') END AS state, "
    "CASE WHEN state = 'active' THEN coalesce(wait_event_type, 'CPU') END AS wait, "
    f"count(*) AS count FROM pg_stat_activity WHERE ({CLIENTS}) AND pid <> pg_backend_pid() "
    "GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY count(*) DESC LIMIT 1000"
)
LOCKS_QUERY = "SELECT count(*) AS held, count(*) FILTER (WHERE NOT granted) AS waiting FROM pg_locks WHERE NOT fastpath"
WAL_FILES_QUERY = "SELECT count(*) AS files, sum(size)::float8 AS bytes FROM pg_ls_waldir()"

CONNECTIONS_USED = Metric("postgresql_connections_used", "Connections of clients, ours among them.")
CONNECTIONS_USED_RATIO = Metric(
    "postgresql_connections_used_ratio", "Connections of clients over those that others than superusers may open."
)
CONNECTIONS_BY_STATE = Metric("postgresql_connections", "Connections of clients in a state, without ours.", "state")
ACTIVE_SESSIONS = Metric("postgresql_active_sessions", "Active sessions by what they wait for.", "wait")
BLOCKED_SESSIONS = Metric("postgresql_blocked_sessions", "Sessions that wait for another's lock.")
LONGEST_BLOCKED = Metric("postgresql_longest_blocked_seconds", "The longest wait for another's lock.")
LONGEST_QUERY = Metric("postgresql_longest_query_seconds", "Age of the oldest query that nobody blocks.")
LONGEST_TRANSACTION = Metric("postgresql_longest_transaction_seconds", "Age of the oldest transaction.")
LONGEST_IDLE_IN_TRANSACTION = Metric(
    "postgresql_longest_idle_in_transaction_seconds", "How long a session has been idle in its transaction."
)
REPLAY_BEHIND = Metric("postgresql_replay_behind_bytes", "WAL that a standby has received and not replayed.")
REPLAY_LAG = Metric("postgresql_replay_lag_seconds", "Age of the last transaction replayed; 0 when all is replayed.")
UPTIME = Metric("postgresql_uptime_seconds", "Time since the server started.")
REPLICA_LAG = Metric("postgresql_replica_lag_seconds", "replay_lag of a standby.", "replica")
REPLICA_BEHIND = Metric("postgresql_replica_behind_bytes", "WAL that a standby has not replayed.", "replica")
SLOT_RETAINED = Metric("postgresql_slot_retained_bytes", "WAL retained for a replication slot.", "slot")

XIDS = Metric("postgresql_xid_age", "Age of the oldest transaction id that is not frozen.")
MULTIXACTS = Metric("postgresql_multixact_age", "Age of the oldest multixact id that is not frozen.")
DATABASES_SIZE = Metric("postgresql_databases_size_bytes", "Size of all databases.")
DATABASE_SIZE = Metric("postgresql_database_size_bytes", "Size of a database.", "database")
TABLE_SIZE = Metric("postgresql_table_size_bytes", "Size of a table with its indexes and TOAST.", "table")
WAL_SIZE = Metric("postgresql_wal_size_bytes", "Size of the WAL files.")
LOCKS_RATIO = Metric("postgresql_locks_ratio", "Locks held over the size of the lock table.")
DEAD_ROWS_TOTAL = Metric("postgresql_dead_rows", "Dead rows of the biggest tables of the database.")

COMMITS_RATE = Metric("postgresql_commits_per_second", "Transactions committed.")
ROLLBACKS_RATE = Metric("postgresql_rollbacks_per_second", "Transactions rolled back.")
ROWS_RETURNED_RATE = Metric("postgresql_rows_returned_per_second", "Rows returned by scans.")
ROWS_FETCHED_RATE = Metric("postgresql_rows_fetched_per_second", "Rows fetched by index scans.")
ROWS_INSERTED_RATE = Metric("postgresql_rows_inserted_per_second", "Rows inserted.")
ROWS_UPDATED_RATE = Metric("postgresql_rows_updated_per_second", "Rows updated.")
ROWS_DELETED_RATE = Metric("postgresql_rows_deleted_per_second", "Rows deleted.")
TEMP_FILES_RATE = Metric("postgresql_temp_files_per_second", "Temporary files made.")
TEMP_RATE = Metric("postgresql_temp_bytes_per_second", "Bytes written to temporary files.")
DEADLOCKS_RATE = Metric("postgresql_deadlocks_per_second", "Deadlocks.")
CONFLICTS_RATE = Metric("postgresql_conflicts_per_second", "Queries cancelled on a standby for replay.")

COUNTERS = {
    "xact_commit": COMMITS_RATE,
    "xact_rollback": ROLLBACKS_RATE,
    "tup_returned": ROWS_RETURNED_RATE,
    "tup_fetched": ROWS_FETCHED_RATE,
    "tup_inserted": ROWS_INSERTED_RATE,
    "tup_updated": ROWS_UPDATED_RATE,
    "tup_deleted": ROWS_DELETED_RATE,
    "temp_files": TEMP_FILES_RATE,
    "temp_bytes": TEMP_RATE,
    "deadlocks": DEADLOCKS_RATE,
    "conflicts": CONFLICTS_RATE,
}
"""The rate of each counter of pg_stat_database."""

HIT_JUDGED_RATIO = Metric(
    "postgresql_cache_hit_judged_ratio", "Cache hits of the time that is judged, where enough blocks were asked for."
)  # fmt: skip
HIT_RATIO = Metric("postgresql_cache_hit_ratio", "Blocks found in the cache since the reading before.")
ROLLBACK_RATIO = Metric("postgresql_rollback_ratio", "Rollbacks over transactions since the reading before.")
BLOCK_READ_RATE = Metric("postgresql_block_read_bytes_per_second", "Blocks read that the cache did not hold.")
WAL_RATE = Metric("postgresql_wal_bytes_per_second", "WAL written.")
WAL_IMAGES_RATE = Metric("postgresql_wal_images_per_second", "Full page images written to WAL.")
WAL_SYNC_RATIO = Metric("postgresql_wal_sync_ratio", "Time spent syncing WAL over the time passed.")
CHECKPOINTS_TIMED_RATE = Metric("postgresql_checkpoints_timed_per_second", "Checkpoints by checkpoint_timeout.")
CHECKPOINTS_REQUESTED_RATE = Metric("postgresql_checkpoints_requested_per_second", "Checkpoints before their time.")
CHECKPOINT_WRITE_RATE = Metric("postgresql_checkpoint_write_bytes_per_second", "Bytes written by checkpoints.")
CHECKPOINT_BUSY_RATIO = Metric("postgresql_checkpoint_busy_ratio", "Time in checkpoint writes over the time passed.")
ARCHIVED_RATE = Metric("postgresql_archived_per_second", "WAL files archived.")
DATABASE_COMMITS_RATE = Metric("postgresql_database_commits_per_second", "Commits of a database.", "database")
DATABASE_HIT_RATIO = Metric("postgresql_database_cache_hit_ratio", "Cache hits of a database.", "database")

STATEMENT_BUSY_RATIO = Metric("postgresql_statement_busy_ratio", "Time in a statement over time passed.", "statement")
STATEMENT_MEAN = Metric("postgresql_statement_mean_seconds", "Mean time of a statement.", "statement")
STATEMENT_CALLS_RATE = Metric("postgresql_statement_calls_per_second", "Calls of a statement.", "statement")

MONITOR = Metric("postgresql_monitor_seconds", "How long all queries of a reading took.")
PING_NEWEST = Metric("postgresql_ping_seconds", "Time to the answer to SELECT 1.")
PING_P50 = Metric("postgresql_ping_p50_seconds", "Median of the last 120 answers to SELECT 1.")
PING_P99 = Metric("postgresql_ping_p99_seconds", "99th percentile of the last 120 answers to SELECT 1.")
