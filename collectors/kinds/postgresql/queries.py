"""The queries of every reading, built from the columns that the server has. Times leave the server as seconds."""

from __future__ import annotations

from collectors.kinds.postgresql.catalog import Catalog, Column, Wanted
from core.kinds.postgresql.spec import CLIENTS, QUERY_CHARACTERS

SESSIONS_SHOWN = 200
SECONDS = "extract(epoch FROM {})::float8"

OVERVIEW = """
SELECT pg_is_in_recovery() AS is_standby, current_database() AS database, current_user AS role,
  extract(epoch FROM pg_postmaster_start_time())::float8 AS started,
  extract(epoch FROM clock_timestamp())::float8 AS now,
  CASE WHEN NOT pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') END AS written_bytes,
  CASE WHEN pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_last_wal_receive_lsn(), '0/0') END AS received_bytes,
  CASE WHEN pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0') END AS replayed_bytes,
  CASE WHEN pg_is_in_recovery()
    THEN extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8 END AS replayed_ago_seconds,
  CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() END AS is_paused,
  pg_has_role('pg_read_all_stats', 'USAGE') AS may_see_all
"""


def sessions(catalog: Catalog) -> str:
    """Return the query of sessions: those that wait for a lock first, then the oldest transactions.

    pg_blocking_pids stops the lock manager for a moment, so only those that wait for a lock are asked for.
    """
    wanted: dict[str, Wanted] = {
        "pid": "pid",
        "leader_pid": "leader_pid",
        "backend_type": "backend_type",
        "backend_start": Column("backend_start", "extract(epoch FROM backend_start)::numeric(20,6)::text"),
        "database": "datname",
        '"user"': "usename",
        "application": "application_name",
        "client": Column("client_addr", "coalesce(host(client_addr), client_hostname, 'local')"),
        "state": "state",
        "wait_type": "wait_event_type",
        "wait": "wait_event",
        "transaction_seconds": _ago("xact_start"),
        "query_seconds": _ago("query_start"),
        "state_seconds": _ago("state_change"),
        "query_id": Column("query_id", "query_id::text"),
        "query": Column("query", f"left(query, {QUERY_CHARACTERS})"),
    }
    return (
        f"SELECT {catalog.pick('pg_stat_activity', wanted)}, "
        "CASE WHEN wait_event_type = 'Lock' THEN pg_blocking_pids(pid) ELSE '{}'::int[] END AS blocked_by "
        "FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
        f"AND ({CLIENTS} OR backend_type = 'walsender' OR xact_start IS NOT NULL) "
        "ORDER BY wait_event_type = 'Lock' DESC NULLS LAST, xact_start NULLS LAST, state_change DESC "
        f"LIMIT {SESSIONS_SHOWN}"
    )


def waits_for_locks(catalog: Catalog) -> str:
    """Return the query of what is waited for, asked only when something waits."""
    since = catalog.pick("pg_locks", {"waiting_seconds": _ago("waitstart")})
    return (
        "SELECT pid, mode, locktype, CASE WHEN relation IS NULL THEN NULL "
        "WHEN database = (SELECT oid FROM pg_database WHERE datname = current_database()) OR database = 0 "
        "THEN relation::regclass::text ELSE 'relation ' || relation END AS relation, "
        f"transactionid::text AS transaction, {since} FROM pg_locks WHERE NOT granted LIMIT {SESSIONS_SHOWN}"
    )


def databases(catalog: Catalog) -> str:
    """Return the query of the counters of every database."""
    names = (
        "xact_commit", "xact_rollback", "blks_read", "blks_hit", "tup_returned", "tup_fetched", "tup_inserted",
        "tup_updated", "tup_deleted", "conflicts", "temp_files", "temp_bytes", "deadlocks", "checksum_failures",
        "blk_read_time", "blk_write_time", "numbackends", "sessions_abandoned", "sessions_fatal", "sessions_killed",
    )  # fmt: skip
    wanted: dict[str, Wanted] = {"database": "datname", "run": Column("stats_reset", "stats_reset::text")}
    wanted |= {name: name for name in names}
    return f"SELECT {catalog.pick('pg_stat_database', wanted)} FROM pg_stat_database WHERE datname IS NOT NULL"


def writing(catalog: Catalog) -> str:
    """Return the query of checkpoints, WAL and the archiver: one row."""
    has_own_view = catalog.has("pg_stat_checkpointer")
    view = "pg_stat_checkpointer" if has_own_view else "pg_stat_bgwriter"
    checkpoints = catalog.pick(
        view,
        {
            "timed": ("num_timed", "checkpoints_timed"),
            "requested": ("num_requested", "checkpoints_req"),
            "checkpoint_write_ms": ("write_time", "checkpoint_write_time"),
            "checkpoint_sync_ms": ("sync_time", "checkpoint_sync_time"),
            "checkpoint_buffers": ("buffers_written", "buffers_checkpoint"),
            "checkpoint_run": Column("stats_reset", f"{view}.stats_reset::text"),
        },
    )
    cleaner = catalog.pick(
        "pg_stat_bgwriter",
        {
            "cleaned_buffers": "buffers_clean",
            "cleaner_stopped": "maxwritten_clean",
            "backend_buffers": "buffers_backend",
        },
    )
    archiver = catalog.pick(
        "pg_stat_archiver",
        {
            "archived": "archived_count",
            "archive_failures": "failed_count",
            "last_archived": Column("last_archived_time", SECONDS.format("last_archived_time")),
            "last_failed": Column("last_failed_time", SECONDS.format("last_failed_time")),
            "last_failed_wal": "last_failed_wal",
        },
    )
    also = ", pg_stat_bgwriter" if has_own_view else ""
    return f"SELECT {checkpoints}, {cleaner}, {archiver}, {_wal(catalog)} FROM {view}{also}, pg_stat_archiver"


