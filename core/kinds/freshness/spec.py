"""What is measured of a table that a feed writes: its metrics, the rows of its tables, its checks, what is asked."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from core.metrics import Metric


class Checks(StrEnum):
    """What a table is judged by. The limits are settings of each source."""

    AGE = "age"
    ROWS = "rows"
    GAPS = "gaps"
    SYMBOLS = "symbols"


WINDOW_SECONDS = 3_600
"""How far back the rows are read by minute."""
RATE_SECONDS = 300.0
"""Over how long rows a minute are averaged: whole minutes."""
MOST_SYMBOLS = 50
"""Instruments asked for, the oldest."""

AGE = Metric("freshness_age_seconds", "Age of the newest row, in open time.")
ROWS_PER_MINUTE = Metric("freshness_rows_per_minute", "Rows a minute, mean of five whole minutes.")
LONGEST_GAP = Metric("freshness_gap_seconds", "Longest gap of the last hour, in open time.")
MARKET_OPEN = Metric("freshness_market_open", "1 while the market is open, else 0.")
FUTURE = Metric("freshness_future_seconds", "How far the newest row is ahead of our clock.")


@dataclass(frozen=True, slots=True)
class About:
    """A table and its newest rows. Times are epoch seconds, ages and gaps open time."""

    TABLE: ClassVar[str] = "about"

    feed: str
    table: str
    database: str
    """ClickHouse or PostgreSQL."""
    newest: float | None
    """Time of the newest row; None without any."""
    age_seconds: float | None
    calendar: str
    is_open: bool
    next_open: float | None
    """None while it is open, or when it never closes."""
    rows_hour: int
    rows_per_minute: float
    expected_per_minute: float | None
    warning_seconds: float
    """Limits of the age."""
    critical_seconds: float
    longest_gap_seconds: float | None
    """Of the last hour; None without any row in it."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A minute or more of the last hour without a row while the market was open."""

    TABLE: ClassVar[str] = "gaps"

    began: float
    """Epoch seconds."""
    seconds: float
    """Open time."""


@dataclass(frozen=True, slots=True)
class StaleSymbol:
    """An instrument whose newest row is older than the critical age."""

    TABLE: ClassVar[str] = "symbols"

    symbol: str
    age_seconds: float
    """Open time."""
