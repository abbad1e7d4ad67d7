"""The tables of PostgreSQL in the database tab: statements, databases, tables, indexes, replication, settings."""

from __future__ import annotations

from functools import partial
from typing import Any

from dash import html

from core.format import ago, bytes_, duration, number, percent, tenths
from core.kinds.registry import collector_title
from dashboard.kinds.postgresql.cards import grown, growth_a_day
from dashboard.kinds.postgresql.cells import ID, beyond, query_text, some, table_of
from dashboard.kinds.postgresql.sessions import blocking, parties, progress, sessions
from dashboard.sources.actions import action_button
from dashboard.sources.facts import Fact, about_table, told_by
from dashboard.sources.shown import Shown
from dashboard.sources.table import Field, source_rows, words
from status.instances import Row

SLOW_SECONDS, SLOW_CALLS = 0.02, 100
DEAD_ROWS, DEAD_RATIO = 10_000, 0.10
HIT_RATIO = 0.99
SEQUENCE_RATIO = 0.9
VACUUM_SECONDS = 7 * 86_400.0


def statements(shown: Shown) -> html.Div:
    """Return the statements by the time that they took in the last minutes; how to get them where there are none."""
    fields = (
        words("id", "Id", "As the lines of the chart are named"),
        Field("query", "Statement", query_text, numeric=False),
        Field("share", "Share", percent, "Of the time of all statements"),
        Field("busy_ratio", "Busy", percent, "Time in execution over the clock's"),
        Field("calls_per_second", "Calls/s", tenths),
        Field("mean_seconds", "Mean", duration, "20 ms and more with 100 calls or more is marked", _slow),
        Field("stddev_seconds", "Std. dev.", duration),
        Field("longest_seconds", "Longest", duration, "Since the statistics were reset"),
        Field("calls", "Calls", number),
        Field("total_seconds", "Total", duration),
        Field("rows_per_call", "Rows/call", tenths),
        Field("hit_ratio", "Cache", percent, "Blocks found in the cache", _missing),
        Field("temp_blocks", "Temp. blocks", some, "Read and written in temporary files"),
        Field("wal_bytes", "WAL", bytes_),
        Field("io_seconds", "I/O", duration, "0 unless track_io_timing is on"),
        words("user", "User"),
        words("database", "Database"),
    )
    return table_of(shown, "statements", fields, "Statements", _no_statements(shown))


def _no_statements(shown: Shown) -> str:
    notes = [f"{each.name}: {note}" for each in shown.chosen if (note := _note(each.about, "pg_stat_statements"))]
    if notes:
        return "pg_stat_statements " + "; ".join(notes)
    return "Nothing yet: differences need two looks, 30 s apart."


def databases(shown: Shown) -> html.Div:
    """Return the databases."""
    fields = (
        words("database", "Database"),
        Field("bytes", "Size", bytes_),
        Field("growth", "A day", _grown, "Growth over the window shown"),
        Field("connections", "Connections", number),
        Field("commits_per_second", "Commits/s", tenths),
        Field("rollbacks_per_second", "Rollbacks/s", tenths),
        Field("hit_ratio", "Cache", percent, "Since the reading before", _missing),
        Field("deadlocks", "Deadlocks", some, "Since the statistics were reset"),
        Field("conflicts", "Conflicts", some, "Queries cancelled for replay"),
        Field("temp_files", "Temp. files", some),
        Field("temp_bytes", "Temp.", bytes_),
        Field("checksum_failures", "Bad pages", some, "", lambda row: "critical" if row["checksum_failures"] else ""),
        Field("killed", "Killed", some, "Sessions ended by an administrator"),
        Field("abandoned", "Abandoned", some, "Sessions whose client vanished"),
        Field("xid_age", "Xid age", number),
    )
    rows = [
        {**row, "growth": _growth(shown, row, "postgresql_database_size_bytes", "database")}
        for row in source_rows(shown.chosen, "databases")
    ]
    return table_of(shown, "databases", fields, "Databases", "No reading yet.", rows)


