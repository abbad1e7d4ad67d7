"""The tables of a reading that are made of rows of once a minute, and of the server as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from collectors.kinds.postgresql.connection import Row
from collectors.kinds.postgresql.judge import PeriodicResults, dead_ratio, is_bloating
from core.format import coarse_duration, count
from core.model import Table

UNUSED_SECONDS = 30 * 86_400.0

ABOUT = (
    "product", "role", "database", "user", "started", "uptime_seconds", "is_encrypted", "max_connections",
    "shared_buffers", "max_wal_size", "wal_files", "wal_bytes", "archive_mode", "archived", "archive_failures",
    "last_archived", "locks_held", "locks_ratio", "prepared", "extensions", "pending_restart", "statements_evicted",
    "horizon", "track_io_timing", "may_see_all", "notes",
)  # fmt: skip


def rows_table(name: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return rows by column as a table."""
    return Table(name, tuple(columns), tuple(tuple(row.get(column) for column in columns) for row in rows))


def about(
    server: Mapping[str, Any],
    overview: Row,
    periodic: PeriodicResults,
    writing: Row,
    evicted: int | None,
    notes: Mapping[str, str],
) -> Table:
    """Return the facts of a server as a table of one row; `notes` say what could not be read, and why."""
    horizon = next(iter(periodic.horizon), None)
    row = {
        **server,
        "role": "standby" if overview["is_standby"] else "primary",
        "database": overview["database"],
        "user": overview["role"],
        "started": overview["started"],
        "uptime_seconds": overview["now"] - overview["started"],
        "wal_files": periodic.wal.get("files"),
        "wal_bytes": periodic.wal.get("bytes"),
        "archived": writing.get("archived"),
        "archive_failures": writing.get("archive_failures"),
        "last_archived": writing.get("last_archived"),
        "locks_held": periodic.locks.get("held"),
        "locks_ratio": periodic.locks_ratio,
        "prepared": periodic.prepared.get("count"),
        "extensions": ", ".join(f"{each['name']} {each['version']}" for each in periodic.extensions),
        "pending_restart": ", ".join(name for name, each in periodic.settings.items() if each["pending_restart"]),
        "statements_evicted": evicted,
        "horizon": f"{horizon['holder']}: {count(horizon['xid_age'], 'transaction')}" if horizon else None,
        "may_see_all": overview["may_see_all"],
        "notes": "; ".join(f"{name}: {reason}" for name, reason in sorted(notes.items())),
    }
    for name in ("max_connections", "shared_buffers", "max_wal_size", "archive_mode", "track_io_timing"):
        row[name] = periodic.settings.get(name, {}).get("value")
    return rows_table("about", ABOUT, [row])


def databases(
    periodic: PeriodicResults, counters: Sequence[Row], deltas: Mapping[str, Mapping[str, float]], seconds: float
) -> Table:
    """Return the databases with size, ages, traffic and what went wrong since their statistics began."""
    by_name = {row["database"]: row for row in counters}
    rows = []
    for row in periodic.databases:
        counted, own = by_name.get(row["database"], {}), deltas.get(row["database"], {})
        blocks = own.get("blks_hit", 0.0) + own.get("blks_read", 0.0)
        rows.append(
            {
                **row,
                "connections": counted.get("numbackends"),
                "commits_per_second": own["xact_commit"] / seconds if "xact_commit" in own and seconds else None,
                "rollbacks_per_second": own["xact_rollback"] / seconds if "xact_rollback" in own and seconds else None,
                "hit_ratio": own["blks_hit"] / blocks if blocks else None,
                "deadlocks": counted.get("deadlocks"),
                "conflicts": counted.get("conflicts"),
                "temp_files": counted.get("temp_files"),
                "temp_bytes": counted.get("temp_bytes"),
                "checksum_failures": counted.get("checksum_failures"),
                "killed": counted.get("sessions_killed"),
                "abandoned": counted.get("sessions_abandoned"),
            }
        )
    columns = (
        "database", "bytes", "connections", "commits_per_second", "rollbacks_per_second", "hit_ratio", "deadlocks",
        "conflicts", "temp_files", "temp_bytes", "checksum_failures", "xid_age", "multixact_age", "killed", "abandoned",
    )  # fmt: skip
    return rows_table("databases", columns, rows)


