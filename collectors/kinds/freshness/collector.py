"""Freshness of data: age of the newest row of a table, rows a minute, gaps; in the hours that its market is open.

Ages are open time: on Monday at 09:31 a row of Friday's close is one minute old.

Costs the watched database, every interval (30 s by default), one query over the rows of the last hour; without such
rows another one over what came after the newest row known; each fifth reading one by instrument, where asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from collectors.base import Context, gauges
from collectors.judging.checks import Check, bad_if, checks_table, limit, summed
from collectors.judging.market_hours import Market, market, market_soon
from collectors.kinds.freshness.queries import ClickHouseQuestions, Minute, PostgresqlQuestions, Questions
from collectors.net.reach import Deadline
from core.errors import SourceUnavailable
from core.format import coarse_duration, count
from core.kinds.freshness.source import FreshnessSource
from core.model import Reading, Status, Table

RATE_SECONDS = 300.0
MINUTE = 60.0
SYMBOLS_EVERY = 5
SYMBOLS_BACK_SECONDS = 5 * 86_400.0
GAPS_SHOWN = 20


def make(context: Context, source: FreshnessSource) -> FreshnessCollector:
    """Return the collector of one table."""
    if source.is_postgresql:
        return FreshnessCollector(source, PostgresqlQuestions(source))
    clickhouse = context.stores.clickhouse
    return FreshnessCollector(source, ClickHouseQuestions(source, lambda sql: clickhouse.rows(sql, kind="freshness")))


class FreshnessCollector:
    """Reads the newest rows of one table."""

    def __init__(self, source: FreshnessSource, questions: Questions) -> None:
        self.name = source.collector
        self.interval_seconds = source.interval_seconds
        self.timeout_seconds = source.timeout_seconds + 1
        self._source = source
        self._ask = questions
        self._newest: float | None = None
        self._symbols: list[tuple[str, float]] = []
        self._readings = 0

    def collect(self, now: float) -> Reading:
        """Return the reading at `now`. Raises SourceUnavailable, SourceRejected or StorageUnavailable."""
        deadline = Deadline(self._source.timeout_seconds)
        # At midnight the hours of the day before serve until the new ones are made.
        hours = market_soon(self._source.calendar, now) or market(self._source.calendar, now)
        try:
            minutes = self._ask.minutes(deadline)
            self._newest = minutes[-1].newest if minutes else self._ask.newest(deadline, self._newest) or self._newest
            if self._source.symbol and self._readings % SYMBOLS_EVERY == 0:
                self._symbols = self._ask.symbols(deadline, now - SYMBOLS_BACK_SECONDS)
        except TimeoutError:
            raise SourceUnavailable(f"no answer within {self._source.timeout_seconds:g} s") from None
        self._readings += 1
        return self._reading(hours, minutes, now)

    def _reading(self, hours: Market, minutes: Sequence[Minute], now: float) -> Reading:
        source, newest = self._source, self._newest
        age = hours.open_seconds(newest, now) if newest is not None else None
        open_for = hours.open_seconds(now - RATE_SECONDS, now)
        recent = sum(minute.rows for minute in minutes if minute.start >= now - RATE_SECONDS - MINUTE)
        rate = rows_per_minute(minutes, now)
        gaps = gaps_of(minutes, hours, now)
        stale = [(name, hours.open_seconds(ts, now)) for name, ts in self._symbols]
        stale = sorted(
            ((name, old) for name, old in stale if old >= source.critical_seconds), key=lambda pair: -pair[1]
        )
        checks = self._checks(age, rate if open_for >= RATE_SECONDS - 1 else None, gaps, stale)
        is_open = hours.is_open(now)
        values = {
            "freshness_age_seconds": age,
            "freshness_rows_per_minute": rate,
            "freshness_gap_seconds": max((length for _, length in gaps), default=0.0) if minutes else None,
            "freshness_market_open": float(is_open),
            "freshness_future_seconds": max(newest - now, 0.0) if newest is not None else None,
        }
        about = {
            "feed": source.feed,
            "table": source.table,
            "database": "PostgreSQL" if source.is_postgresql else "ClickHouse",
            "newest": newest,
            "age_seconds": age,
            "calendar": source.calendar,
            "is_open": is_open,
            "next_open": None if is_open else hours.next_open(now),
            "rows_hour": sum(minute.rows for minute in minutes),
            "rows_recent": recent,
            "rows_per_minute": rate,
            "expected_per_minute": source.rows_per_minute,
            "warning_seconds": source.warning_seconds,
            "critical_seconds": source.critical_seconds,
            "longest_gap_seconds": max((length for _, length in gaps), default=0.0) if minutes else None,
            "stale_symbols": len(stale),
            "symbols": len(self._symbols),
        }
        return Reading(
            samples=gauges(values, instance=source.name),
            components=[summed(source.component, self._fine(age, is_open, rate), checks)],
            tables=[
                checks_table(checks),
                Table("about", tuple(about), (tuple(about.values()),)),
                Table("gaps", ("began", "seconds"), tuple(gaps[:GAPS_SHOWN])),
                Table("symbols", ("symbol", "age_seconds"), tuple(stale)),
            ],
        )

    def _checks(
        self,
        age: float | None,
        rate: float | None,
        gaps: Sequence[tuple[float, float]],
        stale: Sequence[tuple[str, float]],
    ) -> list[Check]:
        source = self._source
        if age is None:
            return [Check("age", Status.CRITICAL, f"{source.table} has no row")]
        told = f"newest row of {source.table} is {coarse_duration(age)} of open market old"
        if source.calendar == "24/7":
            told = f"newest row of {source.table} is {coarse_duration(age)} old"
        found = [
            limit("age", age / source.critical_seconds, told, source.warning_seconds / source.critical_seconds, 1.0)
        ]
        wanted = source.rows_per_minute
        if wanted is not None and rate is not None:
            found.append(
                bad_if("rows", rate < wanted, f"{count(rate, 'row')} a minute, and at least {wanted:g} are expected")
            )
        if source.gap_seconds is not None:
            long = [length for _, length in gaps if length >= source.gap_seconds]
            found.append(
                bad_if(
                    "gaps",
                    bool(long),
                    f"{count(len(long), 'gap')} in the last hour, the longest {coarse_duration(max(long, default=0))}",
                )
            )
        if stale:
            names = ", ".join(name for name, _ in stale[:3])
            more = f" and {len(stale) - 3} more" if len(stale) > 3 else ""
            why = f"no news of {names}{more} for over {coarse_duration(stale[-1][1])}"
            found.append(Check("symbols", Status.WARNING, why))
        return found

    def _fine(self, age: float | None, is_open: bool, rate: float) -> str:
        if not is_open:
            return f"{self._source.calendar} is closed; nothing was missing at the close"
        return f"newest row {coarse_duration(age or 0.0)} old, {count(rate, 'row')} a minute"


def rows_per_minute(minutes: Sequence[Minute], now: float) -> float:
    """Return the rows a minute over the five whole minutes before the one that runs."""
    ends = now // MINUTE * MINUTE
    return sum(m.rows for m in minutes if ends - RATE_SECONDS <= m.start < ends) / (RATE_SECONDS / MINUTE)


def gaps_of(minutes: Sequence[Minute], hours: Market, now: float) -> list[tuple[float, float]]:
    """Return when the gaps of the last hour began and how long they lasted in open time, longest first.

    A gap is a minute or more without a row between two minutes that have some, or up to now. One is as long as its
    empty minutes: what is missing within a minute is not seen.
    """
    pairs = [(before.start + MINUTE, after.start) for before, after in pairwise(minutes)]
    if minutes:
        pairs.append((minutes[-1].start + MINUTE, now))
    lengths = [(begin, hours.open_seconds(begin, end)) for begin, end in pairs]
    return sorted((pair for pair in lengths if pair[1] >= MINUTE), key=lambda pair: -pair[1])
