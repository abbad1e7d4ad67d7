"""The charts of PostgreSQL."""

from __future__ import annotations

from core.format import coarse_duration, duration, number
from core.kinds.postgresql import spec
from dashboard.sources.charts import Chart
from dashboard.sources.limits import limit_text

CONNECTIONS = f"Source: {spec.CONNECTIONS_QUERY}."
DATABASE = "Source: pg_stat_database, differences between readings summed over all databases."
EVERY_MINUTE = f"every {coarse_duration(spec.PERIODIC_SECONDS)}"

CHARTS = (
    Chart("used", "Connections, % of limit", "of those for others than superusers", {spec.CONNECTIONS_USED_RATIO: ""},
          "Connections of clients over max_connections − superuser_reserved_connections − reserved_connections (16). "
          "Source: pg_stat_activity WHERE backend_type = 'client backend'; pg_settings.",
          limit=spec.CONNECTIONS, top=1.0),
    Chart("states", "Connections by state", "clients", {spec.CONNECTIONS_BY_STATE: ""}, CONNECTIONS, label="state"),
    Chart("waits", "Active sessions by wait", "CPU: waiting for nothing", {spec.ACTIVE_SESSIONS: ""},
          f"Sessions in state active by wait_event_type at the moment of the reading. {CONNECTIONS}", label="wait"),
    Chart("longest", "Longest now", "query, transaction, lock wait, idle in transaction",
          {spec.LONGEST_QUERY: "query", spec.LONGEST_TRANSACTION: "transaction", spec.LONGEST_BLOCKED: "blocked",
           spec.LONGEST_IDLE_IN_TRANSACTION: "idle in transaction"},
          "Age of the oldest query, of the oldest transaction, of the longest wait for a lock, and of the oldest state "
          "idle in transaction. The lines say from where on each is a warning. "
          f"{limit_text(spec.BLOCKED, 'seconds')} of waiting for a lock. Source: now() − query_start, xact_start, "
          "state_change of pg_stat_activity; pg_locks.waitstart (14), else query_start.",
          limits={"query": spec.QUERY, "transaction": spec.TRANSACTION,
                  "idle in transaction": spec.IDLE_IN_TRANSACTION}),
    Chart("transactions", "Transactions, per second", "committed and rolled back",
          {spec.COMMITS_RATE: "commits", spec.ROLLBACKS_RATE: "rollbacks"},
          f"xact_commit and xact_rollback. {DATABASE}"),
    Chart("rows", "Rows written, per second", "inserted, updated, deleted",
          {spec.ROWS_INSERTED_RATE: "inserted", spec.ROWS_UPDATED_RATE: "updated", spec.ROWS_DELETED_RATE: "deleted"},
          f"tup_inserted, tup_updated, tup_deleted. {DATABASE}"),
    Chart("read", "Rows read, per second", "returned by scans, fetched by index",
          {spec.ROWS_RETURNED_RATE: "returned", spec.ROWS_FETCHED_RATE: "fetched"},
          f"tup_returned, tup_fetched. Many returned for few fetched: tables are read whole. {DATABASE}"),
    Chart("hits", "Cache hit ratio, %", "of blocks asked for",
          {spec.HIT_RATIO: "now", spec.HIT_JUDGED_RATIO: f"over {duration(spec.RECENT_SECONDS)}"},
          "blks_hit over blks_hit and blks_read; none without blocks. The cache of the operating system is not seen. "
          f"{limit_text(spec.HITS, 'ratio')} over {duration(spec.RECENT_SECONDS)}. "
          f"{DATABASE}", top=1.0,
          limits={f"over {duration(spec.RECENT_SECONDS)}": spec.HITS}),
    Chart("bytes", "Read and written, bytes a second", "blocks read, temporary files, checkpoints",
          {spec.BLOCK_READ_RATE: "read", spec.TEMP_RATE: "temporary", spec.CHECKPOINT_WRITE_RATE: "checkpoints"},
          "blks_read × block_size and temp_bytes (pg_stat_database); buffers written by checkpoints "
          "(pg_stat_checkpointer, up to 16 pg_stat_bgwriter)."),
    Chart("wal", "WAL, bytes a second", "", {spec.WAL_RATE: ""}, "Difference of pg_current_wal_lsn()."),
    Chart("statements-busy", "Busiest statements", "execution time, % of the time passed",
          {spec.STATEMENT_BUSY_RATIO: ""},
          f"total_exec_time of the {spec.STATEMENTS_CHARTED} statements that took most in the last "
          f"{duration(spec.STATEMENTS_SECONDS)}, over that time; above 100 % when several run at once. Source: "
          f"{spec.STATEMENTS_VIEW}, differences.", label="statement"),
    Chart("lag", "Replication lag", "until replayed, by standby",
          {spec.REPLICA_LAG: "", spec.REPLAY_LAG: "replay here"},
          "replay_lag of pg_stat_replication; on a standby now() − pg_last_xact_replay_timestamp(), 0 when all that "
          f"was received is replayed. {limit_text(spec.LAG, 'seconds')}.", label="replica", limit=spec.LAG),
    Chart("behind", "WAL retained and behind, bytes", "slots and standbys",
          {spec.SLOT_RETAINED: "retained for a slot", spec.REPLICA_BEHIND: "behind"},
          "pg_wal_lsn_diff from restart_lsn of pg_replication_slots and from replay_lsn of pg_stat_replication to the "
          f"present. {limit_text(spec.BEHIND, 'bytes')} behind.", limit=spec.BEHIND),
    Chart("size", "Size by database", "", {spec.DATABASE_SIZE: ""},
          f"Source: pg_database_size(oid), {EVERY_MINUTE}.", label="database"),
    Chart("table-size", "Size by table", "the biggest, with indexes and TOAST", {spec.TABLE_SIZE: ""},
          f"Source: pg_total_relation_size(relid), {EVERY_MINUTE}.", label="table"),
    Chart("ping", "Round trip", "median and p99 of 120 readings", {spec.PING_P50: "p50", spec.PING_P99: "p99"},
          f"Time from sending {spec.PING} to its answer, once a reading."),
    Chart("xid", "Transaction ids in use", "age of the oldest not frozen",
          {spec.XIDS: "transactions", spec.MULTIXACTS: "multixacts"},
          "max(age(datfrozenxid)), max(mxid_age(datminmxid)) of pg_database. At 2³¹ the server stops writing. Warning "
          f"a quarter above autovacuum_freeze_max_age, critical from {number(spec.XID_AGE.critical)}.",
          limit=spec.XID_AGE),
    Chart("troubles", "Deadlocks and conflicts, per second", "and temporary files",
          {spec.DEADLOCKS_RATE: "deadlocks", spec.CONFLICTS_RATE: "conflicts",
           spec.TEMP_FILES_RATE: "temporary files"},
          f"deadlocks; conflicts: queries cancelled on a standby for replay; temp_files. {DATABASE}"),
)  # fmt: skip
