"""What the system collector and the system tab ask ClickHouse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from storage.clickhouse.client import ClickHouse
from storage.clickhouse.reads.series import SeriesData, read_series
from storage.stores import Stores

CHART_POINTS = 180
"""A chart is some 300 px wide, and 180 steps fit every window evenly."""
HEAT_POINTS = 120
REBOOT_TOLERANCE_SECONDS = 120
"""The kernel works its boot time out from the wall clock, so that a corrected clock shifts it a little."""

OF_THE_MACHINE = (
    "system_memory_used_bytes",
    "system_memory_available_bytes",
    "system_memory_free_bytes",
    "system_memory_total_bytes",
    "system_memory_used_ratio",
    "system_clock_offset_seconds",
)
OF_MOUNTS = ("system_disk_used_ratio",)
OF_DEVICES = (
    "system_device_read_bytes_per_second",
    "system_device_written_bytes_per_second",
    "system_device_busy_ratio",
)
OF_INTERFACES = (
    "system_network_receive_bytes_per_second",
    "system_network_transmit_bytes_per_second",
    "system_network_link_used_ratio",
)
OF_THE_QUEUE = ("system_load", "system_pressure_stall_ratio")


@dataclass(frozen=True, slots=True)
class Charts:
    """The series of a machine's charts over one window."""

    modes: list[SeriesData]
    """system_cpu_mode_ratio of the whole machine, by mode."""
    cores: list[SeriesData]
    """system_cpu_busy_ratio by core, `total` among them."""
    others: list[SeriesData]

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


def read_charts(stores: Stores, host: str, start: float, end: float) -> Charts:
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

    return Charts(
        modes=read(("system_cpu_mode_ratio",), CHART_POINTS, {"core": "total"}),
        cores=read(("system_cpu_busy_ratio",), HEAT_POINTS),
        others=read((*OF_THE_MACHINE, *OF_MOUNTS, *OF_DEVICES, *OF_INTERFACES, *OF_THE_QUEUE), CHART_POINTS),
    )


def reboots(clickhouse: ClickHouse, host: str, start: float, end: float) -> list[float]:
    """Return when `host` booted between `start` and `end` (epoch seconds), oldest first; needs raw samples."""
    sql = """
        SELECT DISTINCT value FROM samples
        WHERE series IN (
            SELECT series FROM series WHERE host = {host:String} AND metric = 'system_boot_time_seconds'
        ) AND ts >= toDateTime({start:UInt32}) AND ts < toDateTime({end:UInt32})
        ORDER BY value
    """
    parameters = {"host": host, "start": int(start), "end": int(end) + 1}
    found: list[float] = []
    for (booted,) in clickhouse.rows(sql, parameters, kind="reboots"):
        if booted >= start and (not found or booted - found[-1] > REBOOT_TOLERANCE_SECONDS):
            found.append(float(booted))
    return found