def relations(shown: Shown) -> html.Div:
    """Return the biggest tables, each with the button that measures its bloat."""
    fields = (
        words("table", "Table"),
        Field("bytes", "Size", bytes_, "With indexes and TOAST"),
        Field("index_bytes", "Indexes", bytes_),
        Field("live_rows", "Rows", number, "Estimate (n_live_tup)"),
        Field("dead_rows", "Dead", number, "10 000 and more, at least 10 %, is marked", _dead),
        Field("dead_ratio", "Dead, %", percent, "Critical: twice what should have started autovacuum", _dead),
        Field("scans", "Seq. scans", number),
        Field("index_scan_ratio", "By index", percent, "Scans that used an index"),
        Field("hot_ratio", "HOT", percent, "Updates that left the indexes alone"),
        Field("hit_ratio", "Cache", percent),
        Field(
            "vacuumed_ago_seconds",
            "Vacuumed",
            ago,
            "Last vacuum or autovacuum; over 7 d ago with dead rows is marked",
            _unvacuumed,
        ),
        Field("analyzed_ago_seconds", "Analyzed", ago),
        Field("xid_age", "Xid age", number),
        Field("target", "", button=partial(_measure, shown), numeric=False),
    )
    return table_of(shown, "tables", fields, "Tables", "This database has no table, or our role sees none.")


def indexes(shown: Shown) -> html.Div:
    """Return the indexes, those with something wrong first."""
    fields = (
        words("index", "Index"),
        words("table", "Table"),
        words(
            "problem", "Remark", "Invalid, double, or not used since the statistics began (30 d from 16 on)", _remark
        ),
        Field("bytes", "Size", bytes_),
        Field("scans", "Scans", number, "Since the statistics were reset"),
        Field("last_scan_ago_seconds", "Last used", ago, "From 16 on"),
        Field("definition", "Definition", query_text, numeric=False),
    )
    return table_of(shown, "indexes", fields, "Indexes", "This database has no index, or our role sees none.")


def replicas(shown: Shown) -> html.Div:
    """Return the standbys that stream from here."""
    fields = (
        words("name", "Standby"),
        words("client", "Client"),
        words("state", "State", "", lambda row: "" if row["state"] == "streaming" else "warning"),
        words("sync_state", "Sync"),
        Field("write_lag_seconds", "Write", duration),
        Field("flush_lag_seconds", "Flush", duration),
        Field("replay_lag_seconds", "Replay", duration, "", beyond("replay_lag_seconds", 60.0)),
        Field("replay_behind_bytes", "Behind", bytes_, "", beyond("replay_behind_bytes", 2.0**30, 2.0**30)),
        Field("heard_ago_seconds", "Last heard", duration),
    )
    return table_of(shown, "replicas", fields, "Standbys", "No standby is connected.")


def slots(shown: Shown) -> html.Div:
    """Return the replication slots."""
    fields = (
        words("slot", "Slot"),
        words("type", "Type"),
        Field("is_active", "Reader", lambda active: "yes" if active else "none", "", _unread, numeric=False),
        words("wal_status", "WAL", "", lambda row: "critical" if row["wal_status"] in ("unreserved", "lost") else ""),
        Field("retained_bytes", "Keeps", bytes_),
        Field("safe_bytes", "Until lost", bytes_, "safe_wal_size"),
        Field("inactive_seconds", "Without reader", duration, "From 17 on", beyond("inactive_seconds", 60.0, 1_800.0)),
        words("invalidation", "Invalid because"),
    )
    return table_of(shown, "slots", fields, "Replication slots", "There is no replication slot.")


def sequences(shown: Shown) -> html.Div:
    """Return the sequences nearest to their end."""
    fields = (
        words("sequence", "Sequence"),
        words("type", "Type"),
        Field("last_value", "At", number),
        Field("max_value", "End", number),
        Field("used_ratio", "Used", percent, "", beyond("used_ratio", SEQUENCE_RATIO, 0.98)),
    )
    return table_of(shown, "sequences", fields, "Sequences", "This database has no sequence.")


