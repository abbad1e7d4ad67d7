"""What the Services tab asks ClickHouse beyond its charts: newest checks, uptime of a day, month and year, changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.model import Labels
from storage.clickhouse.reads.flips import Flip, read_flips
from storage.clickhouse.reads.series import read_series
from storage.stores import Stores

BEATS = 60
GAP_INTERVALS = 2.5
LONGEST_LOOK_SECONDS = 86_400.0
DAY, MONTH, YEAR = 86_400.0, 2_592_000.0, 31_536_000.0
FLIPS_SECONDS = 90 * DAY
COURSE_POINTS = 45
RECEIVED, SENT = "system_network_receive_bytes_per_second", "system_network_transmit_bytes_per_second"
INTERFACE_VALUES = (
    "up", "link_bytes_per_second", "link_used_ratio", "receive_bytes_per_second", "transmit_bytes_per_second",
    "receive_errors_per_second", "transmit_errors_per_second", "receive_drops_per_second", "transmit_drops_per_second",
)  # fmt: skip
"""Metrics system_network_<name> of an interface."""
Key = tuple[str, str]
"""Kind and instance."""


@dataclass(frozen=True, slots=True)
class Beat:
    """One check: up, pending (failed, but not often enough to count), down, or none where checks are missing."""

    ts: float
    state: str


@dataclass(frozen=True, slots=True)
class Checks:
    """The checks of a service in a period."""

    count: int = 0
    up: int = 0
    """Those that found it up."""
    watched_seconds: float = 0.0
    """How much of the period they cover: of the rest nothing is known."""

    @property
    def share(self) -> float | None:
        """Share of the checks that found it up, 0 to 1; None without any."""
        return self.up / self.count if self.count else None


@dataclass(frozen=True, slots=True)
class Uptime:
    """The checks of a service over a day, a month and a year."""

    day: Checks = Checks()
    month: Checks = Checks()
    year: Checks = Checks()
    day_seconds: float | None = None
    """Mean time to answer over the day."""


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface now, and its traffic over the window."""

    host: str
    nic: str
    ts: float
    values: Mapping[str, float | None]
    """By name, see INTERFACE_VALUES."""
    received: Sequence[float | None]
    sent: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Past:
    """The past of services, by kind and instance."""

    beats: Mapping[Key, Sequence[Beat]] = field(default_factory=dict)
    uptimes: Mapping[Key, Uptime] = field(default_factory=dict)
    flips: Sequence[Flip] = ()
    interfaces: Sequence[Interface] = ()


def read_interfaces(stores: Stores, start: float, end: float) -> list[Interface]:
    """Return the network interfaces of every machine, from the readings of its system collector.

    Raises StorageUnavailable.
    """
    found: list[Interface] = []
    for host in stores.live.hosts("system"):
        reading = stores.live.reading("system", host)
        if reading is None:
            continue
        courses = read_series(
            stores.clickhouse, host=host, metrics=[RECEIVED, SENT], start=start, end=end, points=COURSE_POINTS,
            retention=stores.settings.retention, now=stores.clock.now(),
        )  # fmt: skip
        for labels in reading.series("system_network_up"):
            nic = dict(labels)["nic"]
            course = {data.metric: data.mean for data in courses if data.label("nic") == nic}
            values = {name: reading.value(f"system_network_{name}", nic=nic) for name in INTERFACE_VALUES}
            found.append(Interface(host, nic, reading.ts, values, course.get(RECEIVED, ()), course.get(SENT, ())))
    return found


def read_past(stores: Stores, intervals: Mapping[Key, float]) -> Past:
    """Return the past of services, given with the seconds between their checks, without their uptimes.

    Raises StorageUnavailable.
    """
    if not intervals:
        return Past()
    names = _names(stores, list(intervals))
    sources = [f"{kind}:{instance}" for kind, instance in intervals]
    flips = read_flips(stores.clickhouse, sources, stores.clock.now() - FLIPS_SECONDS)
    if not names:
        return Past(flips=flips)
    return Past(_beats(stores, names, intervals), {}, flips)


def read_uptimes(stores: Stores, intervals: Mapping[Key, float]) -> dict[Key, Uptime]:
    """Return the uptimes of services, given with the seconds between their checks. Raises StorageUnavailable."""
    names = _names(stores, list(intervals)) if intervals else {}
    return _uptimes(stores, names, intervals) if names else {}


