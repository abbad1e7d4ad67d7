"""What a series comes to that is worked on over a span of time: avg, min, max, change, zscore and forecast. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from analytics.unusual import robust_z
from core.alerts.expression import Worked
from core.limits import FORECAST_SECONDS

REACHES = 0.9
"""A change over a span is told when the series reaches back over so much of it."""
SHORTEST_FIT_SECONDS = 2 * FORECAST_SECONDS
LONGEST_FIT_SECONDS = 7 * 86_400.0
"""A trend is fitted to as much of the past as is looked ahead, within these."""
FEWEST_WEEKS, FEWEST_MINUTES = 2, 30
"""Of the same hour of past weeks: fewer say nothing of what is usual."""
Told = tuple[float | None, str]
NOT_STORED = "nothing of it is stored in that time"


@dataclass(frozen=True, slots=True)
class Past:
    """A series: its newest value and its past."""

    operand: Worked
    value: float
    found: Any
    """Span, SameHour or Line; None: nothing is stored."""
    since_seconds: float
    """Since the past was read."""


def _mean(past: Past) -> Told:
    return (past.found.mean, "") if past.found else (None, NOT_STORED)


def _low(past: Past) -> Told:
    return min(past.found.low, past.value) if past.found else past.value, ""


def _high(past: Past) -> Told:
    return max(past.found.high, past.value) if past.found else past.value, ""


def _change(past: Past) -> Told:
    """Return the newest value less the first of the span."""
    if past.found is None:
        return None, NOT_STORED
    if past.found.reaches_seconds < REACHES * past.operand.seconds:
        return None, f"it does not reach back {past.operand.written}"
    return past.value - past.found.first, ""


def _unusual(past: Past) -> Told:
    hour = past.found
    if hour is None or hour.weeks < FEWEST_WEEKS or hour.minutes < FEWEST_MINUTES:
        return None, "too few of the past weeks are stored to tell what is usual at this hour"
    found = robust_z(past.value, hour.median, hour.median_deviation, hour.mean_deviation)
    return (found, "") if math.isfinite(found) else (None, "at this hour it never varied: there is no scale")


def _foretold(past: Past) -> Told:
    """Return the line's value at the end of the span ahead."""
    line = past.found
    if line is None or line.seconds < FORECAST_SECONDS - 60:
        return None, "less than an hour of it is stored: nothing is foretold"
    return line.value + line.slope * (past.since_seconds + past.operand.seconds), ""


WORK: Mapping[str, Callable[[Past], Told]] = {
    "avg": _mean, "min": _low, "max": _high, "change": _change, "zscore": _unusual, "forecast": _foretold,
}  # fmt: skip


def span_of(operand: Worked) -> int:
    """Return how far back the work looks, in whole seconds."""
    if operand.work == "forecast":
        return int(min(max(operand.seconds, SHORTEST_FIT_SECONDS), LONGEST_FIT_SECONDS))
    return int(operand.seconds)
