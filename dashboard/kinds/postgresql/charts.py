"""The charts of PostgreSQL in the database tab."""

from __future__ import annotations

from core.limits import Limit
from dashboard.sources.charts import Chart

KINDS = ("postgresql",)
ACTIVITY = (
    "Source: SELECT state, wait_event_type, count(*) FROM pg_stat_activity GROUP BY 1, 2, without our own session."
)
DATABASE = "Source: pg_stat_database, differences between readings summed over all databases."

CHARTS = (
    Chart("postgresql-used", "Connections, % of limit", "of those for others than superusers",
          {"postgresql_connections_used_ratio": ""},
          "Connections of clients over max_connections − superuser_reserved_connections − reserved_connections (16). "
          "Source: pg_stat_activity WHERE backend_type = 'client backend'; pg_settings.",
          limit=Limit(0.8, 0.9), top=1.0),
    Chart("postgresql-states", "Connections by state", "clients", {"postgresql_connections": ""}, ACTIVITY,
          label="state"),
    Chart("postgresql-waits", "Active sessions by wait", "CPU: waiting for nothing",
          {"postgresql_active_sessions": ""},
          f"Sessions in state active by wait_event_type at the moment of the reading. {ACTIVITY}", label="wait"),
    Chart("postgresql-longest", "Longest now", "query, transaction, wait for a lock",
          {"postgresql_longest_query_seconds": "query", "postgresql_longest_transaction_seconds": "transaction",
           "postgresql_longest_blocked_seconds": "blocked",
           "postgresql_longest_idle_in_transaction_seconds": "idle in transaction"},
          "Age of the oldest query, of the oldest transaction, of the oldest wait for a lock, and of the oldest "
          "state idle "
          "in transaction. Warning at 60 s, 2 min, 10 s (critical 30 s) and 5 min. Source: now() − query_start, "
          "xact_start, state_change of pg_stat_activity; pg_locks.waitstart (14), else query_start.",
          limits={"query": Limit(60.0), "transaction": Limit(120.0), "idle": Limit(300.0)}),
    Chart("postgresql-transactions", "Transactions, per second", "committed and rolled back",
          {"postgresql_commits_per_second": "commits", "postgresql_rollbacks_per_second": "rollbacks"},
          f"xact_commit and xact_rollback. {DATABASE}"),
    Chart("postgresql-rows", "Rows written, per second", "inserted, updated, deleted",
          {"postgresql_rows_inserted_per_second": "inserted", "postgresql_rows_updated_per_second": "updated",
           "postgresql_rows_deleted_per_second": "deleted"},
          f"tup_inserted, tup_updated, tup_deleted. {DATABASE}"),
    Chart("postgresql-read", "Rows read, per second", "returned by scans, fetched",
          {"postgresql_rows_returned_per_second": "returned", "postgresql_rows_fetched_per_second": "fetched"},
          f"tup_returned, tup_fetched. Many returned for few fetched: tables are read whole. {DATABASE}"),
    Chart("postgresql-hits", "Cache hit ratio, %", "of blocks asked for", {"postgresql_cache_hit_ratio": ""},
          "blks_hit over blks_hit and blks_read; none without blocks. The system's own cache is not seen. Warning "
          "below "
          f"98 % over 5 min. {DATABASE}", limit=Limit(0.98), top=1.0),
    Chart("postgresql-bytes", "Read and written, bytes a second", "blocks read, temporary files, checkpoints",
          {"postgresql_block_read_bytes_per_second": "read", "postgresql_temp_bytes_per_second": "temporary",
           "postgresql_checkpoint_write_bytes_per_second": "checkpoints"},
          "blks_read × block_size and temp_bytes (pg_stat_database); buffers written by checkpoints "
          "(pg_stat_checkpointer, up to 16 pg_stat_bgwriter)."),
    Chart("postgresql-wal", "WAL, bytes a second", "", {"postgresql_wal_bytes_per_second": ""},
          "Difference of pg_current_wal_lsn()."),
    Chart("postgresql-statements-busy", "Busiest statements", "time in execution, % of the clock",
          {"postgresql_statement_busy_ratio": ""},
          "total_exec_time of the five statements that took most in the last 30 s, over those 30 s; above 100 % when "
          "several run at once. Source: pg_stat_statements, differences.", label="statement"),
    Chart("postgresql-lag", "Replication lag", "until replayed, by standby",
          {"postgresql_replica_lag_seconds": "", "postgresql_replay_lag_seconds": "replay here"},
          "replay_lag of pg_stat_replication; on a standby now() − pg_last_xact_replay_timestamp(), 0 when all that "
          "came is replayed. Warning from 60 s.", label="replica",
          limit=Limit(60.0)),
    Chart("postgresql-behind", "WAL kept and behind, bytes", "slots and standbys",
          {"postgresql_slot_retained_bytes": "kept for a slot", "postgresql_replica_behind_bytes": "behind"},
          "pg_wal_lsn_diff of the present to restart_lsn of pg_replication_slots and to replay_lsn of "
          "pg_stat_replication. Critical from 1 GiB behind.",
          limit=Limit(None, 2.0 ** 30)),
    Chart("postgresql-size", "Size by database", "", {"postgresql_database_size_bytes": ""},
          "Source: pg_database_size(oid), once a minute.", label="database"),
    Chart("postgresql-table-size", "Size by table", "the biggest, with indexes and TOAST",
          {"postgresql_table_size_bytes": ""}, "Source: pg_total_relation_size(relid), once a minute.",
          label="table"),
    Chart("postgresql-ping", "Round trip", "median and p99 of 120 readings",
          {"postgresql_ping_p50_seconds": "p50", "postgresql_ping_p99_seconds": "p99"},
          "Time from sending SELECT 1 to its answer, once a reading."),
    Chart("postgresql-xid", "Transaction ids in use", "age of the oldest not frozen",
          {"postgresql_xid_age": "transactions", "postgresql_multixact_age": "multixacts"},
          "max(age(datfrozenxid)), max(mxid_age(datminmxid)) of pg_database. At 2³¹ the server stops writing. "
          "Warning a "
          "quarter above autovacuum_freeze_max_age, critical at 1 000 M.",
          limit=Limit(None, 1000000000.0)),
    Chart("postgresql-troubles", "Deadlocks and conflicts, per second", "",
          {"postgresql_deadlocks_per_second": "deadlocks", "postgresql_conflicts_per_second": "conflicts",
           "postgresql_temp_files_per_second": "temporary files"},
          f"deadlocks; conflicts: queries cancelled on a standby for replay; temp_files. {DATABASE}"),
)  # fmt: skip
