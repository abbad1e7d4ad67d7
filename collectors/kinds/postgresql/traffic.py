"""Counters of databases, WAL, checkpoints and archiver as steps between two readings, and the samples of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from collectors.base import gauges
from collectors.kinds.postgresql.connection import Row
from core.model import Sample
from core.rates import Rates

DATABASES_CHARTED = 20

RATES = {
    "xact_commit": "commits",
    "xact_rollback": "rollbacks",
    "tup_returned": "rows_returned",
    "tup_fetched": "rows_fetched",
    "tup_inserted": "rows_inserted",
    "tup_updated": "rows_updated",
    "tup_deleted": "rows_deleted",
    "temp_files": "temp_files",
    "temp_bytes": "temp_bytes",
    "deadlocks": "deadlocks",
    "conflicts": "conflicts",
}
"""Counter of pg_stat_database by the name of its rate: postgresql_<name>_per_second."""
OTHERS = ("blks_hit", "blks_read", "checksum_failures")
WRITING = (
    "timed", "requested", "checkpoint_write_ms", "checkpoint_sync_ms", "checkpoint_buffers", "cleaned_buffers",
    "cleaner_stopped", "backend_buffers", "archived", "archive_failures", "wal_records", "wal_images", "wal_full",
    "wal_writes", "wal_syncs", "wal_write_ms", "wal_sync_ms",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TrafficDeltas:
    """How far each counter moved since the reading before; a counter without a step is missing."""

    changes: Mapping[str, float]
    by_database: Mapping[str, Mapping[str, float]]
    seconds: float

    def change(self, name: str) -> float:
        """Return a counter's change summed over the databases, 0 without a step."""
        return self.changes.get(name, 0.0)

    def rate(self, name: str) -> float | None:
        """Return a counter's change a second, None without a step."""
        return self.changes[name] / self.seconds if name in self.changes and self.seconds > 0 else None


@dataclass(slots=True)
class Traffic:
    """Remembers the counters of one server."""

    _rates: Rates = field(default_factory=Rates)

    def read(
        self, databases: Sequence[Row], writing: Row, written_bytes: float | None, run: float, monotonic: float
    ) -> TrafficDeltas:
        """Return how far everything moved. `run` is the start of the server: another one gives no steps."""
        changes: dict[str, float] = {}
        by_database: dict[str, dict[str, float]] = {}
        seconds = 0.0
        for row in databases:
            own = by_database.setdefault(str(row["database"]), {})
            for name in (*RATES, *OTHERS):
                step = self._step((run, row["run"], row["database"], name), row[name], monotonic)
                if step is not None:
                    own[name], seconds = step
                    changes[name] = changes.get(name, 0.0) + own[name]
        for name in WRITING:
            step = self._step((run, writing.get("checkpoint_run"), name), writing.get(name), monotonic)
            if step is not None:
                changes[name], seconds = step
        step = self._step((run, "wal"), written_bytes, monotonic)
        if step is not None:
            changes["wal_bytes"], seconds = step
        return TrafficDeltas(changes, by_database, seconds)

    def _step(self, key: tuple[object, ...], value: float | None, monotonic: float) -> tuple[float, float] | None:
        step = self._rates.step(key, float(value), monotonic) if value is not None else None
        return (step.change, step.seconds) if step is not None else None


def samples(deltas: TrafficDeltas, block_bytes: float, instance: str) -> list[Sample]:
    """Return rates and ratios of the whole server, and of its busiest databases."""
    values = {f"postgresql_{name}_per_second": deltas.rate(counter) for counter, name in RATES.items()}
    read = deltas.rate("blks_read")
    values |= {
        "postgresql_cache_hit_ratio": _share(deltas.changes, "blks_hit", "blks_read"),
        "postgresql_rollback_ratio": _share(deltas.changes, "xact_rollback", "xact_commit"),
        "postgresql_block_read_bytes_per_second": read * block_bytes if read is not None else None,
        "postgresql_wal_bytes_per_second": deltas.rate("wal_bytes"),
        "postgresql_wal_images_per_second": deltas.rate("wal_images"),
        "postgresql_wal_sync_ratio": _busy(deltas, "wal_sync_ms"),
        "postgresql_checkpoints_timed_per_second": deltas.rate("timed"),
        "postgresql_checkpoints_requested_per_second": deltas.rate("requested"),
        "postgresql_checkpoint_write_bytes_per_second": _times(deltas.rate("checkpoint_buffers"), block_bytes),
        "postgresql_checkpoint_busy_ratio": _busy(deltas, "checkpoint_write_ms"),
        "postgresql_archived_per_second": deltas.rate("archived"),
    }
    found = gauges(values, instance=instance)
    busiest = sorted(deltas.by_database, key=lambda name: -deltas.by_database[name].get("xact_commit", 0.0))
    for name in busiest[:DATABASES_CHARTED]:
        own = deltas.by_database[name]
        if "xact_commit" in own and deltas.seconds > 0:
            each = {
                "postgresql_database_commits_per_second": own["xact_commit"] / deltas.seconds,
                "postgresql_database_cache_hit_ratio": _share(own, "blks_hit", "blks_read"),
            }
            found += gauges(each, instance=instance, database=name)
    return found


def _share(changes: Mapping[str, float], part: str, rest: str) -> float | None:
    if part not in changes or rest not in changes:
        return None
    total = changes[part] + changes[rest]
    return changes[part] / total if total > 0 else None


def _busy(deltas: TrafficDeltas, name: str) -> float | None:
    rate = deltas.rate(name)
    return rate / 1e3 if rate is not None else None


def _times(rate: float | None, by: float) -> float | None:
    return rate * by if rate is not None else None