def _names(stores: Stores, keys: Sequence[Key]) -> dict[int, tuple[str, Key]]:
    """Return metric and service by series number."""
    kinds = sorted({kind for kind, _ in keys})
    metrics = {f"{kind}_{name}": kind for kind in kinds for name in ("up", "failed_tries", "response_seconds")}
    sql = (
        "SELECT series, any(metric), any(labels) FROM series "
        "WHERE metric IN {metrics:Array(String)} AND labels['instance'] IN {instances:Array(String)} GROUP BY series"
    )
    parameters = {"metrics": list(metrics), "instances": sorted({instance for _, instance in keys})}
    rows: list[tuple[int, str, Labels]] = stores.clickhouse.rows(sql, parameters, kind="service series")
    found = {int(n): (str(metric), (metrics[str(metric)], str(dict(labels)["instance"]))) for n, metric, labels in rows}
    wanted = set(keys)
    return {number: pair for number, pair in found.items() if pair[1] in wanted}


def _beats(
    stores: Stores, names: Mapping[int, tuple[str, Key]], intervals: Mapping[Key, float]
) -> dict[Key, list[Beat]]:
    looked = [number for number, (metric, _) in names.items() if not metric.endswith("_response_seconds")]
    back = min(max(intervals.values()) * BEATS * 1.2, LONGEST_LOOK_SECONDS)
    sql = f"""
        SELECT series, groupArray(toUnixTimestamp(ts)), groupArray(value) FROM (
            SELECT series, ts, value FROM samples
            WHERE series IN {{series:Array(UInt64)}} AND ts >= toDateTime({{start:UInt32}})
            ORDER BY series, ts DESC LIMIT {BEATS} BY series
        ) GROUP BY series
    """
    parameters = {"series": looked, "start": int(stores.clock.now() - back)}
    ups: dict[Key, dict[int, float]] = {}
    tries: dict[Key, dict[int, float]] = {}
    for number, times, values in stores.clickhouse.rows(sql, parameters, kind="service beats"):
        metric, key = names[int(number)]
        into = ups if metric.endswith("_up") else tries
        into.setdefault(key, {}).update(zip(map(int, times), map(float, values), strict=True))
    return {key: _strip(failed, ups.get(key, {}), intervals[key]) for key, failed in tries.items()}


def _strip(failed: Mapping[int, float], up: Mapping[int, float], interval: float) -> list[Beat]:
    found: list[Beat] = []
    for ts in sorted(failed):
        if found and ts - found[-1].ts > GAP_INTERVALS * interval:
            found.append(Beat(found[-1].ts + interval, "none"))
        state = "up" if not failed[ts] else "down" if up.get(ts) == 0 else "pending"
        found.append(Beat(float(ts), state))
    return found[-BEATS:]


def _uptimes(stores: Stores, names: Mapping[int, tuple[str, Key]], intervals: Mapping[Key, float]) -> dict[Key, Uptime]:
    now = int(stores.clock.now())
    numbers = [number for number, (metric, _) in names.items() if not metric.endswith("_failed_tries")]
    ups = [number for number, (metric, _) in names.items() if metric.endswith("_up")]
    by_minute = """
        SELECT series, sum(total), sum(points) FROM samples_1m
        WHERE series IN {series:Array(UInt64)} AND ts >= toDateTime({start:UInt32}) GROUP BY series
    """
    by_hour = """
        SELECT series, sumIf(total, ts >= toDateTime({month:UInt32})), sumIf(points, ts >= toDateTime({month:UInt32})),
               sum(total), sum(points), toUnixTimestamp(min(ts)) FROM samples_1h
        WHERE series IN {series:Array(UInt64)} AND ts >= toDateTime({year:UInt32}) GROUP BY series
    """
    days: dict[tuple[str, Key], tuple[float, int]] = {}
    rows = stores.clickhouse.rows(by_minute, {"series": numbers, "start": now - int(DAY)}, kind="service uptime day")
    for number, total, points in rows:
        days[names[int(number)]] = (float(total), int(points))
    longer: dict[Key, tuple[tuple[float, int], tuple[float, int], float]] = {}
    parameters = {"series": ups, "month": now - int(MONTH), "year": now - int(YEAR)}
    for number, up, of, year_up, year_of, since in stores.clickhouse.rows(
        by_hour, parameters, kind="service uptime year"
    ):
        longer[names[int(number)][1]] = ((float(up), int(of)), (float(year_up), int(year_of)), float(since))
    nothing = (0.0, 0)
    found = {}
    for key in {key for _, key in names.values()}:
        month, year, since = longer.get(key, (nothing, nothing, float(now)))
        every = intervals[key]
        seconds, answers = days.get((f"{key[0]}_response_seconds", key), nothing)
        found[key] = Uptime(
            _checks(days.get((f"{key[0]}_up", key), nothing), every, min(DAY, now - since)),
            _checks(month, every, min(MONTH, now - since)),
            _checks(year, every, min(YEAR, now - since)),
            seconds / answers if answers else None,
        )
    return found


def _checks(found: tuple[float, int], interval: float, longest: float) -> Checks:
    """Return checks given as how many found it up, of how many; they cover no more than the time since the first:
    the interval may have been another one."""
    up, count = found
    return Checks(count, round(up), min(count * interval, longest))
