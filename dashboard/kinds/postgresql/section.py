"""The section of PostgreSQL: its panels, each with the query behind it, and what may be done."""

from __future__ import annotations

from core.format import duration
from core.kinds.postgresql import spec
from dashboard.kinds.postgresql import sessions, tables
from dashboard.kinds.postgresql.cards import SPARKED, cards
from dashboard.kinds.postgresql.charts import CHARTS, EVERY_MINUTE
from dashboard.sources.section import Section, TablePanel

WINDOW = duration(spec.STATEMENTS_WINDOW_SECONDS)

# In every refresh is what one looks for in trouble (blocking), and what needs the series for its growth (databases).
SECTION = Section(
    kind="postgresql",
    charts=CHARTS,
    cards=cards,
    detail_cards=19,
    tables=(
        TablePanel("blocking", "Blocking", "who waits for whom; the one that blocks most first", 12,
                   "SELECT pid, pg_blocking_pids(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'; "
                   "SELECT pid, mode, relation::regclass, now() − waitstart FROM pg_locks WHERE NOT granted, only "
                   "while a session waits.", sessions.BLOCKING),
        TablePanel("sessions", "Sessions", "blocking ones first, then the oldest transactions", 12,
                   "SELECT pid, usename, application_name, client_addr, state, wait_event_type, wait_event, "
                   f"xact_start, query_start, state_change, left(query, {spec.QUERY_CHARACTERS}) FROM "
                   "pg_stat_activity.", sessions.SESSIONS, is_filtered=True, is_lazy=True),
        TablePanel("statements", "Statements", f"most time first, of the last {WINDOW}", 12,
                   "SELECT queryid, calls, total_exec_time, stddev_exec_time, rows, shared_blks_hit, "
                   "shared_blks_read, temp_blks_read + temp_blks_written, wal_bytes FROM "
                   f"{spec.STATEMENTS_VIEW}(false), every {duration(spec.STATEMENTS_SECONDS)}; differences summed over "
                   f"{WINDOW}.", tables.STATEMENTS, is_filtered=True, is_lazy=True),
        TablePanel("databases", "Databases", "biggest first", 12,
                   "pg_stat_database, differences between readings; pg_database_size(oid), age(datfrozenxid) "
                   f"{EVERY_MINUTE}.", tables.databases),
        TablePanel("tables", "Tables", "the biggest of this database", 12,
                   "pg_stat_user_tables, pg_total_relation_size, pg_indexes_size, pg_statio_user_tables, "
                   f"{EVERY_MINUTE}; tables under an exclusive lock are left out. Bloat: pgstattuple_approx, when "
                   "asked for.", tables.TABLES, is_filtered=True, is_lazy=True),
        TablePanel("indexes", "Indexes", "those with a problem first", 8,
                   f"pg_stat_user_indexes JOIN pg_index, pg_relation_size, pg_get_indexdef, {EVERY_MINUTE}. Duplicate: "
                   "same table, method, columns, classes, order, expressions and predicate.", tables.INDEXES,
                   is_filtered=True, is_lazy=True),
        TablePanel("about", "Servers", "", 4,
                   "pg_is_in_recovery(), pg_postmaster_start_time(), pg_settings, pg_ls_waldir(), pg_prepared_xacts, "
                   "pg_extension.", tables.about, is_lazy=True),
        TablePanel("progress", "Progress", "", 6,
                   "pg_stat_progress_vacuum, _analyze, _create_index, _cluster, _copy, _basebackup.",
                   sessions.PROGRESS, is_lazy=True),
        TablePanel("connections", "Connections", "by user, application, client and database", 6,
                   f"{spec.CONNECTIONS_QUERY}.", sessions.CONNECTIONS, is_filtered=True, is_lazy=True),
        TablePanel("replicas", "Standbys", "", 6, "pg_stat_replication.", tables.REPLICAS, is_lazy=True),
        TablePanel("slots", "Replication slots", "", 6,
                   "pg_replication_slots; retained: pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn).",
                   tables.SLOTS, is_lazy=True),
        TablePanel("sequences", "Sequences", "nearest to their end first", 6,
                   f"SELECT last_value, min_value, max_value, increment_by FROM pg_sequences, {EVERY_MINUTE}.",
                   tables.SEQUENCES, is_lazy=True),
        TablePanel("settings", "Settings", "that differ from their defaults", 6,
                   "SELECT name, current_setting(name), source, pending_restart FROM pg_settings WHERE source <> "
                   "'default'.", tables.SETTINGS, is_filtered=True, is_lazy=True),
    ),
    actions=tuple(spec.Actions),
    metrics=SPARKED,
)  # fmt: skip
