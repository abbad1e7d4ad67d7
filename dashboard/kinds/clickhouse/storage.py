"""The tables of what a ClickHouse stores: tables, columns, parts, disks, and the merges and mutations of them."""

from __future__ import annotations

from typing import Any

from core.format import bytes_, duration, number, percent
from core.kinds.clickhouse import spec
from core.kinds.clickhouse.spec import Actions, MutationTarget
from core.kinds.clickhouse.tables import DetachedParts, Disk, Merge, Mutation, StoredColumn, StoredTable
from dashboard.components.age import local_time
from dashboard.kinds.clickhouse.cells import TABLE, compression, nothing_of, times, warning_if, yes
from dashboard.sources.actions import action_button
from dashboard.sources.limits import tone_of
from dashboard.sources.shown import Shown
from dashboard.sources.table import Field, Rows, words
from status.instances import Instance

COMPRESSION = "Uncompressed over compressed bytes"


def _compression(row: StoredTable | StoredColumn) -> float | None:
    return compression(row.uncompressed_bytes, row.compressed_bytes)


def _many_parts(row: StoredTable) -> str:
    return tone_of(spec.PARTS, row.most_parts)


TABLES = Rows(
    StoredTable,
    (
        words("place", "Table"),
        words("engine", "Engine"),
        Field("rows", "Rows", number),
        Field("bytes", "On disk", bytes_),
        Field("uncompressed_bytes", "Uncompressed", bytes_),
        Field("ratio", "Compression", times, COMPRESSION, value=_compression),
        Field("parts", "Parts", number),
        Field("partitions", "Partitions", number),
        Field("most_parts", "Most parts", number, "Parts in the fullest partition", _many_parts),
        Field("last_write", "Last write", local_time, "The newest part, by insert or merge", numeric=False),
        words("ttl", "TTL"),
    ),
    nothing=nothing_of(StoredTable, "No table has data."),
    sort=lambda row: -row.bytes,
)


def _column(row: StoredColumn) -> str:
    return f"{row.place}.{row.name}"


COLUMNS = Rows(
    StoredColumn,
    (
        words("column", "Column", value=_column),
        words("type", "Type"),
        words("codec", "Codec", "Empty: the default"),
        Field("compressed_bytes", "Compressed", bytes_),
        Field("uncompressed_bytes", "Uncompressed", bytes_),
        Field("ratio", "Compression", times, COMPRESSION, value=_compression),
    ),
    nothing=nothing_of(StoredColumn, "Column sizes unavailable: compact parts do not have them."),
    sort=lambda row: -row.compressed_bytes,
)


def _runs_long(row: Merge) -> str:
    return tone_of(spec.LONG_MERGE, row.elapsed)


MERGES = Rows(
    Merge,
    (
        *TABLE,
        Field("elapsed", "Running", duration, "", _runs_long),
        Field("progress", "Done", percent),
        Field("num_parts", "Parts", number),
        Field("bytes", "Compressed", bytes_),
        Field("memory_usage", "Memory", bytes_),
        Field("is_mutation", "Mutation", yes, numeric=False),
    ),
    nothing=nothing_of(Merge, "No merge was running at the last reading."),
    sort=lambda row: -row.elapsed,
)


def _fails(row: Mutation) -> str:
    return warning_if(row.latest_fail_reason)


def _kill(shown: Shown, instance: Instance, row: Mutation) -> Any:
    if row.is_done:
        return ""
    target = MutationTarget(row.mutation_id, row.database, row.table)
    question = (
        f"End mutation {row.mutation_id} of {row.place} on {instance.title}? "
        "KILL MUTATION; parts that it has changed stay changed."
    )
    return action_button(shown, instance.collector, Actions.KILL_MUTATION, str(target), "Kill", question)


MUTATIONS = Rows(
    Mutation,
    (
        *TABLE,
        Field("kill", "", button=_kill, numeric=False),
        words("command", "Command"),
        Field("created", "Started", local_time, numeric=False),
        Field("is_done", "Done", yes, numeric=False),
        Field("parts_to_do", "Parts to do", number),
        words("latest_fail_reason", "Last failure", "", _fails),
        words("mutation_id", "Id"),
    ),
    nothing=nothing_of(Mutation, "No mutation in the last day."),
    sort=lambda row: (row.is_done, -row.created),
)


def _has_reason(row: DetachedParts) -> str:
    return warning_if(row.reason)


DETACHED = Rows(
    DetachedParts,
    (
        *TABLE,
        words("reason", "Reason", "Empty: detached by hand", _has_reason),
        Field("parts", "Parts", number),
        words("example", "Example"),
    ),
    nothing=nothing_of(DetachedParts, "No detached part."),
    sort=lambda row: (row.reason == "", -row.parts),
)


def _used(row: Disk) -> str:
    return tone_of(spec.DISK, row.used_ratio or 0.0)


def _broken(row: Disk) -> str:
    return "critical" if row.is_broken else ""


def _state(row: Disk) -> str:
    return "broken" if row.is_broken else "read-only" if row.is_read_only else "good"


DISKS = Rows(
    Disk,
    (
        words("name", "Disk", "", _broken),
        Field(
            "used_ratio",
            "Used",
            percent,
            "Of used and available space, as df has it; of a server, which tells no more "
            "than size and free space, with what is kept for root",
            _used,
        ),
        Field("free_space", "Free", bytes_),
        Field("unreserved_space", "Unreserved", bytes_, "Free and not reserved for a merge"),
        Field("total_space", "Size", bytes_),
        words("type", "Type"),
        words("path", "Path"),
        words("state", "State", value=_state),
    ),
    nothing=nothing_of(Disk, "No disk is reported."),
    sort=lambda row: (not row.is_broken, -(row.used_ratio or 0.0)),
)
