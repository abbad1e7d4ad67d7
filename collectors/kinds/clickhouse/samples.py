"""From what a ClickHouse counts and gauges to samples: counters as rates, shares of limits, means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from collectors.base import gauges
from collectors.kinds.clickhouse.connection import Row
from core.model import Sample
from core.rates import CounterDeltas
from storage.clickhouse.reads.clickhouse_health import EVENTS

RATES = {
    "queries": "Query",
    "select_queries": "SelectQuery",
    "insert_queries": "InsertQuery",
    "failed_queries": "FailedQuery",
    "selected_rows": "SelectedRows",
    "selected_bytes": "SelectedBytes",
    "inserted_rows": "InsertedRows",
    "inserted_bytes": "InsertedBytes",
    "merged_rows": "MergedRows",
    "merged_bytes": "MergedUncompressedBytes",
    "delayed_inserts": "DelayedInserts",
    "rejected_inserts": "RejectedInserts",
    "disk_read_bytes": "OSReadBytes",
    "disk_written_bytes": "OSWriteBytes",
    "file_read_bytes": "OSReadChars",
}
"""Event by the name of its rate: clickhouse_<name>_per_second."""
CORES = {"cpu": "OSCPUVirtualTimeMicroseconds", "cpu_wait": "OSCPUWaitMicroseconds", "io_wait": "OSIOWaitMicroseconds"}
"""Event that counts microseconds by the name of its rate: clickhouse_<name>_cores."""
MEANS = {
    "query": ("QueryTimeMicroseconds", "Query"),
    "select_query": ("SelectQueryTimeMicroseconds", "SelectQuery"),
    "insert_query": ("InsertQueryTimeMicroseconds", "InsertQuery"),
}
"""(time, count) by the name of the mean: clickhouse_<name>_mean_seconds."""
GAUGES = {
    "queries_running": "Query",
    "merges_running": "Merge",
    "mutations_running": "PartMutation",
    "memory_tracked_bytes": "MemoryTracking",
    "parts_active": "PartsActive",
    "parts_outdated": "PartsOutdated",
    "tcp_connections": "TCPConnection",
    "http_connections": "HTTPConnection",
    "threads": "GlobalThread",
    "threads_active": "GlobalThreadActive",
    "inserts_delayed": "DelayedInserts",
    "replicas_readonly": "ReadonlyReplica",
}
"""Metric by the name of its gauge: clickhouse_<name>."""
POOLS = {
    "merges": "BackgroundMergesAndMutationsPool",
    "fetches": "BackgroundFetchesPool",
    "common": "BackgroundCommonPool",
    "moves": "BackgroundMovePool",
    "schedule": "BackgroundSchedulePool",
}
ASYNCHRONOUS = {"load_1m": "LoadAverage1", "load_15m": "LoadAverage15"}
MEMORY_OF_MACHINE = ("CGroupMemoryTotal", "OSMemoryTotal")
USUAL_MEMORY_SHARE = 0.9
"""max_server_memory_usage_to_ram_ratio, where the server is too old to tell its limit."""
MOST_BYTES = 2.0**60
"""An object store says that it has more: no share of that means anything."""
TABLES_CHARTED = 8
OURSELVES = 1.0
"""The query that counts the running ones is one of them."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """What a server counts and gauges at one moment."""

    events: Mapping[str, float] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    asynchronous: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Sequence[Row], asynchronous: Sequence[Row] = ()) -> Numbers:
        """Return the rows of the questions "numbers" and "asynchronous"; an event that never happened is 0."""
        by_kind: dict[str, dict[str, float]] = {"event": dict.fromkeys(EVENTS, 0.0) if rows else {}, "metric": {}}
        for row in rows:
            by_kind[row["kind"]][row["name"]] = float(row["value"])
        known = {row["name"]: float(row["value"]) for row in asynchronous if row["value"] is not None}
        return cls(by_kind["event"], by_kind["metric"], known)

    def memory_limit(self, settings: Sequence[Row]) -> float | None:
        """Return the memory that the server may use, None when it is not known."""
        own = next((row["value"] for row in settings if row["name"] == "max_server_memory_usage"), "0")
        if own.isdigit() and int(own):
            return float(own)
        machine = [self.asynchronous[name] for name in MEMORY_OF_MACHINE if self.asynchronous.get(name)]
        return min(machine) * USUAL_MEMORY_SHARE if machine else None

    def pool(self, name: str) -> tuple[float, float] | None:
        """Return (busy, size) of a background pool of POOLS; None when the server has none of that name."""
        busy, most = self.metrics.get(f"{POOLS[name]}Task"), self.metrics.get(f"{POOLS[name]}Size")
        return (busy, most) if busy is not None and most else None


def samples(numbers: Numbers, deltas: CounterDeltas, limit_bytes: float | None, instance: str) -> list[Sample]:
    """Return the samples of rates, gauges, means and pools."""
    values: dict[str, float | None] = {f"{name}_per_second": deltas.rate(event) for name, event in RATES.items()}
    for name, event in CORES.items():
        rate = deltas.rate(event)
        values[f"{name}_cores"] = rate / 1e6 if rate is not None else None
    for name, (time, count) in MEANS.items():
        ended = deltas.change(count)
        values[f"{name}_mean_seconds"] = deltas.change(time) / 1e6 / ended if ended else None
    values |= {name: numbers.metrics.get(metric) for name, metric in GAUGES.items()}
    values |= {name: numbers.asynchronous.get(metric) for name, metric in ASYNCHRONOUS.items()}
    running = values["queries_running"]
    values["queries_running"] = max(running - OURSELVES, 0.0) if running is not None else None
    caches = [value for name, value in numbers.metrics.items() if name.endswith("CacheBytes")]
    values["cache_bytes"] = sum(caches) if caches else None
    tracked = numbers.metrics.get("MemoryTracking")
    values["memory_limit_bytes"] = limit_bytes
    values["memory_used_ratio"] = tracked / limit_bytes if tracked is not None and limit_bytes else None
    found = gauges({f"clickhouse_{name}": value for name, value in values.items()}, instance=instance)
    for name in POOLS:
        pool = numbers.pool(name)
        if pool is not None:
            found += gauges({"clickhouse_pool_used_ratio": pool[0] / pool[1]}, instance=instance, pool=name)
    return found


def disk_samples(disks: Sequence[Row], instance: str) -> list[Sample]:
    """Return the share used of every disk whose size means something."""
    found: list[Sample] = []
    for row in disks:
        share = used_ratio(row)
        if share is not None:
            values = {"clickhouse_disk_used_ratio": share, "clickhouse_disk_free_bytes": float(row["free_space"])}
            found += gauges(values, instance=instance, disk=str(row["name"]))
    return found


def used_ratio(disk: Row) -> float | None:
    """Return how much of a disk is used, None for an object store or a broken one."""
    total, free = disk.get("total_space"), disk.get("free_space")
    if not total or free is None or total >= MOST_BYTES:
        return None
    return 1 - float(free) / float(total)


def table_samples(tables: Sequence[Row], instance: str) -> list[Sample]:
    """Return bytes on disk of the largest tables, and of all that were listed."""
    found = gauges({"clickhouse_tables_bytes": float(sum(row["bytes"] for row in tables))}, instance=instance)
    for row in tables[:TABLES_CHARTED]:
        values = {"clickhouse_table_bytes": float(row["bytes"]), "clickhouse_table_rows": float(row["rows"])}
        found += gauges(values, instance=instance, table=f"{row['database']}.{row['table']}")
    return found
