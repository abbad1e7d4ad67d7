"""The cards of ClickHouse."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from core.format import bytes_, count, duration, noun, number, percent, tenths
from core.kinds.clickhouse import spec, tables
from core.kinds.clickhouse.spec import Checks
from dashboard.sources.limits import limit_text
from dashboard.sources.shown import Shown
from dashboard.sources.strip import detail_card, source_card, strip
from status.instances import Instance
from storage.clickhouse.reads.sources import SourceSeries

SPARKED = (spec.QUERIES_RATE, spec.TABLES_BYTES)
"""Metrics of sparklines that no chart shows."""


def cards(shown: Shown) -> Sequence[Any]:
    """Return a card for each instance, those in trouble first; of a single one what it consists of as well."""
    return strip(shown.chosen, shown.series, _source, _details)


def _source(instance: Instance, series: SourceSeries) -> Any:
    return source_card(
        instance,
        tenths(instance.value(spec.QUERIES_RATE)),
        "queries/s",
        bar_ratio=instance.value(spec.MEMORY_USED_RATIO),
        spark=series.one(spec.QUERIES_RATE, instance=instance.name),
        definition="Queries per second since the reading before, ours included; the bar is memory against its limit. "
        "system.events, system.metrics.",
    )


def _details(instance: Instance, series: SourceSeries) -> list[Any]:
    spark = partial(series.one, instance=instance.name)
    value = instance.value
    about, stored = instance.first(tables.About), instance.rows(tables.StoredTable)
    return [
        detail_card(instance, Checks.QUERIES, "Running queries", number(value(spec.QUERIES_RUNNING)),
                    spark=spark(spec.QUERIES_RUNNING),
                    definition="Queries running at the moment of the reading; the bar is the longest. "
                    f"{limit_text(spec.LONG_QUERY, 'seconds')}, cleared at {duration(spec.LONG_QUERY_CLEARED)}. "
                    "system.processes."),
        detail_card(instance, Checks.FAILED, "Failed queries", tenths(value(spec.FAILED_QUERIES_RATE)), "/s",
                    spark=spark(spec.FAILED_QUERIES_RATE),
                    definition="FailedQuery per second. "
                    f"{limit_text(spec.FAILED_QUERIES, 'ratio')} of the queries of the last minute, if at "
                    f"least {spec.FAILED_LEAST} failed. system.events."),
        detail_card(instance, Checks.MEMORY, "Memory", percent(value(spec.MEMORY_USED_RATIO)),
                    why=f"{bytes_(value(spec.MEMORY_TRACKED))} of {bytes_(value(spec.MEMORY_LIMIT))}"
                    if value(spec.MEMORY_LIMIT) else "",
                    spark=spark(spec.MEMORY_USED_RATIO),
                    definition="MemoryTracking against max_server_memory_usage. "
                    f"{limit_text(spec.MEMORY, 'ratio')}."),
        detail_card(instance, Checks.PARTS, "Parts in a partition", number(value(spec.MOST_PARTS)),
                    spark=spark(spec.MOST_PARTS),
                    definition=f"The fullest partition. Warning from {number(spec.PARTS.warning)}, cleared at "
                    f"{number(spec.PARTS_CLEARED)}; critical where inserts are delayed "
                    f"({spec.DELAYED_PARTS_SETTING}). system.parts."),
        detail_card(instance, Checks.INSERTS, "Inserts", tenths(value(spec.INSERT_QUERIES_RATE)), "/s",
                    spark=spark(spec.INSERTED_ROWS_RATE),
                    definition="InsertQuery per second; the line is rows inserted. An insert delayed in the last "
                    "minute is a warning, a rejected one critical. system.events."),
        detail_card(instance, Checks.MERGES, "Merges", number(value(spec.MERGES_RUNNING)),
                    spark=spark(spec.MERGES_RUNNING),
                    definition="Running merges; the bar is the longest. "
                    f"{limit_text(spec.LONG_MERGE, 'seconds')}. system.merges."),
        detail_card(instance, Checks.MUTATIONS, "Mutations", number(_open_mutations(instance)),
                    definition=f"Mutations not done. {limit_text(spec.LONG_MUTATION, 'seconds')}, or when one fails. "
                    "system.mutations."),
        detail_card(instance, Checks.DISKS, "Disks", percent(_fullest(instance)), spark=spark(spec.DISK_USED_RATIO),
                    definition=f"The fullest disk. {limit_text(spec.DISK, 'ratio')} or when a disk is broken. "
                    "Of used and available space, as df has it; of a server, which tells no more than size and free "
                    "space, with what is kept for root. system.disks."),
        detail_card(instance, "", "Tables", bytes_(sum(row.bytes for row in stored)),
                    why=f"{count(len(stored), 'table')} · {count(value(spec.PARTS_ACTIVE), 'part')}",
                    spark=spark(spec.TABLES_BYTES),
                    definition="Bytes on disk of the tables listed below. system.parts, active ones."),
        detail_card(instance, Checks.REPLICATION, "Replication", duration(_delay(instance)),
                    spark=spark(spec.REPLICA_DELAY_MAX),
                    definition="Delay of the replica furthest behind. "
                    f"{limit_text(spec.REPLICA_DELAY, 'seconds')}, cleared at {duration(spec.REPLICA_DELAY_CLEARED)}; "
                    "critical when a replica is read-only. system.replicas."),
        detail_card(instance, Checks.ERRORS, "Errors", number(len(instance.rows(tables.ServerError))),
                    noun(len(instance.rows(tables.ServerError)), "kind"),
                    definition="Kinds of errors since the start. An increase is a warning for a minute, except for "
                    "errors of wrong queries, refused logins and cancelled queries. system.errors."),
        detail_card(instance, Checks.DETACHED, "Detached parts", number(_broken_parts(instance)),
                    definition="Detached parts with a reason (broken, unexpected …): any is a warning. "
                    "system.detached_parts."),
        detail_card(instance, Checks.POOLS, "Merge pool", percent(_merge_pool(instance)),
                    definition="Threads busy with merges and mutations. system.metrics."),
        detail_card(instance, Checks.VIEWS, "View refreshes", number(len(instance.rows(tables.ViewRefresh))),
                    definition="Refreshable materialised views; a failed refresh is a warning. system.view_refreshes."),
        detail_card(instance, Checks.DICTIONARIES, "Dictionaries", number(len(instance.rows(tables.Dictionary))),
                    definition="A dictionary with an exception is a warning. system.dictionaries."),
        detail_card(instance, Checks.PING, "Ping", duration(value(spec.PING_P99)), "p99",
                    why=f"median {duration(value(spec.PING_P50))} · up {duration(about.uptime_seconds)}"
                    if about else "", spark=spark(spec.PING_P99),
                    definition="Time to the answer to GET /ping (in our own engine SELECT 1), of the last 120 "
                    f"readings. {limit_text(spec.PING, 'seconds')}, median of the last {spec.PINGS_JUDGED}."),
    ]  # fmt: skip


def _open_mutations(instance: Instance) -> int:
    return sum(not row.is_done for row in instance.rows(tables.Mutation))


def _fullest(instance: Instance) -> float | None:
    shares = [row.used_ratio for row in instance.rows(tables.Disk)]
    return max((share for share in shares if share is not None), default=None)


def _delay(instance: Instance) -> float | None:
    return max((row.absolute_delay for row in instance.rows(tables.Replica)), default=None)


def _broken_parts(instance: Instance) -> int:
    return sum(row.parts for row in instance.rows(tables.DetachedParts) if row.reason)


def _merge_pool(instance: Instance) -> float | None:
    return next((row.used_ratio for row in instance.rows(tables.Pool) if row.pool == spec.MERGES_POOL), None)
