"""The checks of services: the newest ones, and the share that found them up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from storage.clickhouse.reads.services import (
    Key,
    check_totals_of_a_day,
    check_totals_of_a_year,
    newest_checks,
    series_of_services,
)
from storage.stores import Stores

BEATS = 60
GAP_INTERVALS = 2.5
LONGEST_LOOK_SECONDS = 86_400.0
DAY, MONTH, YEAR = 86_400.0, 2_592_000.0, 31_536_000.0


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


def newest_beats(stores: Stores, intervals: Mapping[Key, float]) -> dict[Key, list[Beat]]:
    """Return the newest checks, oldest first, of services given with the seconds between their checks.

    Raises StorageUnavailable.
    """
    names = series_of_services(stores.clickhouse, list(intervals))
    looked = [number for number, (metric, _) in names.items() if not metric.endswith("_response_seconds")]
    if not looked:
        return {}
    back = min(max(intervals.values()) * BEATS * 1.2, LONGEST_LOOK_SECONDS)
    ups: dict[Key, dict[int, float]] = {}
    tries: dict[Key, dict[int, float]] = {}
    for number, values in newest_checks(stores.clickhouse, looked, int(stores.clock.now() - back), BEATS).items():
        metric, key = names[number]
        into = ups if metric.endswith("_up") else tries
        into.setdefault(key, {}).update(values)
    return {key: _strip(failed, ups.get(key, {}), intervals[key]) for key, failed in tries.items()}


def _strip(failed: Mapping[int, float], up: Mapping[int, float], interval: float) -> list[Beat]:
    found: list[Beat] = []
    for ts in sorted(failed):
        if found and ts - found[-1].ts > GAP_INTERVALS * interval:
            found.append(Beat(found[-1].ts + interval, "none"))
        state = "up" if not failed[ts] else "down" if up.get(ts) == 0 else "pending"
        found.append(Beat(float(ts), state))
    return found[-BEATS:]


def uptimes(stores: Stores, intervals: Mapping[Key, float]) -> dict[Key, Uptime]:
    """Return the uptimes of services given with the seconds between their checks. Raises StorageUnavailable."""
    names = series_of_services(stores.clickhouse, list(intervals))
    if not names:
        return {}
    now = int(stores.clock.now())
    numbers = [number for number, (metric, _) in names.items() if not metric.endswith("_failed_tries")]
    ups = [number for number, (metric, _) in names.items() if metric.endswith("_up")]
    days = check_totals_of_a_day(stores.clickhouse, numbers, now - int(DAY))
    years = check_totals_of_a_year(stores.clickhouse, ups, now - int(MONTH), now - int(YEAR))
    day_of = {names[number]: totals for number, totals in days.items()}
    year_of = {names[number][1]: totals for number, totals in years.items()}
    nothing = (0.0, 0)
    found = {}
    for key in {key for _, key in names.values()}:
        month, year, since = year_of.get(key, (nothing, nothing, float(now)))
        every = intervals[key]
        seconds, answers = day_of.get((f"{key[0]}_response_seconds", key), nothing)
        found[key] = Uptime(
            _checks(day_of.get((f"{key[0]}_up", key), nothing), every, min(DAY, now - since)),
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