def relations(periodic: PeriodicResults, now: float) -> Table:
    """Return the biggest tables of the database: size, rows, dead ones, scans, vacuum."""
    rows = []
    for row in periodic.tables:
        scans = (row["scans"] or 0) + (row["index_scans"] or 0)
        updated = row["updated"] or 0
        rows.append(
            {
                **row,
                "table": f"{row['schema']}.{row['table']}",
                "target": str(row["relid"]),
                "dead_ratio": dead_ratio(row),
                "dead_limit": periodic.dead_limit(row),
                "is_bloating": is_bloating(row, periodic),
                "index_scan_ratio": (row["index_scans"] or 0) / scans if scans else None,
                "hot_ratio": row["hot_updated"] / updated if updated else None,
                "vacuumed_ago_seconds": _ago(row["vacuumed"], now),
                "autovacuumed_ago_seconds": _ago(row["autovacuumed"], now),
                "analyzed_ago_seconds": _ago(row["analyzed"], now),
            }
        )
    columns = (
        "table", "target", "bytes", "heap_bytes", "index_bytes", "live_rows", "dead_rows", "dead_ratio", "dead_limit",
        "is_bloating", "modified_rows", "scans", "scanned_rows", "index_scans", "index_scan_ratio", "inserted",
        "updated", "deleted", "hot_ratio", "hit_ratio", "vacuumed_ago_seconds", "autovacuumed_ago_seconds",
        "analyzed_ago_seconds", "xid_age",
    )  # fmt: skip
    return rows_table("tables", columns, rows)


def indexes(periodic: PeriodicResults, now: float) -> Table:
    """Return the indexes with what is wrong with them in a word."""
    rows = [
        {
            **row,
            "table": f"{row['schema']}.{row['table']}",
            "problem": _problem(row, now),
            "last_scan_ago_seconds": _ago(row["last_scan"], now),
        }
        for row in periodic.indexes
    ]
    rows.sort(key=lambda row: (not row["problem"], -(row["bytes"] or 0)))
    columns = (
        "index", "table", "problem", "bytes", "scans", "last_scan_ago_seconds", "read_rows", "is_unique", "definition",
    )  # fmt: skip
    return rows_table("indexes", columns, rows)


def _problem(row: Row, now: float) -> str:
    if not row["is_valid"]:
        return "being built" if row["is_being_built"] else "invalid"
    if row["first_of_same"] != row["index"]:
        return f"duplicate of {row['first_of_same']}"
    is_needed = row["is_unique"] or row["is_primary"] or row["backs_constraint"]
    if is_needed:
        return ""
    if not row["scans"]:
        return "never used"
    ago = _ago(row["last_scan"], now)
    return f"unused for {coarse_duration(ago)}" if ago is not None and ago > UNUSED_SECONDS else ""


def sequences(periodic: PeriodicResults) -> Table:
    """Return the sequences nearest to their end."""
    rows = [
        {**row, "sequence": f"{row['schema']}.{row['sequence']}", "used_ratio": _number(row["used_ratio"])}
        for row in periodic.sequences
    ]
    return rows_table("sequences", ("sequence", "type", "last_value", "max_value", "used_ratio", "is_cycle"), rows)


def settings(periodic: PeriodicResults) -> Table:
    """Return the settings that differ from their defaults, those that wait for a restart first."""
    rows = [row for row in periodic.settings.values() if row["pending_restart"] or row["source"] != "default"]
    return rows_table(
        "settings", ("name", "value", "set_by", "pending_restart"), [{**row, "set_by": row["source"]} for row in rows]
    )


def _ago(when: float | None, now: float) -> float | None:
    return max(now - when, 0.0) if when is not None else None


def _number(value: Any) -> float | None:
    return float(value) if value is not None else None
