"""Rolling Sharpe ratio, volatility and beta: over the last returns of each day, whatever the window shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.performance import common
from analytics.returns import per_period_rate
from analytics.rolling import Moments, rolling_moments
from dashboard.charts.days import BESIDE, Places, carried, on_days, texts, values
from dashboard.charts.rows import End, Row, extent, limit_line
from dashboard.charts.theme import COMPARED, SERIES
from portfolio.data import Line, PortfolioData
from portfolio.query import Frequency

HEIGHT_PX = 54
SPANS: dict[Frequency, tuple[int, str]] = {"D": (63, "63 days"), "W": (26, "26 weeks"), "M": (12, "12 months")}
"""Returns in a rolling figure, and how that many are called."""
Course = NDArray[np.float64]


def rolling(line: Line, data: PortfolioData) -> Moments:
    """Return the rolling figures on the days of the line's whole history, its beta against the benchmark shown.

    Beta is of the days that both have; between them it stays as it was.
    """
    span, periods = SPANS[data.query.frequency][0], data.periods_of(line)
    rate, whole = per_period_rate(data.query.risk_free, periods), line.whole
    found = rolling_moments(whole.returns, None, span, rate, periods)
    if data.benchmark is None:
        return found
    own, other = common(whole, data.benchmark.whole, data.query.frequency)
    beside = rolling_moments(own.returns, other.returns, span, rate, periods)
    last = own.dates[-1] if len(own) else whole.dates[0]
    beta = carried(own.dates, np.asarray(beside.beta, dtype=np.float64), whole.dates)
    return replace(found, beta=np.where(whole.dates <= last, beta, np.nan))


def rolling_rows(data: PortfolioData, places: Places) -> list[Row]:
    """Return a row a figure; none when the history is too short for any, no beta without a benchmark."""
    lines = [line for line in data.lines if len(line.whole)]
    span, called = SPANS[data.query.frequency]
    if not len(data.part) or len(data.whole) <= span:
        return []
    courses = [(line, rolling(line, data)) for line in lines]
    days = data.part.dates[places]
    rows = [
        _row(f"Rolling {called}: Sharpe ratio", days, [(line, c.sharpe) for line, c in courses], zero=True),
        _row(f"Rolling {called}: volatility, % a year", days, [(line, 100 * c.volatility) for line, c in courses], "%"),
    ]
    if data.benchmark is not None:
        title = f"Rolling {called}: beta to {data.benchmark.name}"
        rows.append(_row(title, days, [(line, c.beta) for line, c in courses if c.beta is not None], limit=1.0))
    return [row for row in rows if row.span != (0.0, 0.0)]


def _row(
    caption: str,
    days: NDArray[np.datetime64],
    courses: list[tuple[Line, Course]],
    unit: str = "",
    *,
    zero: bool = False,
    limit: float | None = None,
) -> Row:
    decimals = 1 if unit else 2
    name = caption.partition(": ")[2].partition(",")[0]
    traces = [_trace(name, line, course, days, decimals, unit, at) for at, (line, course) in enumerate(courses)]
    own = next((value for value in reversed(traces[0]["y"]) if value is not None), None)
    low, high = extent(*[trace["y"] for trace in traces])
    return Row(
        height_px=HEIGHT_PX,
        traces=traces,
        axis={"nticks": 3, "zeroline": zero, **({"ticksuffix": " %", "rangemode": "tozero"} if unit else {})},
        span=(low, high),
        caption=caption,
        ends=[] if own is None else [End(f"{own:.{decimals}f} {unit}".strip().replace("-", "−"), own, SERIES[0])],
        limits=[limit_line(limit)] if limit is not None and low < limit < high else [],
    )


def _trace(
    name: str, line: Line, course: Course, days: NDArray[np.datetime64], decimals: int, unit: str, at: int
) -> dict[str, Any]:
    if at == 0:
        more = {"name": name, "hovertemplate": f"%{{y:.{decimals}f}} {unit}".strip()}
    else:
        more = {"name": f"{name} of {line.name}", "hoverinfo": "skip"}
        days = days[::BESIDE]
    y = (on_days if at == 0 else carried)(line.whole.dates, course, days)
    return {
        "type": "scatter",
        "mode": "lines",
        "x": texts(days),
        "y": values(y, decimals),
        "line": {"color": (SERIES[:1] + COMPARED)[at], "width": 1.3 if at == 0 else 0.9},
        **more,
    }
