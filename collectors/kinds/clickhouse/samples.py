"""From what a ClickHouse counts and gauges to samples: counters as rates, shares of limits, means."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from collectors.base import gauges
from collectors.kinds.clickhouse.answers import Answers
from core.kinds.clickhouse import spec
from core.kinds.clickhouse.questions import AsynchronousMetric, Number, ServerSetting
from core.kinds.clickhouse.tables import Disk, Pool, Replica, RunningQuery, StoredTable
from core.metrics import Metric
from core.model import Sample
from core.rates import CounterDeltas, Rates

USUAL_MEMORY_SHARE = 0.9
"""max_server_memory_usage_to_ram_ratio, where the server is too old to tell its limit."""
TABLES_CHARTED = 8
OURSELVES = 1.0
"""The query that counts the running ones is one of them."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """What a server counts and gauges at one moment, by the server's names."""

    events: Mapping[str, float] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    asynchronous: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, answers: Answers) -> Numbers:
        """Return the numbers of a reading; an event that never happened is 0."""
        rows = answers.of(Number)
        events = dict.fromkeys(spec.COUNTERS, 0.0) if rows else {}
        events |= {row.name: row.value for row in rows if row.kind == "event"}
        metrics = {row.name: row.value for row in rows if row.kind == "metric"}
        known = {row.name: row.value for row in answers.of(AsynchronousMetric) if row.value is not None}
        return cls(events, metrics, known)

    def memory_limit(self, settings: Sequence[ServerSetting]) -> float | None:
        """Return the memory in bytes that the server may use, None when it is not known."""
        own = next((row.value for row in settings if row.name == "max_server_memory_usage"), "0")
        if own.isdigit() and int(own):
            return float(own)
        machine = [self.asynchronous[name] for name in spec.MEMORY_OF_MACHINE if self.asynchronous.get(name)]
        return min(machine) * USUAL_MEMORY_SHARE if machine else None

    @property
    def gauges(self) -> dict[str, float]:
        """The gauges that the server has, by their metric."""
        found: dict[str, float] = {}
        for metrics, values in ((spec.GAUGES, self.metrics), (spec.LOADS, self.asynchronous)):
            found |= {gauge: values[name] for name, gauge in metrics.items() if name in values}
        if spec.QUERIES_RUNNING in found:
            found[spec.QUERIES_RUNNING] = max(found[spec.QUERIES_RUNNING] - OURSELVES, 0.0)
        return found

    @property
    def pools(self) -> list[Pool]:
        """The background pools that the server has."""
        found = []
        for name, pool in spec.POOLS.items():
            busy, size = self.metrics.get(f"{pool}Task"), self.metrics.get(f"{pool}Size")
            if busy is not None and size:
                found.append(Pool(name, busy, size))
        return found

    def most_parts(self, tables: Sequence[StoredTable]) -> float | None:
        """Return the active parts in the fullest partition, as the server says or of those listed."""
        listed = [float(row.most_parts) for row in tables]
        return self.asynchronous.get(spec.MOST_PARTS_OF_ALL, max(listed, default=None))


def counter_deltas(numbers: Numbers, rates: Rates, run: Hashable, monotonic: float) -> CounterDeltas:
    """Return how far the counters moved, by the metric that is made of each."""
    values: dict[str, float | None] = {metric: numbers.events.get(event) for event, metric in spec.COUNTERS.items()}
    return rates.deltas(run, values, monotonic)


def samples(
    answers: Answers, numbers: Numbers, deltas: CounterDeltas, limit_bytes: float | None
) -> dict[str, float | None]:
    """Return the metrics that have no label but the instance."""
    tables, running = answers.of(StoredTable), answers.of(RunningQuery)
    caches = [value for name, value in numbers.metrics.items() if name.endswith("CacheBytes")]
    measured = numbers.gauges
    tracked = measured.get(spec.MEMORY_TRACKED)
    return {
        **{rate: deltas.rate(rate) for rate in spec.RATES.values()},
        **{cores: _seconds(deltas.rate(cores)) for cores in spec.CORES.values()},
        **{mean: _mean(deltas, mean, counted) for mean, counted in spec.MEANS.values()},
        **measured,
        spec.CACHE_BYTES: sum(caches) if caches else None,
        spec.MEMORY_LIMIT: limit_bytes,
        spec.MEMORY_USED_RATIO: tracked / limit_bytes if tracked is not None and limit_bytes else None,
        spec.LONGEST_QUERY: max((row.elapsed for row in running), default=0.0),
        spec.MOST_PARTS: numbers.most_parts(tables),
        spec.TABLES_BYTES: sum(row.bytes for row in tables) if answers.has(StoredTable) else None,
        spec.REPLICA_DELAY_MAX: max((row.absolute_delay for row in answers.of(Replica)), default=None),
    }


def labelled(answers: Answers, numbers: Numbers, instance: str) -> list[Sample]:
    """Return the samples of pools, of disks whose size means something, and of the largest tables."""
    found: list[Sample] = []
    for pool in numbers.pools:
        found += gauges({spec.POOL_USED_RATIO: pool.used_ratio}, instance=instance, pool=pool.pool)
    for disk in answers.of(Disk):
        if disk.used_ratio is not None:
            values = {spec.DISK_USED_RATIO: disk.used_ratio, spec.DISK_FREE: disk.free_space}
            found += gauges(values, instance=instance, disk=disk.name)
    for table in answers.of(StoredTable)[:TABLES_CHARTED]:
        sizes = {spec.TABLE_BYTES: table.bytes, spec.TABLE_ROWS: table.rows}
        found += gauges(sizes, instance=instance, table=table.place)
    return found


def _seconds(microseconds: float | None) -> float | None:
    return None if microseconds is None else microseconds / 1e6


def _mean(deltas: CounterDeltas, mean: Metric, counted: Metric) -> float | None:
    ended = deltas.change(counted)
    return deltas.change(mean) / 1e6 / ended if ended else None