def settings(shown: Shown) -> html.Div:
    """Return the settings that differ from their defaults."""
    fields = (
        words("name", "Setting"),
        words("value", "Value"),
        words("set_by", "From"),
        Field("pending_restart", "", lambda waits: "waits for a restart" if waits else "", "", _pending, numeric=False),
    )
    return table_of(shown, "settings", fields, "Settings", "No reading yet.")


FACTS = (
    Fact("product", "Product"),
    Fact("role", "Role"),
    Fact("uptime_seconds", "Up", duration),
    Fact("database", "Database looked at"),
    Fact("user", "As"),
    Fact("is_encrypted", "TLS", lambda on: "yes" if on else "no"),
    Fact("max_connections", "max_connections"),
    Fact("shared_buffers", "shared_buffers"),
    Fact("track_io_timing", "track_io_timing"),
    Fact("wal_files", "WAL files", number),
    Fact("wal_bytes", "WAL kept", bytes_),
    Fact("archived", "Archived files", number),
    Fact("archive_failures", "Archive failures", number),
    Fact("prepared", "Prepared transactions", number),
    Fact("horizon", "Holds vacuum back most"),
    Fact("extensions", "Extensions"),
    Fact("pending_restart", "Wait for a restart"),
    Fact("statements_evicted", "Statements thrown out for room", number),
    Fact("notes", "Could not be read"),
)


def about(shown: Shown) -> html.Div:
    """Return what the servers are, a column each."""
    told = told_by(shown.chosen)
    table = about_table(f"{ID}-postgresql-about-rows", FACTS, told, numeric=False)
    unseen = [each.name for each, facts in told if not facts.get("may_see_all")]
    if not unseen:
        return html.Div(table)
    hidden = f"Much is hidden on {', '.join(unseen)}: GRANT pg_monitor TO our role."
    return html.Div([html.P(hidden, className="fw-nothing"), table])


def _measure(shown: Shown, row: Row) -> Any:
    question = (
        f"Measure the free and dead space of {row['table']} on {collector_title(row['source'])}? pgstattuple_approx "
        f"reads "
        "the pages that vacuum has not marked as full, at most 10 seconds."
    )
    return action_button(shown, row["source"], "measure_bloat", row["target"], "Bloat", question)


def _growth(shown: Shown, row: Row, metric: str, label: str) -> float | None:
    instance = row["source"].partition(":")[2]
    return growth_a_day(shown.series.one(metric, instance=instance, **{label: row[label]}))


def _grown(amount: float) -> str:
    return grown(amount).removesuffix(" a day")


def _note(about: Row, name: str) -> str:
    notes = dict(part.partition(": ")[::2] for part in str(about.get("notes") or "").split("; "))
    return notes.get(name, "")


def _slow(row: Row) -> str:
    return "warning" if row["mean_seconds"] >= SLOW_SECONDS and row["calls"] >= SLOW_CALLS else ""


def _missing(row: Row) -> str:
    return "warning" if row["hit_ratio"] is not None and row["hit_ratio"] < HIT_RATIO else ""


def _dead(row: Row) -> str:
    if row["is_bloating"]:
        return "critical"
    return "warning" if (row["dead_rows"] or 0) > DEAD_ROWS and (row["dead_ratio"] or 0) >= DEAD_RATIO else ""


def _unvacuumed(row: Row) -> str:
    return "warning" if (row["vacuumed_ago_seconds"] or 0) > VACUUM_SECONDS and _dead(row) else ""


def _remark(row: Row) -> str:
    return "critical" if row["problem"] == "invalid" else "muted" if row["problem"] else ""


def _unread(row: Row) -> str:
    return "" if row["is_active"] else "warning"


def _pending(row: Row) -> str:
    return "warning" if row["pending_restart"] else ""


TABLES = {
    "postgresql-blocking": blocking,
    "postgresql-sessions": sessions,
    "postgresql-statements": statements,
    "postgresql-databases": databases,
    "postgresql-tables": relations,
    "postgresql-indexes": indexes,
    "postgresql-replicas": replicas,
    "postgresql-slots": slots,
    "postgresql-progress": progress,
    "postgresql-sequences": sequences,
    "postgresql-parties": parties,
    "postgresql-settings": settings,
    "postgresql-about": about,
}
