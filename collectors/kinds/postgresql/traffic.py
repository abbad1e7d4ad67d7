"""Counters of databases, WAL, checkpoints and archiver as steps between two readings, and the samples of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from collectors.base import gauges
from collectors.kinds.postgresql.results import PresentResults
from core.kinds.postgresql import spec
from core.model import Sample
from core.rates import CounterDeltas, Rates, Step

DATABASES_CHARTED = 20
COUNTERS = (*spec.COUNTERS, "blks_hit", "blks_read", "checksum_failures")
"""Counters of each database."""
WRITING = (
    "timed", "requested", "checkpoint_write_ms", "checkpoint_buffers", "archived", "wal_images", "wal_sync_ms",
)  # fmt: skip
"""Counters of the server."""


@dataclass(frozen=True, slots=True)
class TrafficDeltas:
    """How far each counter moved since the reading before."""

    total: CounterDeltas
    """Those of the server, and those of databases summed."""
    by_database: Mapping[str, CounterDeltas]

    def of(self, database: str) -> CounterDeltas:
        """Return those of a database."""
        return self.by_database.get(database, CounterDeltas())


@dataclass(slots=True)
class Traffic:
    """Remembers the counters of one server."""

    _rates: Rates = field(default_factory=Rates)

    def read(self, present: PresentResults, monotonic: float) -> TrafficDeltas:
        """Return how far everything moved. Another start of the server gives no steps."""
        run, writing = present.overview["started"], present.writing
        by_database = {
            str(row["database"]): self._rates.deltas(
                (run, row["run"], row["database"]), {name: row[name] for name in COUNTERS}, monotonic
            )
            for row in present.databases
        }
        counters = {name: writing.get(name) for name in WRITING}
        of_server = self._rates.deltas((run, writing.get("checkpoint_run")), counters, monotonic)
        wal = self._rates.deltas((run, "wal"), {"wal_bytes": present.overview["written_bytes"]}, monotonic)
        total = CounterDeltas({**_summed(by_database.values()), **of_server.steps, **wal.steps})
        return TrafficDeltas(total, by_database)


def samples(deltas: TrafficDeltas, block_bytes: float, instance: str) -> list[Sample]:
    """Return rates and ratios of the whole server, and of its busiest databases."""
    total = deltas.total
    found = gauges(
        {
            **{metric: total.rate(counter) for counter, metric in spec.COUNTERS.items()},
            spec.HIT_RATIO: hit_ratio(total),
            spec.ROLLBACK_RATIO: _share(total, "xact_rollback", "xact_commit"),
            spec.BLOCK_READ_RATE: _times(total.rate("blks_read"), block_bytes),
            spec.WAL_RATE: total.rate("wal_bytes"),
            spec.WAL_IMAGES_RATE: total.rate("wal_images"),
            spec.WAL_SYNC_RATIO: _times(total.rate("wal_sync_ms"), 1e-3),
            spec.CHECKPOINTS_TIMED_RATE: total.rate("timed"),
            spec.CHECKPOINTS_REQUESTED_RATE: total.rate("requested"),
            spec.CHECKPOINT_WRITE_RATE: _times(total.rate("checkpoint_buffers"), block_bytes),
            spec.CHECKPOINT_BUSY_RATIO: _times(total.rate("checkpoint_write_ms"), 1e-3),
            spec.ARCHIVED_RATE: total.rate("archived"),
        },
        instance=instance,
    )
    busiest = sorted(deltas.by_database, key=lambda name: -deltas.of(name).change("xact_commit"))
    for name in busiest[:DATABASES_CHARTED]:
        own = deltas.of(name)
        if own.rate("xact_commit") is not None:
            values = {spec.DATABASE_COMMITS_RATE: own.rate("xact_commit"), spec.DATABASE_HIT_RATIO: hit_ratio(own)}
            found += gauges(values, instance=instance, database=name)
    return found


def hit_ratio(deltas: CounterDeltas) -> float | None:
    """Return the share of blocks found in the cache; None when none was asked for."""
    return _share(deltas, "blks_hit", "blks_read")


def _summed(each: Iterable[CounterDeltas]) -> dict[str, Step]:
    found: defaultdict[str, list[Step]] = defaultdict(list)
    for deltas in each:
        for name, step in deltas.steps.items():
            found[name].append(step)
    return {name: Step(sum(step.change for step in steps), steps[-1].seconds) for name, steps in found.items()}


def _share(deltas: CounterDeltas, part: str, rest: str) -> float | None:
    if deltas.rate(part) is None or deltas.rate(rest) is None:
        return None
    total = deltas.change(part) + deltas.change(rest)
    return deltas.change(part) / total if total > 0 else None


def _times(rate: float | None, by: float) -> float | None:
    return rate * by if rate is not None else None