def _wal(catalog: Catalog) -> str:
    """Return the columns about WAL: its times lie in pg_stat_wal up to 17, in pg_stat_io from 18."""
    parts = []
    for name, column in (("wal_records", "wal_records"), ("wal_images", "wal_fpi"), ("wal_full", "wal_buffers_full")):
        parts.append(f"{_of_wal(catalog, column)} AS {name}")
    times = {
        "wal_writes": ("wal_write", "writes"),
        "wal_syncs": ("wal_sync", "fsyncs"),
        "wal_write_ms": ("wal_write_time", "write_time"),
        "wal_sync_ms": ("wal_sync_time", "fsync_time"),
    }
    for name, (before, since) in times.items():
        if catalog.has("pg_stat_wal", before):
            parts.append(f"{_of_wal(catalog, before)} AS {name}")
        elif catalog.has("pg_stat_io", "read_bytes"):
            parts.append(f"(SELECT sum({since}) FROM pg_stat_io WHERE object = 'wal') AS {name}")
        else:
            parts.append(f"NULL AS {name}")
    return ", ".join(parts)


def _of_wal(catalog: Catalog, column: str) -> str:
    return f"(SELECT {column} FROM pg_stat_wal)" if catalog.has("pg_stat_wal", column) else "NULL"


def replicas(catalog: Catalog) -> str:
    """Return the query of the standbys that stream from here."""
    here = "CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END"
    wanted: dict[str, Wanted] = {
        "name": "application_name",
        "client": Column("client_addr", "coalesce(host(client_addr), 'local')"),
        "state": "state",
        "sync_state": "sync_state",
        "write_lag_seconds": Column("write_lag", SECONDS.format("write_lag")),
        "flush_lag_seconds": Column("flush_lag", SECONDS.format("flush_lag")),
        "replay_lag_seconds": Column("replay_lag", SECONDS.format("replay_lag")),
        "replay_behind_bytes": Column("replay_lsn", f"pg_wal_lsn_diff({here}, replay_lsn)"),
        "heard_ago_seconds": _ago("reply_time"),
    }
    return f"SELECT {catalog.pick('pg_stat_replication', wanted)} FROM pg_stat_replication LIMIT 50"


def slots(catalog: Catalog) -> str:
    """Return the query of the replication slots."""
    here = "CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END"
    wanted: dict[str, Wanted] = {
        "slot": "slot_name",
        "type": "slot_type",
        "database": "database",
        "is_active": "active",
        "is_temporary": "temporary",
        "wal_status": "wal_status",
        "safe_bytes": "safe_wal_size",
        "retained_bytes": Column("restart_lsn", f"pg_wal_lsn_diff({here}, restart_lsn)"),
        "behind_bytes": Column("confirmed_flush_lsn", f"pg_wal_lsn_diff({here}, confirmed_flush_lsn)"),
        "xmin_age": Column("xmin", "greatest(age(xmin), age(catalog_xmin))"),
        "inactive_seconds": _ago("inactive_since"),
        "invalidation": "invalidation_reason",
    }
    return f"SELECT {catalog.pick('pg_replication_slots', wanted)} FROM pg_replication_slots LIMIT 50"


def receiver(catalog: Catalog) -> str:
    """Return the query of the stream that a standby receives: a row while there is one."""
    wanted: dict[str, Wanted] = {
        "status": "status",
        "host": "sender_host",
        "port": "sender_port",
        "slot": "slot_name",
        "heard_ago_seconds": _ago("last_msg_receipt_time"),
    }
    return f"SELECT {catalog.pick('pg_stat_wal_receiver', wanted)} FROM pg_stat_wal_receiver"


PROGRESS = {
    "pg_stat_progress_vacuum": ("'vacuum'", "heap_blks_scanned", "heap_blks_total", "blocks"),
    "pg_stat_progress_analyze": ("'analyze'", "sample_blks_scanned", "sample_blks_total", "blocks"),
    "pg_stat_progress_create_index": ("lower(command)", "blocks_done", "blocks_total", "blocks"),
    "pg_stat_progress_cluster": ("lower(command)", "heap_blks_scanned", "heap_blks_total", "blocks"),
    "pg_stat_progress_copy": ("lower(command)", "bytes_processed", "bytes_total", "bytes"),
    "pg_stat_progress_basebackup": ("'base backup'", "backup_streamed", "backup_total", "bytes"),
}
"""By view: what runs, how much is done, of how much, in what."""


def progress(catalog: Catalog) -> str:
    """Return the query of what runs long and tells how far it is."""
    parts = []
    for view, (command, done, total, unit) in PROGRESS.items():
        if catalog.has(view):
            wanted: dict[str, Wanted] = {
                "database": ("datname", Column("", "NULL::name")),
                "relation": (Column("relid", "relid::regclass::text"), Column("", "NULL::text")),
                "phase": ("phase", Column("type", "lower(type)"), Column("", "NULL::text")),
            }
            parts.append(
                f"SELECT pid, {command} AS command, {catalog.pick(view, wanted)}, {done} AS done, "
                f"nullif({total}, 0) AS total, '{unit}' AS unit FROM {view}"
            )
    union = " UNION ALL ".join(parts)
    return (
        f"SELECT p.*, {_ago('a.query_start').expression} AS seconds FROM ({union}) p "
        "LEFT JOIN pg_stat_activity a USING (pid) LIMIT 50"
    )


def _ago(column: str) -> Column:
    """Return how long ago the time in `column` was, in seconds."""
    return Column(column, f"extract(epoch FROM clock_timestamp() - {column})::float8")
