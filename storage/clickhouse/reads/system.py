"""What the system collector and the system tab ask ClickHouse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.machine import metrics
from core.machine.spec import ALL_CORES
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.reads.series import SeriesData, read_series
from storage.stores import Stores

CHART_POINTS = 180
"""A chart is some 300 px wide, and 180 steps fit every window evenly."""
HEAT_POINTS = 120
REBOOT_TOLERANCE_SECONDS = 120
"""The kernel works its boot time out from the wall clock, so that a corrected clock shifts it a little."""

CHARTED = (
    metrics.MEMORY_USED,
    metrics.MEMORY_AVAILABLE,
    metrics.MEMORY_FREE,
    metrics.MEMORY_TOTAL,
    metrics.MEMORY_USED_RATIO,
    metrics.CLOCK_OFFSET,
    metrics.DISK_USED_RATIO,
    metrics.DEVICE_READ_RATE,
    metrics.DEVICE_WRITTEN_RATE,
    metrics.DEVICE_BUSY_RATIO,
    metrics.RECEIVE_RATE,
    metrics.TRANSMIT_RATE,
    metrics.LINK_USED_RATIO,
    metrics.LOAD,
    metrics.PRESSURE_STALL_RATIO,
)


@dataclass(frozen=True, slots=True)
class MachineSeries:
    """The series of a machine's charts over one window."""

    modes: list[SeriesData]
    """CPU_MODE_RATIO of all cores, by mode."""
    cores: list[SeriesData]
    """CPU_BUSY_RATIO by core, ALL_CORES among them."""
    others: list[SeriesData]
    """Those of CHARTED."""

    def all(self, metric: str) -> list[SeriesData]:
        """Return the series of a metric of `others`."""
        return [data for data in self.others if data.metric == metric]

    def one(self, metric: str, **labels: str) -> SeriesData | None:
        """Return the first series of a metric that has these labels."""
        found = (d for d in self.all(metric) if all(d.label(name) == value for name, value in labels.items()))
        return next(found, None)

    @property
    def newest(self) -> float | None:
        """Return the time (epoch seconds) of the last point of any series."""
        return max((data.ts[-1] for data in (*self.modes, *self.cores, *self.others) if data.ts), default=None)


def read_machine(stores: Stores, host: str, start: float, end: float) -> MachineSeries:
    """Return what the charts of `host` show from `start` to `end` (epoch seconds). Raises StorageUnavailable."""

    def read(metrics: Sequence[str], points: int, labels: dict[str, str] | None = None) -> list[SeriesData]:
        return read_series(
            stores.clickhouse,
            host=host,
            metrics=metrics,
            start=start,
            end=end,
            points=points,
            labels=labels,
            retention=stores.settings.retention,
            now=stores.clock.now(),
        )

    return MachineSeries(
        modes=read((metrics.CPU_MODE_RATIO,), CHART_POINTS, {"core": ALL_CORES}),
        cores=read((metrics.CPU_BUSY_RATIO,), HEAT_POINTS),
        others=read(CHARTED, CHART_POINTS),
    )


def reboots(clickhouse: ClickHouse, host: str, start: float, end: float) -> list[float]:
    """Return when `host` booted between `start` and `end` (epoch seconds), oldest first; needs raw samples."""
    sql = """
        SELECT DISTINCT value FROM samples
        WHERE series IN (
            SELECT series FROM series WHERE host = {host:String} AND metric = {metric:String}
        ) AND ts >= toDateTime({start:UInt32}) AND ts < toDateTime({end:UInt32})
        ORDER BY value
    """
    parameters = {"host": host, "metric": metrics.BOOT_TIME, "start": int(start), "end": int(end) + 1}
    found: list[float] = []
    for (booted,) in clickhouse.rows(sql, parameters, kind="reboots"):
        if booted >= start and (not found or booted - found[-1] > REBOOT_TOLERANCE_SECONDS):
            found.append(float(booted))
    return found
