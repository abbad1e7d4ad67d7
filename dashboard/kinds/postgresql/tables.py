"""The tables of PostgreSQL: statements, databases, tables, indexes, replication, settings, what the servers are."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from dash import html

from core.format import ago, bytes_, duration, number, percent, tenths
from core.kinds.postgresql import spec
from core.kinds.postgresql.spec import Actions
from core.kinds.postgresql.tables import (
    About,
    Database,
    Index,
    IndexProblem,
    Note,
    Relation,
    Replica,
    Sequence,
    Setting,
    Slot,
    Statement,
    has_many_dead_rows,
)  # fmt: skip
from core.limits import Limit
from dashboard.kinds.postgresql.cells import query_text, some, wide_query_text, yes_no
from dashboard.kinds.postgresql.growth import growth_a_day, signed_bytes
from dashboard.sources.actions import action_button
from dashboard.sources.facts import Fact, Facts
from dashboard.sources.limits import threshold_text, tone_of
from dashboard.sources.shown import Shown
from dashboard.sources.table import NO_READING, Field, Rows, instance_table, rows_by_instance, words
from status.instances import Instance


def _slow(row: Statement) -> str:
    return tone_of(spec.SLOW_STATEMENT, row.mean_seconds) if row.calls >= spec.SLOW_LEAST_CALLS else ""


def _misses(row: Statement | Database) -> str:
    return tone_of(spec.HITS, row.hit_ratio)


def _no_statements(shown: Shown) -> str:
    notes = [
        f"{spec.STATEMENTS_VIEW} on {each.name}: {note.why}"
        for each, note in rows_by_instance(shown.chosen, Note)
        if note.what == spec.STATEMENTS_VIEW
    ]
    if notes:
        return "; ".join(notes)
    return f"Nothing yet: differences need two readings, {duration(spec.STATEMENTS_SECONDS)} apart."


STATEMENTS = Rows(
    Statement,
    (
        words("id", "Id", "As the lines of the chart are named"),
        Field("query", "Statement", wide_query_text, numeric=False),
        Field("share", "Share", percent, "Of the time of all statements"),
        Field("busy_ratio", "Busy", percent, "Execution time over the time passed"),
        Field("calls_per_second", "Calls/s", tenths),
        Field("mean_seconds", "Mean", duration,
              f"Marked from {duration(spec.SLOW_STATEMENT.warning)} with {spec.SLOW_LEAST_CALLS} calls or more", _slow),
        Field("stddev_seconds", "Std. dev.", duration),
        Field("longest_seconds", "Longest", duration, "Since the statistics were reset"),
        Field("calls", "Calls", number),
        Field("total_seconds", "Total", duration),
        Field("rows_per_call", "Rows/call", tenths),
        Field("hit_ratio", "Cache hits", percent, "Blocks found in the cache", _misses),
        Field("temp_blocks", "Temp. blocks", some, "Read and written in temporary files"),
        Field("wal_bytes", "WAL", bytes_),
        Field("io_seconds", "I/O", duration, "0 unless track_io_timing is on"),
        words("user", "User"),
        words("database", "Database"),
    ),
    nothing=_no_statements,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class GrowingDatabase(Database):
    """A database and how much it grows a day."""

    growth_bytes: float | None


def _has_failures(row: Database) -> str:
    return "critical" if row.checksum_failures else ""


DATABASES = (
    words("database", "Database"),
    Field("bytes", "Size", bytes_),
    Field("growth_bytes", "Growth/day", signed_bytes, "Over the window shown, of an hour or more", unit="bytes"),
    Field("connections", "Connections", number),
    Field("commits_per_second", "Commits/s", tenths),
    Field("rollbacks_per_second", "Rollbacks/s", tenths),
    Field("hit_ratio", "Cache hits", percent, "Since the reading before", _misses),
    Field("deadlocks", "Deadlocks", some, "Since the statistics were reset"),
    Field("conflicts", "Conflicts", some, "Queries cancelled for replay"),
    Field("temp_files", "Temp. files", some),
    Field("temp_bytes", "Temp.", bytes_),
    Field("checksum_failures", "Checksum failures", some, "Pages", _has_failures),
    Field("killed", "Killed", some, "Sessions ended by an administrator"),
    Field("abandoned", "Abandoned", some, "Sessions whose client vanished"),
    Field("xid_age", "Xid age", number),
)


def databases(shown: Shown, id: str, title: str) -> html.Div:
    """Return the databases with their growth over the window shown."""
    found = [
        (instance, GrowingDatabase(**asdict(row), growth_bytes=_growth(shown, instance, row)))
        for instance, row in rows_by_instance(shown.chosen, Database)
    ]
    return instance_table(shown, id, DATABASES, found, caption=title, nothing=NO_READING)


def _growth(shown: Shown, instance: Instance, row: Database) -> float | None:
    return growth_a_day(shown.series.one(spec.DATABASE_SIZE, instance=instance.name, database=row.database))


def _dead(row: Relation) -> str:
    if row.is_bloating:
        return "critical"
    return "warning" if has_many_dead_rows(row.dead_rows, row.dead_ratio) else ""


def _unvacuumed(row: Relation) -> str:
    return tone_of(spec.VACUUMED, row.vacuumed_ago_seconds) if _dead(row) else ""


def _measure(shown: Shown, instance: Instance, row: Relation) -> html.Button:
    question = (
        f"Measure the free and dead space of {row.table} on {instance.title}? pgstattuple_approx reads the pages that "
        f"vacuum has not marked as all visible, {duration(spec.BLOAT_SECONDS)} at most."
    )
    return action_button(shown, instance.collector, Actions.MEASURE_BLOAT, row.target, "Bloat", question)


def _marked(limit: Limit, unit: str) -> str:
    return "" if limit.warning is None else threshold_text(limit.warning, unit)


TABLES = Rows(
    Relation,
    (
        words("table", "Table"),
        Field("bytes", "Size", bytes_, "With indexes and TOAST"),
        Field("index_bytes", "Indexes", bytes_),
        Field("live_rows", "Rows", number, "Estimate (n_live_tup)"),
        Field("dead_rows", "Dead rows", number,
              f"Marked from {number(spec.DEAD_ROWS.warning)} and {_marked(spec.DEAD_RATIO, 'ratio')}", _dead),
        Field("dead_ratio", "Dead, %", percent,
              f"Critical: more than {spec.DEAD_TRIGGERS:g} times what starts autovacuum", _dead),
        Field("scans", "Seq. scans", number),
        Field("index_scan_ratio", "By index", percent, "Scans that used an index"),
        Field("hot_ratio", "HOT", percent, "Updates that left the indexes alone"),
        Field("hit_ratio", "Cache hits", percent),
        Field("vacuumed_ago_seconds", "Vacuumed", ago,
              "Last vacuum or autovacuum; with many dead rows marked after "
              f"{_marked(spec.VACUUMED, 'seconds')}", _unvacuumed),
        Field("analyzed_ago_seconds", "Analyzed", ago),
        Field("xid_age", "Xid age", number),
        Field("target", "", button=_measure, numeric=False),
    ),
    nothing="This database has no table, or our role sees none.",
)  # fmt: skip


def _problem(row: Index) -> str:
    return "critical" if row.problem == IndexProblem.INVALID else "muted" if row.problem else ""


INDEXES = Rows(
    Index,
    (
        words("index", "Index"),
        words("table", "Table"),
        words("remark", "Problem", "Invalid, duplicate, or not used since the statistics were reset (from 16 on: for "
              f"{_marked(spec.INDEX_UNUSED, 'seconds')})", _problem),
        Field("bytes", "Size", bytes_),
        Field("scans", "Scans", number, "Since the statistics were reset"),
        Field("last_scan_ago_seconds", "Last used", ago, "From 16 on"),
        Field("definition", "Definition", query_text, numeric=False),
    ),
    nothing="This database has no index, or our role sees none.",
)  # fmt: skip


def _state(row: Replica) -> str:
    return "" if row.state in spec.REPLICA_STATES else "warning"


def _lags(row: Replica) -> str:
    return tone_of(spec.LAG, row.replay_lag_seconds)


def _is_behind(row: Replica) -> str:
    return tone_of(spec.BEHIND, row.replay_behind_bytes)


REPLICAS = Rows(
    Replica,
    (
        words("name", "Standby"),
        words("client", "Client"),
        words("state", "State", tone=_state),
        words("sync_state", "Sync"),
        Field("write_lag_seconds", "Write lag", duration),
        Field("flush_lag_seconds", "Flush lag", duration),
        Field("replay_lag_seconds", "Replay lag", duration, "", _lags),
        Field("replay_behind_bytes", "Behind", bytes_, "", _is_behind),
        Field("heard_ago_seconds", "Last reply", duration),
    ),
    nothing="No standby is connected.",
)


def _unread(row: Slot) -> str:
    return "" if row.is_active else "warning"


def _loses(row: Slot) -> str:
    return "critical" if row.wal_status in (spec.WAL_UNRESERVED, spec.WAL_LOST) else ""


def _inactive(row: Slot) -> str:
    return tone_of(spec.SLOT_INACTIVE, row.inactive_seconds)


SLOTS = Rows(
    Slot,
    (
        words("slot", "Slot"),
        words("type", "Type"),
        Field("is_active", "Active", yes_no, "Whether it has a reader", _unread, numeric=False),
        words("wal_status", "WAL status", tone=_loses),
        Field("retained_bytes", "Retained", bytes_),
        Field("safe_bytes", "Safe", bytes_, "safe_wal_size: WAL that may be written before the slot is lost"),
        Field("inactive_seconds", "Inactive", duration, "From 17 on", _inactive),
        words("invalidation", "Invalidation"),
    ),
    nothing="There is no replication slot.",
)


def _nearly_full(row: Sequence) -> str:
    return tone_of(spec.SEQUENCES, row.used_ratio)


SEQUENCES = Rows(
    Sequence,
    (
        words("sequence", "Sequence"),
        words("type", "Type"),
        Field("last_value", "Last value", number),
        Field("max_value", "Max. value", number),
        Field("used_ratio", "Used", percent, "", _nearly_full),
    ),
    nothing="This database has no sequence.",
)


def _restart(row: Setting) -> str:
    return "pending restart" if row.pending_restart else ""


def _pending(row: Setting) -> str:
    return "warning" if row.pending_restart else ""


SETTINGS = Rows(
    Setting,
    (
        words("name", "Setting"),
        words("value", "Value"),
        words("set_by", "Source"),
        words("pending_restart", "", "Waits for a restart", _pending, _restart),
    ),
    nothing=NO_READING,
)


ABOUT = Facts(
    About,
    (
        Fact("product", "Product"),
        Fact("role", "Role"),
        Fact("uptime_seconds", "Uptime", duration),
        Fact("database", "Database"),
        Fact("user", "Our role"),
        Fact("is_encrypted", "TLS", yes_no),
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
        Fact("pending_restart", "Pending restart"),
        Fact("statements_evicted", "Evicted statements", number),
    ),
    numeric=False,
)

NOTES = Rows(
    Note,
    (
        words("what", "Not read"),
        # As an element it is not cut: it says what to do.
        Field("why", "Reason", html.Span, numeric=False),
    ),
    nothing="All was read.",
)


def about(shown: Shown, id: str, title: str) -> html.Div:
    """Return what the servers are, a column each, and what could not be read of them."""
    return html.Div(
        [
            ABOUT.draw(shown, id, title),
            NOTES.draw(shown, f"{id}-notes", "Not read") if rows_by_instance(shown.chosen, Note) else None,
        ]
    )
