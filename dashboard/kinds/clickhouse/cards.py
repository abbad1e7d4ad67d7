"""The cards of ClickHouse in the database tab."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.format import bytes_, count, duration, number, percent, tenths
from dashboard.sources.shown import Shown
from dashboard.sources.strip import detail_card, source_card, strip
from status.instances import Instance
from storage.clickhouse.reads.sources import SourceSeries

SPARKED = ("clickhouse_queries_per_second", "clickhouse_tables_bytes")
"""Metrics of sparklines that no chart shows."""


def clickhouse_cards(shown: Shown) -> Sequence[Any]:
    """Return a card for each instance, those in trouble first; of a single one what it consists of as well."""
    return strip(shown.chosen, shown.series, _source, _details)


def _source(instance: Instance, series: SourceSeries) -> Any:
    return source_card(
        instance,
        tenths(instance.value("clickhouse_queries_per_second")),
        "queries/s",
        bar_ratio=instance.value("clickhouse_memory_used_ratio"),
        spark=series.one("clickhouse_queries_per_second", instance=instance.name),
        definition="Queries a second since the reading before, ours included; the bar is memory against its limit. "
        "system.events, system.metrics.",
    )


def _details(instance: Instance, series: SourceSeries) -> list[Any]:
    def spark(metric: str) -> Any:
        return series.one(f"clickhouse_{metric}", instance=instance.name)

    def value(metric: str) -> float | None:
        return instance.value(f"clickhouse_{metric}")

    about, known = instance.about, bool(instance.check("queries"))
    tables = instance.dicts("tables")
    open_mutations = [row for row in instance.dicts("mutations") if not row["is_done"]]
    counted = {name: len(instance.dicts(name)) for name in ("dictionaries", "refreshes", "kafka")}
    return [
        detail_card(instance, "queries", "Running queries", number(value("queries_running")),
                    spark=spark("queries_running"),
                    definition="Queries that run at the moment of the reading. Warning when one has run for 10 min, "
                    "cleared at 5 min. system.processes."),
        detail_card(instance, "failed", "Failed queries", tenths(value("failed_queries_per_second")), "/s",
                    spark=spark("failed_queries_per_second"),
                    definition="FailedQuery a second. Warning when more than 10 % of the queries of the last minute, "
                    "and at least 10, failed. system.events."),
        detail_card(instance, "memory", "Memory", percent(value("memory_used_ratio")),
                    why=f"{bytes_(value('memory_tracked_bytes'))} of {bytes_(value('memory_limit_bytes'))}"
                    if value("memory_limit_bytes") else "",
                    spark=spark("memory_used_ratio"),
                    definition="MemoryTracking against max_server_memory_usage. Warning 80 %, critical 90 %."),
        detail_card(instance, "parts", "Parts in a partition", number(value("parts_per_partition_max")),
                    spark=spark("parts_per_partition_max"),
                    definition="The fullest partition. Warning above 300, cleared at 200; critical where inserts are "
                    "slowed (parts_to_delay_insert). system.parts."),
        detail_card(instance, "inserts", "Inserts", tenths(value("insert_queries_per_second")), "/s",
                    spark=spark("inserted_rows_per_second"),
                    definition="InsertQuery a second; the line is rows inserted. Slowed ones of the last minute are a "
                    "warning, refused ones critical. system.events."),
        detail_card(instance, "merges", "Merges", number(value("merges_running")), spark=spark("merges_running"),
                    definition="Merges under way; the bar is the longest against an hour. system.merges."),
        detail_card(instance, "mutations", "Mutations", number(len(open_mutations)) if known else "n/a",
                    definition="Mutations not done. Warning after 10 min or when one fails. system.mutations."),
        detail_card(instance, "disks", "Disks", percent(_fullest(instance)), spark=spark("disk_used_ratio"),
                    definition="The fullest disk. Warning 90 %, critical 98 % or broken. system.disks."),
        detail_card(instance, "", "Tables", bytes_(sum(row["bytes"] for row in tables)) if known else "n/a",
                    why=f"{count(len(tables), 'table')} · {count(value('parts_active'), 'part')}" if known else "",
                    spark=spark("tables_bytes"),
                    definition="Bytes on disk of the tables listed below. system.parts, active ones."),
        detail_card(instance, "replication", "Replication", _delay(instance),
                    spark=spark("replica_delay_max_seconds"),
                    definition="Delay of the replica furthest behind: warning from 300 s, cleared at 250 s; critical "
                    "when one is read-only. system.replicas."),
        detail_card(instance, "errors", "Errors", number(_errors(instance)) if known else "n/a", "kinds",
                    definition="Kinds of errors since the start. An increase is a warning for a minute, but for those "
                    "of wrong questions, refused logins and cancelled queries. system.errors."),
        detail_card(instance, "detached", "Parts set aside", number(_broken(instance)) if known else "n/a",
                    definition="Detached parts with a reason (broken, unexpected …): any is a warning. "
                    "system.detached_parts."),
        detail_card(instance, "pools", "Merge pool", _pool(instance),
                    definition="Threads busy with merges and mutations. system.metrics."),
        detail_card(instance, "views", "Views refreshed", number(counted["refreshes"]) if known else "n/a",
                    definition="Refreshable materialised views; a failed refresh is a warning. system.view_refreshes."),
        detail_card(instance, "dictionaries", "Dictionaries", number(counted["dictionaries"]) if known else "n/a",
                    definition="A dictionary with an exception is a warning. system.dictionaries."),
        detail_card(instance, "ping", "Ping", duration(value("ping_p99_seconds")), "p99",
                    why=f"median {duration(value('ping_p50_seconds'))} · up {duration(about.get('uptime_seconds'))}"
                    if value("ping_p50_seconds") is not None else "", spark=spark("ping_p99_seconds"),
                    definition="Time to the answer to GET /ping (in our own engine SELECT 1), of the last 120 "
                    "readings. Warning when the median of the last twelve is above 100 ms."),
    ]  # fmt: skip


def _fullest(instance: Instance) -> float | None:
    check = instance.check("disks")
    return check.share if check else None


def _delay(instance: Instance) -> str:
    delays = [row["absolute_delay"] for row in instance.dicts("replicas")]
    return duration(max(delays)) if delays and instance.check("replication") else "n/a"


def _errors(instance: Instance) -> int:
    return len(instance.dicts("errors"))


def _broken(instance: Instance) -> int:
    return sum(row["parts"] for row in instance.dicts("detached") if row["reason"])


def _pool(instance: Instance) -> str:
    pool = next((row for row in instance.dicts("pools") if row["pool"] == "merges"), None)
    return percent(pool["busy"] / pool["size"]) if pool and instance.check("pools") else "n/a"
