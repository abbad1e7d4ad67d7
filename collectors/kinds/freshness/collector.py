"""Freshness of data: age of the newest row of a table, rows a minute, gaps; in the hours that its market is open.

Ages are open time: on Monday at 09:31 a row of Friday's close is one minute old.

Costs the watched database, every interval (30 s by default), one query over the rows of the last hour; without such
rows another one over what came after the newest row known; each fifth reading one by instrument, where asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from collectors.base import Context, gauges
from collectors.judging.checks import Check, bad_if, checks_table, judged, summed
from collectors.judging.market_hours import ALWAYS, Market, market, market_soon
from collectors.kinds.freshness.queries import ClickHouseQuestions, Minute, PostgresqlQuestions, Questions
from core.errors import SourceUnavailable
from core.format import coarse_duration, count
from core.kinds.freshness import spec
from core.kinds.freshness.source import FreshnessSource
from core.kinds.freshness.spec import RATE_SECONDS, Checks
from core.model import Reading, Status
from core.net.reach import Deadline
from core.tables import table_of

MINUTE = 60.0
SYMBOLS_EVERY = 5
SYMBOLS_BACK_SECONDS = 5 * 86_400.0
GAPS_SHOWN = 20
SYMBOLS_NAMED = 3


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
        rate = rows_per_minute(minutes, now)
        gaps = gaps_of(minutes, hours, now)
        longest = max((gap.seconds for gap in gaps), default=0.0) if minutes else None
        stale = self._stale(hours, now)
        is_rate_known = hours.open_seconds(now - RATE_SECONDS, now) >= RATE_SECONDS - 1
        checks = self._checks(age, rate if is_rate_known else None, gaps, stale)
        is_open = hours.is_open(now)
        values = {
            spec.AGE: age,
            spec.ROWS_PER_MINUTE: rate,
            spec.LONGEST_GAP: longest,
            spec.MARKET_OPEN: float(is_open),
            spec.FUTURE: max(newest - now, 0.0) if newest is not None else None,
        }
        about = spec.About(
            feed=source.feed,
            table=source.table,
            database="PostgreSQL" if source.is_postgresql else "ClickHouse",
            newest=newest,
            age_seconds=age,
            calendar=source.calendar,
            is_open=is_open,
            next_open=None if is_open else hours.next_open(now),
            rows_hour=sum(minute.rows for minute in minutes),
            rows_per_minute=rate,
            expected_per_minute=source.rows_per_minute,
            warning_seconds=source.warning_seconds,
            critical_seconds=source.critical_seconds,
            longest_gap_seconds=longest,
        )
        return Reading(
            samples=gauges(values, instance=source.name),
            components=[summed(source.component, self._fine(age, is_open, rate), checks)],
            tables=[
                checks_table(checks),
                table_of(spec.About, [about]),
                table_of(spec.Gap, gaps[:GAPS_SHOWN]),
                table_of(spec.StaleSymbol, stale),
            ],
        )

    def _stale(self, hours: Market, now: float) -> list[spec.StaleSymbol]:
        """Return the instruments that are older than the critical age, the oldest first."""
        found = [spec.StaleSymbol(name, hours.open_seconds(ts, now)) for name, ts in self._symbols]
        stale = [each for each in found if each.age_seconds >= self._source.critical_seconds]
        return sorted(stale, key=lambda each: -each.age_seconds)

    def _checks(
        self, age: float | None, rate: float | None, gaps: Sequence[spec.Gap], stale: Sequence[spec.StaleSymbol]
    ) -> list[Check]:
        source = self._source
        if age is None:
            return [Check(Checks.AGE, Status.CRITICAL, f"{source.table} has no row")]
        old = coarse_duration(age) if source.calendar == ALWAYS else f"{coarse_duration(age)} of open market"
        why = f"newest row of {source.table} is {old} old"
        found = [judged(Checks.AGE, age, why, source.age_limit, age / source.critical_seconds)]
        wanted = source.rows_per_minute
        if wanted is not None and rate is not None:
            why = f"{count(rate, 'row')} a minute, and at least {wanted:g} are expected"
            found.append(bad_if(Checks.ROWS, rate < wanted, why))
        if source.gap_seconds is not None:
            long = [gap.seconds for gap in gaps if gap.seconds >= source.gap_seconds]
            longest = coarse_duration(max(long, default=0))
            why = f"{count(len(long), 'gap')} in the last hour, the longest {longest}"
            found.append(bad_if(Checks.GAPS, bool(long), why))
        if stale:
            names = ", ".join(each.symbol for each in stale[:SYMBOLS_NAMED])
            more = f" and {len(stale) - SYMBOLS_NAMED} more" if len(stale) > SYMBOLS_NAMED else ""
            why = f"no news of {names}{more} for over {coarse_duration(stale[-1].age_seconds)}"
            found.append(Check(Checks.SYMBOLS, Status.WARNING, why))
        return found

    def _fine(self, age: float | None, is_open: bool, rate: float) -> str:
        if not is_open:
            return f"{self._source.calendar} is closed; nothing was missing at the close"
        return f"newest row {coarse_duration(age or 0.0)} old, {count(rate, 'row')} a minute"


def rows_per_minute(minutes: Sequence[Minute], now: float) -> float:
    """Return the rows a minute over the five whole minutes before the one that runs."""
    ends = now // MINUTE * MINUTE
    return sum(m.rows for m in minutes if ends - RATE_SECONDS <= m.start < ends) / (RATE_SECONDS / MINUTE)


def gaps_of(minutes: Sequence[Minute], hours: Market, now: float) -> list[spec.Gap]:
    """Return the gaps of the last hour, longest first.

    A gap is a minute or more without a row between two minutes that have some, or up to now. One is as long as its
    empty minutes: what is missing within a minute is not seen.
    """
    pairs = [(before.start + MINUTE, after.start) for before, after in pairwise(minutes)]
    if minutes:
        pairs.append((minutes[-1].start + MINUTE, now))
    gaps = [spec.Gap(begin, hours.open_seconds(begin, end)) for begin, end in pairs]
    return sorted((gap for gap in gaps if gap.seconds >= MINUTE), key=lambda gap: -gap.seconds)
