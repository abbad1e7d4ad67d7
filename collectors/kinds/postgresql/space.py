"""The queries of once a minute: databases, tables, indexes, sequences, settings, what holds vacuum back."""

from __future__ import annotations

from collectors.kinds.postgresql.catalog import Catalog, Column, Wanted
from collectors.kinds.postgresql.queries import SECONDS
from core.kinds.postgresql.spec import TABLES_READ

INDEXES_SHOWN = 150
SEQUENCES_SHOWN = 50
SETTINGS_SHOWN = 100
DATABASES_SHOWN = 50

DATABASES = f"""
SELECT datname AS database, datallowconn AS is_open,
  CASE WHEN has_database_privilege(oid, 'CONNECT') OR pg_has_role('pg_read_all_stats', 'USAGE')
    THEN pg_database_size(oid) END AS bytes,
  age(datfrozenxid) AS xid_age, mxid_age(datminmxid) AS multixact_age
FROM pg_database ORDER BY bytes DESC NULLS LAST LIMIT {DATABASES_SHOWN}
"""

SETTINGS = f"""
SELECT name, current_setting(name) AS value, setting AS raw, unit, source, pending_restart FROM pg_settings
WHERE source NOT IN ('default', 'client', 'session', 'override') OR pending_restart
  OR name IN ('max_connections', 'superuser_reserved_connections', 'reserved_connections', 'max_locks_per_transaction',
    'max_prepared_transactions', 'autovacuum', 'autovacuum_freeze_max_age', 'autovacuum_multixact_freeze_max_age',
    'autovacuum_vacuum_threshold', 'autovacuum_vacuum_scale_factor', 'archive_mode', 'track_io_timing', 'block_size',
    'max_wal_size', 'shared_buffers', 'fsync', 'track_counts', 'pg_stat_statements.max')
ORDER BY pending_restart DESC, name LIMIT {SETTINGS_SHOWN}
"""

EXTENSIONS = "SELECT extname AS name, extversion AS version FROM pg_extension ORDER BY 1 LIMIT 100"

HORIZON = """
SELECT 'session ' || pid AS holder, age(backend_xmin) AS xid_age FROM pg_stat_activity
  WHERE backend_xmin IS NOT NULL AND pid <> pg_backend_pid()
UNION ALL SELECT 'slot ' || slot_name, greatest(age(xmin), age(catalog_xmin)) FROM pg_replication_slots
  WHERE xmin IS NOT NULL OR catalog_xmin IS NOT NULL
UNION ALL SELECT 'prepared transaction ' || gid, age(transaction) FROM pg_prepared_xacts
ORDER BY 2 DESC LIMIT 5
"""

PREPARED = """
SELECT count(*) AS count, max(extract(epoch FROM clock_timestamp() - prepared))::float8 AS oldest_seconds
FROM pg_prepared_xacts
"""

UNLOCKED = (
    "NOT EXISTS (SELECT FROM pg_locks l WHERE l.relation = {} AND l.mode = 'AccessExclusiveLock' AND l.granted "
    "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
)
"""Asking for the size of a relation waits for its exclusive lock: those are left out."""


