"""The section of PostgreSQL in the Database tab."""

from __future__ import annotations

from dashboard.kinds.postgresql.cards import SPARKED, postgresql_cards
from dashboard.kinds.postgresql.cells import ID
from dashboard.kinds.postgresql.charts import CHARTS
from dashboard.kinds.postgresql.tables import TABLES
from dashboard.sources.section import OldPanel, old_section

ACTIONS = ("cancel", "terminate", "measure_bloat")


def _panel(name: str, title: str, subtitle: str, span: int, definition: str, *, is_filtered: bool = False) -> OldPanel:
    filters = f"{ID}-postgresql-{name}-rows" if is_filtered else ""
    return OldPanel(f"postgresql-{name}", title, subtitle, span, definition, filters)


PANELS = (
    _panel("blocking", "Who blocks whom", "who holds up most first", 12,
           "SELECT pid, pg_blocking_pids(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'; "
           "SELECT pid, mode, relation::regclass, now() − waitstart FROM pg_locks WHERE NOT granted, only while one "
           "waits."),
    _panel("sessions", "Sessions", "who holds up others, then the oldest transactions; 60 at most", 12,
           "SELECT pid, usename, application_name, client_addr, state, wait_event_type, wait_event, xact_start, "
           "query_start, "
           "state_change, left(query, 1000) FROM pg_stat_activity.", is_filtered=True),
    _panel("statements", "Statements", "most time first, of the last 5 minutes", 12,
           "SELECT queryid, calls, total_exec_time, stddev_exec_time, rows, shared_blks_hit, shared_blks_read, "
           "temp_blks_read + temp_blks_written, wal_bytes FROM pg_stat_statements(false), each 30 s; differences "
           "summed over "
           "5 min.", is_filtered=True),
    _panel("databases", "Databases", "biggest first", 12,
           "pg_stat_database, differences between readings; pg_database_size(oid), age(datfrozenxid) once a minute."),
    _panel("tables", "Tables", "the biggest of this database", 12,
           "pg_stat_user_tables, pg_total_relation_size, pg_indexes_size, pg_statio_user_tables, once a minute; "
           "tables under "
           "an exclusive lock are left out. Bloat: pgstattuple_approx, when asked for.", is_filtered=True),
    _panel("indexes", "Indexes", "those with a remark first", 8,
           "pg_stat_user_indexes JOIN pg_index, pg_relation_size, pg_get_indexdef, once a minute. Double: same "
           "table, method, "
           "columns, classes, order, expressions and predicate.", is_filtered=True),
    _panel("about", "Servers", "", 4, "pg_is_in_recovery(), pg_postmaster_start_time(), pg_settings, pg_ls_waldir(), "
           "pg_prepared_xacts, pg_extension."),
    _panel("progress", "Progress", "", 6, "pg_stat_progress_vacuum, _analyze, _create_index, _cluster, _copy, "
           "_basebackup."),
    _panel("parties", "Connections", "by who holds them", 6,
           "SELECT usename, application_name, client_addr, datname, state, count(*) FROM pg_stat_activity GROUP BY "
           "1, 2, 3, 4, 5.",
           is_filtered=True),
    _panel("replicas", "Standbys", "", 6, "pg_stat_replication."),
    _panel("slots", "Replication slots", "", 6, "pg_replication_slots; kept: pg_wal_lsn_diff(pg_current_wal_lsn(), "
           "restart_lsn)."),
    _panel("sequences", "Sequences", "nearest to their end first", 6,
           "SELECT last_value, min_value, max_value, increment_by FROM pg_sequences, once a minute."),
    _panel("settings", "Settings", "that differ from their defaults", 6,
           "SELECT name, current_setting(name), source, pending_restart FROM pg_settings WHERE source <> 'default'.",
           is_filtered=True),
)  # fmt: skip

IN_EVERY_REFRESH = {"postgresql-blocking", "postgresql-databases"}
"""What one looks for in trouble, and what needs the series for its growth; all others are fetched when in view."""

SECTION = old_section(
    kind="postgresql",
    charts=CHARTS,
    cards=postgresql_cards,
    tables=TABLES,
    panels=PANELS,
    actions=ACTIONS,
    metrics=SPARKED,
    lazy=frozenset(TABLES) - IN_EVERY_REFRESH,
)
