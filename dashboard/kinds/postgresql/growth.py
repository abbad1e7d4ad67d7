"""How fast something grows, from its series over the window shown."""

from __future__ import annotations

from core.clock import DAY_SECONDS
from core.format import bytes_
from core.limits import FORECAST_SECONDS
from storage.clickhouse.reads.series import SeriesData

SLACK_SECONDS = 60.0
"""The first and the last step of a window are not whole."""


def growth_a_day(data: SeriesData | None) -> float | None:
    """Return how much a series grew a day over the window, from its first value to its last.

    None: in less than an hour; each value stands for the step that it begins.
    """
    if data is None:
        return None
    points = [(ts, value) for ts, value in zip(data.ts, data.mean, strict=True) if value is not None]
    if len(points) < 2:
        return None
    (since, first), (until, last) = points[0], points[-1]
    if until - since + data.step_seconds + SLACK_SECONDS < FORECAST_SECONDS:
        return None
    return (last - first) / (until - since) * DAY_SECONDS


def signed_bytes(amount: float) -> str:
    """Return an amount of bytes with its sign: "+12.0 MiB"."""
    return f"{'+' if amount > 0 else ''}{bytes_(amount)}"


def grown(amount: float | None) -> str:
    """Return growth in words: "+12.0 MiB a day"; empty when it is not known."""
    return "" if amount is None else f"{signed_bytes(amount)} a day"
