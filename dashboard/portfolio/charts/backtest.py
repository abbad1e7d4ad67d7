"""VaR backtest: each return beside the VaR of the returns before it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.backtest import Backtest
from core import format as text
from dashboard.charts.days import day_axis, texts, values
from dashboard.charts.drawn import Drawn
from portfolio.backtest import MEMORY, has_memory, value_at_risk_test
from portfolio.data import PortfolioData

BUCKETS = 220
SIGNIFICANCE = 0.05
Floats = NDArray[np.float64]
Places = NDArray[np.intp]


def value_at_risk_backtest(data: PortfolioData) -> Drawn:
    """Return the chart of the window's returns, their VaR one period ahead, and the exceedances."""
    memory, unit, units = MEMORY[data.frequency], data.unit, data.units
    if not has_memory(data):
        return Drawn(note=f"VaR needs more than {memory} {units} of returns; there are {max(len(data.whole) - 1, 0)}.")
    tested = value_at_risk_test(data)
    if tested is None:
        return Drawn(note=f"No {unit} of the window has {memory} {units} of returns before it, which VaR needs.")
    days, returns, warned, over = tested.days, tested.returns, tested.forecast, tested.result.positions
    kept = np.unique(np.concatenate([extremes(returns, BUCKETS), over]))
    figure = {
        "data": [
            _returns(days[kept], returns[kept]),
            _warned(days[kept], warned[kept], unit, data.query.confidence_name),
            _exceedances(days[over], returns[over]),
        ],
        "layout": {
            "xaxis": day_axis(days, "y") | {"nticks": 6},
            "yaxis": {"ticksuffix": " %", "nticks": 5},
            "margin": {"r": 12, "t": 6, "b": 34},
            "hovermode": "closest",
            "dragmode": False,
            "uirevision": "backtest",
        },
    }
    return Drawn(
        figure, f"one-{unit}-ahead VaR {data.query.confidence_name} of {memory} {units} · {verdict(tested.result)}"
    )


def verdict(found: Backtest) -> str:
    """Return the test in words: how many exceedances, how many expected, whether they fit and are independent."""
    exceeded, expected = int(found.exceedances), float(found.expected)
    kupiec, clusters = float(found.kupiec_p), float(found.christoffersen_p)
    told = text.count(exceeded, "exceedance")
    parts = [f"{told}, {text.tenths(expected)} expected: {_fits(exceeded, expected, kupiec)}"]
    if clusters == clusters:
        come = "clustered" if clusters < SIGNIFICANCE else "independent"
        parts.append(f"{come} (Christoffersen p {_p(clusters)})")
    return " · ".join(parts)


def extremes(returns: Floats, buckets: int) -> Places:
    """Return the positions of the lowest and the highest return of each of `buckets` stretches of equal length.

    A line through them looks like the line through all, when it is no wider than `buckets` pixels.
    """
    count = len(returns)
    if count <= 2 * buckets:
        return np.arange(count, dtype=np.intp)
    length = -(-count // buckets)
    padded = np.full(length * -(-count // length), np.nan)
    padded[:count] = returns
    table = padded.reshape(-1, length)
    start = np.arange(len(table)) * length
    low = start + np.argmin(np.where(np.isnan(table), np.inf, table), axis=1)
    high = start + np.argmax(np.where(np.isnan(table), -np.inf, table), axis=1)
    found = np.unique(np.concatenate([[0], low, high, [count - 1]]))
    return found[found < count].astype(np.intp)


def _fits(count: int, expected: float, p: float) -> str:
    if p != p:
        return "too few to test"
    if p >= SIGNIFICANCE:
        return f"fits (Kupiec p {_p(p)})"
    return f"too {'many' if count > expected else 'few'} (Kupiec p {_p(p)})"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else text.number(value, 3 if value < 0.1 else 2)


def _returns(days: Any, returns: Floats) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "lines", "name": "return", "x": texts(days), "y": values(100 * returns, 2),
        "line": {"color": "@series-1/0.7", "width": 0.8}, "hovertemplate": "%{x|%Y-%m-%d}: %{y:.2f} %<extra></extra>",
    }  # fmt: skip


def _warned(days: Any, warned: Floats, one: str, level: str) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "lines", "name": f"VaR {level}, one {one} ahead", "x": texts(days),
        "y": values(-100 * warned, 2), "line": {"color": "@text", "width": 1.3, "shape": "vh"},
        "hovertemplate": f"VaR {level} for %{{x|%Y-%m-%d}}: %{{y:.2f}} %<extra></extra>",
    }  # fmt: skip


def _exceedances(days: Any, returns: Floats) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "markers", "name": "exceedance", "x": texts(days), "y": values(100 * returns, 2),
        "marker": {"color": "@loss", "size": 4},
        "hovertemplate": "%{x|%Y-%m-%d}: %{y:.2f} %, beyond VaR<extra></extra>",
    }  # fmt: skip
