"""The rows of a reading's tables that are made of the answers of once a minute, and of the server as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from collectors.kinds.postgresql import rights
from collectors.kinds.postgresql.connection import Row, Server
from collectors.kinds.postgresql.results import PeriodicResults, PresentResults, dead_ratio
from collectors.kinds.postgresql.traffic import TrafficDeltas, hit_ratio
from core.format import coarse_duration, count
from core.kinds.postgresql import spec
from core.kinds.postgresql.tables import About, Database, Index, IndexProblem, Note, Relation, Setting
from core.kinds.postgresql.tables import Sequence as SequenceRow
from core.tables import R, columns_of


def rows_from(row: type[R], answer: Sequence[Mapping[str, Any]]) -> list[R]:
    """Return the rows that a server answered as those of a table, whose columns they have among theirs."""
    names = columns_of(row)
    return [row(**{name: each[name] for name in names}) for each in answer]


def about(server: Server, present: PresentResults, periodic: PeriodicResults, evicted: int | None) -> About:
    """Return what a server is."""
    overview, writing = present.overview, present.writing
    return About(
        product=server.product,
        role=present.role,
        database=overview["database"],
        user=overview["role"],
        started=overview["started"],
        uptime_seconds=overview["now"] - overview["started"],
        is_encrypted=server.is_encrypted,
        max_connections=periodic.setting("max_connections"),
        shared_buffers=periodic.setting("shared_buffers"),
        max_wal_size=periodic.setting("max_wal_size"),
        archive_mode=periodic.setting("archive_mode"),
        track_io_timing=periodic.setting("track_io_timing"),
        wal_files=periodic.wal.get("files"),
        wal_bytes=periodic.wal.get("bytes"),
        archived=writing.get("archived"),
        archive_failures=writing.get("archive_failures"),
        last_archived=writing.get("last_archived"),
        locks_ratio=periodic.locks_ratio,
        prepared=periodic.prepared.get("count"),
        extensions=", ".join(f"{each['name']} {each['version']}" for each in periodic.extensions),
        pending_restart=", ".join(name for name, each in periodic.settings.items() if each["pending_restart"]),
        statements_evicted=evicted,
        horizon="; ".join(part for part in (_horizon(periodic), rights.others_hidden(overview)) if part),
        may_see_all=overview["may_see_all"],
    )


def _horizon(periodic: PeriodicResults) -> str:
    found = next(iter(periodic.horizon), None)
    return f"{found['holder']}: {count(found['xid_age'], 'transaction')}" if found else ""


def notes(found: Mapping[str, str]) -> list[Note]:
    """Return what could not be read, and why."""
    return [Note(what, why) for what, why in sorted(found.items())]


def databases(present: PresentResults, periodic: PeriodicResults, deltas: TrafficDeltas) -> list[Database]:
    """Return the databases with size, ages, traffic and what went wrong since their statistics began."""
    counters = {str(row["database"]): row for row in present.databases}
    return [_database(row, counters.get(row["database"], {}), deltas) for row in periodic.databases]


def _database(row: Row, counters: Row, deltas: TrafficDeltas) -> Database:
    own = deltas.of(row["database"])
    return Database(
        database=row["database"],
        bytes=row["bytes"],
        connections=counters.get("numbackends"),
        commits_per_second=own.rate("xact_commit"),
        rollbacks_per_second=own.rate("xact_rollback"),
        hit_ratio=hit_ratio(own),
        deadlocks=counters.get("deadlocks"),
        conflicts=counters.get("conflicts"),
        temp_files=counters.get("temp_files"),
        temp_bytes=counters.get("temp_bytes"),
        checksum_failures=counters.get("checksum_failures"),
        xid_age=row["xid_age"],
        multixact_age=row["multixact_age"],
        killed=counters.get("sessions_killed"),
        abandoned=counters.get("sessions_abandoned"),
    )


def relations(periodic: PeriodicResults, now: float) -> list[Relation]:
    """Return the biggest tables of the database: size, rows, dead ones, scans, vacuum."""
    return [_relation(row, periodic, now) for row in periodic.tables]


def _relation(row: Row, periodic: PeriodicResults, now: float) -> Relation:
    scans = (row["scans"] or 0) + (row["index_scans"] or 0)
    return Relation(
        table=f"{row['schema']}.{row['table']}",
        target=str(row["relid"]),
        bytes=row["bytes"],
        heap_bytes=row["heap_bytes"],
        index_bytes=row["index_bytes"],
        live_rows=row["live_rows"],
        dead_rows=row["dead_rows"],
        dead_ratio=dead_ratio(row),
        is_bloating=periodic.is_bloating(row),
        scans=row["scans"],
        index_scan_ratio=(row["index_scans"] or 0) / scans if scans else None,
        inserted=row["inserted"],
        updated=row["updated"],
        deleted=row["deleted"],
        hot_ratio=row["hot_updated"] / row["updated"] if row["updated"] else None,
        hit_ratio=row["hit_ratio"],
        vacuumed_ago_seconds=_ago(row["vacuumed"], now),
        analyzed_ago_seconds=_ago(row["analyzed"], now),
        xid_age=row["xid_age"],
    )


def indexes(periodic: PeriodicResults, now: float) -> list[Index]:
    """Return the indexes, those with a problem first, then the biggest."""
    rows = [_index(row, now) for row in periodic.indexes]
    return sorted(rows, key=lambda row: (not row.problem, -(row.bytes or 0)))


def _index(row: Row, now: float) -> Index:
    ago = _ago(row["last_scan"], now)
    problem, remark = _problem(row, ago)
    return Index(
        index=row["index"],
        table=f"{row['schema']}.{row['table']}",
        problem=problem,
        remark=remark,
        bytes=row["bytes"],
        scans=row["scans"],
        last_scan_ago_seconds=ago,
        read_rows=row["read_rows"],
        definition=row["definition"],
    )


def _problem(row: Row, last_scan_ago: float | None) -> tuple[str, str]:
    """Return what is wrong with an index, and the same in words; nothing when nothing is."""
    if not row["is_valid"]:
        problem = IndexProblem.BEING_BUILT if row["is_being_built"] else IndexProblem.INVALID
        return problem, problem.value
    if row["first_of_same"] != row["index"]:
        return IndexProblem.DUPLICATE, f"duplicate of {row['first_of_same']}"
    if row["is_unique"] or row["is_primary"] or row["backs_constraint"]:
        return "", ""
    if not row["scans"]:
        return IndexProblem.UNUSED, "never used"
    if spec.INDEX_UNUSED.is_bad(last_scan_ago or 0.0):
        return IndexProblem.UNUSED, f"unused for {coarse_duration(last_scan_ago)}"
    return "", ""


def sequences(periodic: PeriodicResults) -> list[SequenceRow]:
    """Return the sequences nearest to their end."""
    return [
        SequenceRow(
            sequence=f"{row['schema']}.{row['sequence']}",
            type=row["type"],
            last_value=row["last_value"],
            max_value=row["max_value"],
            used_ratio=float(row["used_ratio"]) if row["used_ratio"] is not None else None,
            is_cycle=row["is_cycle"],
        )
        for row in periodic.sequences
    ]


def settings(periodic: PeriodicResults) -> list[Setting]:
    """Return the settings that differ from their defaults, those that wait for a restart first."""
    return [
        Setting(row["name"], row["value"], set_by=row["source"], pending_restart=row["pending_restart"])
        for row in periodic.settings.values()
        if row["pending_restart"] or row["source"] != "default"
    ]


def _ago(when: float | None, now: float) -> float | None:
    return max(now - when, 0.0) if when is not None else None