def tables(catalog: Catalog) -> str:
    """Return the query of the biggest tables of this database. Sizes are looked up for those shown alone."""
    wanted: dict[str, Wanted] = {
        "live_rows": "n_live_tup",
        "dead_rows": "n_dead_tup",
        "inserted": "n_tup_ins",
        "updated": "n_tup_upd",
        "hot_updated": "n_tup_hot_upd",
        "deleted": "n_tup_del",
        "scans": "seq_scan",
        "index_scans": "idx_scan",
        "vacuumed": _when("greatest(last_vacuum, last_autovacuum)", "last_vacuum"),
        "analyzed": _when("greatest(last_analyze, last_autoanalyze)", "last_analyze"),
    }
    inner = (
        f"SELECT s.relid, s.schemaname AS schema, s.relname AS table, {catalog.pick('pg_stat_user_tables', wanted)}, "
        "age(c.relfrozenxid) AS xid_age, c.reltuples::float8 AS estimated_rows, c.reloptions::text AS options "
        "FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid "
        f"WHERE c.relkind IN ('r', 'm') AND {UNLOCKED.format('c.oid')} "
        f"ORDER BY greatest(c.relpages, (s.n_live_tup + s.n_dead_tup) / 100) DESC, s.relid LIMIT {TABLES_READ}"
    )
    return (
        "SELECT t.*, pg_relation_size(t.relid) AS heap_bytes, pg_indexes_size(t.relid) AS index_bytes, "
        "pg_total_relation_size(t.relid) AS bytes, "
        "CASE WHEN io.heap_blks_hit + io.heap_blks_read > 0 "
        "THEN io.heap_blks_hit::float8 / (io.heap_blks_hit + io.heap_blks_read) END AS hit_ratio "
        f"FROM ({inner}) t LEFT JOIN pg_statio_user_tables io ON io.relid = t.relid"
    )


def indexes(catalog: Catalog) -> str:
    """Return the query of indexes: those invalid, those that another one duplicates, then the biggest.

    Duplicates have the same table, method, columns, operator classes, collations, order, expressions and predicate.
    """
    wanted: dict[str, Wanted] = {
        "scans": "idx_scan",
        "read_rows": "idx_tup_read",
        "last_scan": _when("last_idx_scan", "last_idx_scan"),
    }
    same = (
        "i.indrelid, c.relam, i.indkey::text, i.indclass::text, i.indcollation::text, i.indoption::text, "
        "coalesce(pg_get_expr(i.indexprs, i.indrelid), ''), coalesce(pg_get_expr(i.indpred, i.indrelid), '')"
    )
    inner = (
        f"SELECT s.indexrelid, s.schemaname AS schema, s.relname AS table, s.indexrelname AS index, "
        f"{catalog.pick('pg_stat_user_indexes', wanted)}, i.indisunique AS is_unique, i.indisprimary AS is_primary, "
        "i.indisvalid AND i.indisready AS is_valid, c.relpages, "
        "EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid) AS is_being_built, "
        "EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid) AS backs_constraint, "
        f"first_value(s.indexrelname) OVER (PARTITION BY {same} "
        "ORDER BY i.indisvalid DESC, i.indisprimary DESC, i.indisunique DESC, i.indexrelid) AS first_of_same "
        "FROM pg_stat_user_indexes s JOIN pg_index i ON i.indexrelid = s.indexrelid "
        f"JOIN pg_class c ON c.oid = s.indexrelid WHERE {UNLOCKED.format('i.indrelid')} "
        f"AND {UNLOCKED.format('i.indexrelid')}"
    )
    return (
        "SELECT x.*, pg_relation_size(x.indexrelid) AS bytes, pg_get_indexdef(x.indexrelid) AS definition FROM "
        f"(SELECT * FROM ({inner}) y ORDER BY is_valid, first_of_same = index, relpages DESC LIMIT {INDEXES_SHOWN}) x"
    )


SEQUENCES = f"""
SELECT * FROM (
  SELECT schemaname AS schema, sequencename AS sequence, data_type::text AS type, last_value, max_value, min_value,
    increment_by, cycle AS is_cycle,
    coalesce((SELECT has_sequence_privilege(c.oid, 'SELECT, USAGE') FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = schemaname AND c.relname = sequencename), false) AS is_visible,
    CASE WHEN last_value IS NULL THEN NULL
      WHEN increment_by > 0 THEN (last_value::numeric - min_value) / greatest(max_value::numeric - min_value, 1)
      ELSE (max_value::numeric - last_value) / greatest(max_value::numeric - min_value, 1) END AS used_ratio
  FROM pg_sequences) s
ORDER BY used_ratio DESC NULLS LAST LIMIT {SEQUENCES_SHOWN}
"""


def _when(expression: str, column: str) -> Column:
    """Return a time as epoch seconds."""
    return Column(column, SECONDS.format(expression))
