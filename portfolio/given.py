"""What a person says of a portfolio's history: how often it is valued, on which days, and from when to when."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from analytics.cadence import Cadence, Given, Rhythm
from core.format import count
from core.trading_days import trading_days
from portfolio.freshness import value_stale_after_seconds
from portfolio.reports import as_of, covers

if TYPE_CHECKING:
    from storage.state.portfolios import Portfolio

RHYTHMS: dict[str, Rhythm] = {"D": "daily", "W": "weekly", "M": "monthly", "Q": "quarterly"}
LATE_DAYS = 2
"""The value of an expected day may come on the next one."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Said:
    """Fields of a portfolio that its history depends on; empty: found from the data."""

    inception: str = ""
    ended: str = ""
    frequency: str = ""
    calendar: str = ""
    periods_per_year: int = 0

    def given(self) -> Given:
        """Return what is given of its rhythm."""
        calendar = None
        if self.calendar:
            try:
                calendar = trading_days(self.calendar)
            except ValueError as error:
                # It was known when it was set: another version of the library does without it.
                log.warning("%s; the days are found from the data", error)
        return Given(RHYTHMS.get(self.frequency), self.periods_per_year, calendar)


NOTHING_SAID = Said()


def said_of(portfolio: Portfolio) -> Said:
    """Return what is said of a portfolio."""
    return Said(
        portfolio.inception, portfolio.ended, portfolio.frequency, portfolio.calendar, portfolio.periods_per_year
    )


def stale_after_seconds(calendar: str, cadence: Cadence, last: np.datetime64) -> float | None:
    """Return the age beyond which the value of the day `last` is stale, where a calendar says when one is expected.

    It is when LATE_DAYS expected days are over without one. None: no calendar is set that says it, or that counts.
    """
    if not calendar or cadence.rhythm != "daily":
        return None
    due = np.busday_offset(last, LATE_DAYS, roll="backward", busdaycal=cadence.calendar)
    return float((due + 1 - last).astype("timedelta64[s]").astype(np.int64))


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest value of a portfolio as its age counts."""

    known_at: float
    """Epoch seconds: a value of a day is known at its end, which may lie ahead."""
    stale_after_seconds: float
    """Age from then on beyond which it no longer says how the portfolio stands."""
    stamp: float
    """The time that it has, epoch seconds."""

    def as_of(self, now: float) -> float:
        """Return of when it is: the end of its day, or the time that it has while that day goes on."""
        return as_of(self.stamp, now)

    def age_seconds(self, now: float) -> float:
        """Return its age at `now` (epoch seconds)."""
        return max(now - self.known_at, 0.0)


def newest_value(calendar: str, cadence: Cadence, last: np.datetime64, stamp: float) -> Newest:
    """Return the newest value as its age counts; last: its day, stamp: the time that it has, epoch seconds."""
    stale_after = stale_after_seconds(calendar, cadence, last) or value_stale_after_seconds(cadence.longest_days)
    known_at = covers(stamp)
    return Newest(known_at, stale_after - (known_at - stamp), stamp)


def has_ended(portfolio: Portfolio, now: float) -> bool:
    """Return whether the last day of a portfolio is over at `now`, epoch seconds: no value is expected any more."""
    return bool(portfolio.ended) and portfolio.ended < datetime.fromtimestamp(now, UTC).date().isoformat()


def sentences(portfolio: Portfolio, found: Rhythm, counts: Rhythm, left_out: int, now: float) -> list[str]:
    """Return what is set of a portfolio that its figures depend on, a sentence each.

    `found` is how often its values come, `counts` how often they are taken to, `left_out` how many values are,
    `now` is in epoch seconds.
    """
    wanted = RHYTHMS.get(portfolio.frequency)
    told = []
    if wanted and wanted != counts:
        told.append(f"Rhythm: {wanted} is set, and is finer than the values, which are {found}; {counts} is used.")
    elif wanted and wanted != found:
        told.append(f"Rhythm: {wanted}, as set; the values come {found}.")
    if portfolio.periods_per_year:
        told.append(f"Periods a year: {portfolio.periods_per_year}, as set.")
    if portfolio.calendar and counts == "daily":
        told.append(f"Calendar: {portfolio.calendar}, as set.")
    if portfolio.ended:
        told.append(f"{portfolio.name} {'ended' if has_ended(portfolio, now) else 'ends'} on {portfolio.ended}.")
    if left_out:
        where = [f"before its inception on {portfolio.inception}"] if portfolio.inception else []
        where += ["after its end"] if portfolio.ended else []
        told.append(f"{count(left_out, 'value')} {' and '.join(where)} left out.")
    return told
