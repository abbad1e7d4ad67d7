"""What the Services tab and the history of services ask ClickHouse: checks by service, and network interfaces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.machine import metrics
from core.machine.spec import SYSTEM
from core.model import Labels, LiveReading
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.reads.series import read_series
from storage.stores import Stores

TRAFFIC_POINTS = 45
INTERFACE_VALUES = {
    "up": metrics.NETWORK_UP,
    "link_bytes_per_second": metrics.LINK_SPEED,
    "link_used_ratio": metrics.LINK_USED_RATIO,
    "receive_bytes_per_second": metrics.RECEIVE_RATE,
    "transmit_bytes_per_second": metrics.TRANSMIT_RATE,
    "receive_errors_per_second": metrics.RECEIVE_ERRORS_RATE,
    "transmit_errors_per_second": metrics.TRANSMIT_ERRORS_RATE,
    "receive_drops_per_second": metrics.RECEIVE_DROPS_RATE,
    "transmit_drops_per_second": metrics.TRANSMIT_DROPS_RATE,
}
"""What is told of an interface, by its name on the page."""
Key = tuple[str, str]
"""Kind and instance."""
Totals = tuple[float, int]
"""Sum of the values of a series, and how many there are."""


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface now, and its traffic over the window."""

    host: str
    nic: str
    reading: LiveReading
    """What `values` are of."""
    values: Mapping[str, float | None]
    """By name, see INTERFACE_VALUES."""
    received: Sequence[float | None]
    sent: Sequence[float | None]


def read_interfaces(stores: Stores, start: float, end: float) -> list[Interface]:
    """Return the network interfaces of every machine, from the readings of its system collector.

    Raises StorageUnavailable.
    """
    found: list[Interface] = []
    for host in stores.live.hosts(SYSTEM):
        reading = stores.live.reading(SYSTEM, host)
        if reading is None:
            continue
        traffic = read_series(
            stores.clickhouse, host=host, metrics=[metrics.RECEIVE_RATE, metrics.TRANSMIT_RATE], start=start, end=end,
            points=TRAFFIC_POINTS, retention=stores.settings.retention, now=stores.clock.now(),
        )  # fmt: skip
        for labels in reading.series(metrics.NETWORK_UP):
            nic = dict(labels)["nic"]
            means = {data.metric: data.mean for data in traffic if data.label("nic") == nic}
            values = {name: reading.value(metric, nic=nic) for name, metric in INTERFACE_VALUES.items()}
            received, sent = means.get(metrics.RECEIVE_RATE, ()), means.get(metrics.TRANSMIT_RATE, ())
            found.append(Interface(host, nic, reading, values, received, sent))
    return found


def series_of_services(clickhouse: ClickHouse, keys: Sequence[Key]) -> dict[int, tuple[str, Key]]:
    """Return metric (up, failed_tries, response_seconds of the kind) and service by number of series.

    Raises StorageUnavailable.
    """
    if not keys:
        return {}
    kinds = sorted({kind for kind, _ in keys})
    metrics = {f"{kind}_{name}": kind for kind in kinds for name in ("up", "failed_tries", "response_seconds")}
    sql = (
        "SELECT series, any(metric), any(labels) FROM series "
        "WHERE metric IN {metrics:Array(String)} AND labels['instance'] IN {instances:Array(String)} GROUP BY series"
    )
    parameters = {"metrics": list(metrics), "instances": sorted({instance for _, instance in keys})}
    rows: list[tuple[int, str, Labels]] = clickhouse.rows(sql, parameters, kind="service series")
    found = {int(n): (str(metric), (metrics[str(metric)], str(dict(labels)["instance"]))) for n, metric, labels in rows}
    wanted = set(keys)
    return {number: pair for number, pair in found.items() if pair[1] in wanted}


def newest_checks(clickhouse: ClickHouse, series: Sequence[int], start: int, most: int) -> dict[int, dict[int, float]]:
    """Return the `most` newest values since `start` by series, each by its time (epoch seconds).

    Raises StorageUnavailable.
    """
    sql = """
        SELECT series, groupArray(toUnixTimestamp(ts)), groupArray(value) FROM (
            SELECT series, ts, value FROM samples
            WHERE series IN {series:Array(UInt64)} AND ts >= toDateTime({start:UInt32})
            ORDER BY series, ts DESC LIMIT {most:UInt32} BY series
        ) GROUP BY series
    """
    rows = clickhouse.rows(sql, {"series": list(series), "start": start, "most": most}, kind="service beats")
    return {int(n): dict(zip(map(int, times), map(float, values), strict=True)) for n, times, values in rows}


def check_totals_of_a_day(clickhouse: ClickHouse, series: Sequence[int], start: int) -> dict[int, Totals]:
    """Return the totals since `start` (epoch seconds) by series, read by the minute. Raises StorageUnavailable."""
    sql = """
        SELECT series, sum(total), sum(points) FROM samples_1m
        WHERE series IN {series:Array(UInt64)} AND ts >= toDateTime({start:UInt32}) GROUP BY series
    """
    rows = clickhouse.rows(sql, {"series": list(series), "start": start}, kind="service uptime day")
    return {int(number): (float(total), int(points)) for number, total, points in rows}


def check_totals_of_a_year(
    clickhouse: ClickHouse, series: Sequence[int], month: int, year: int
) -> dict[int, tuple[Totals, Totals, float]]:
    """Return by series the totals since `month`, those since `year` and the time of the first (all epoch seconds).

    Read by the hour. Raises StorageUnavailable.
    """
    sql = """
        SELECT series, sumIf(total, ts >= toDateTime({month:UInt32})), sumIf(points, ts >= toDateTime({month:UInt32})),
               sum(total), sum(points), toUnixTimestamp(min(ts)) FROM samples_1h
        WHERE series IN {series:Array(UInt64)} AND ts >= toDateTime({year:UInt32}) GROUP BY series
    """
    rows = clickhouse.rows(sql, {"series": list(series), "month": month, "year": year}, kind="service uptime year")
    return {
        int(number): ((float(up), int(of)), (float(year_up), int(year_of)), float(since))
        for number, up, of, year_up, year_of, since in rows
    }
