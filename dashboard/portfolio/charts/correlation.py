"""Correlation of strategies: every pair of them over the window, and each with the benchmark."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.performance import Track, between_dates, common
from core import format as text
from dashboard.charts.days import on_days
from dashboard.charts.drawn import Drawn, still
from dashboard.charts.rows import short
from portfolio.data import Line, PortfolioData

MOST_NAMES = 20
DENSE = 10
"""More names than this: numbers in hundredths, names at the left alone."""
FEWEST = 20
"""Common returns of a pair; the correlation of fewer is a guess."""
SCALE = ((0, "@series-2/0.65"), (0.4999, "@series-2/0"), (0.5, "@series-1/0"), (1, "@series-1/0.65"))
Floats = NDArray[np.float64]


def correlation(data: PortfolioData) -> Drawn:
    """Return the chart: a heat map with numbers of the strategies, the largest by value when there are many."""
    alike = [line for line in data.family if line.currency == data.family_currency]
    parts = [line for line in alike if len(line.daily) > 1 and line.nav is not None]
    if len(parts) < 2:
        return Drawn(note="Needs two strategies or more.")
    largest = sorted(parts, key=lambda line: -_value(line))[:MOST_NAMES]
    lines = [line for line in parts if line in largest]
    others = [data.benchmark] if data.benchmark is not None and len(lines) < MOST_NAMES else []
    found = _correlations([*lines, *others], data)
    np.fill_diagonal(found, np.nan)
    told = np.logical_not(np.isnan(found).all(axis=1)).reshape(-1)
    if not told.any():
        return Drawn(note=f"Needs two strategies with {FEWEST} {data.units} in common in the window.")
    found = found[np.ix_(told, told)]
    names = _told_apart([short(line.name) for line, is_told in zip([*lines, *others], told, strict=True) if is_told])
    is_dense = len(names) > DENSE
    figure = heat_map(names, found, "correlation")
    left_out = f"the {len(lines)} largest of {len(parts)} · " if len(lines) < len(parts) else ""
    unit = ", in hundredths" if is_dense else ""
    return Drawn(figure, f"{left_out}{data.frequency_name} returns, {data.query.window_name}{unit}")


def heat_map(names: list[str], found: Floats, id: str) -> dict[str, Any]:
    """Return the figure of correlations between `names`, told apart; what is NaN is left blank."""
    is_dense = len(names) > DENSE
    return {
        "data": [
            {
                "type": "heatmap",
                "name": "correlation",
                "x": names,
                "y": names,
                "z": [[None if value != value else round(float(value), 2) for value in row] for row in found],
                "zmin": -1,
                "zmax": 1,
                "colorscale": [list(step) for step in SCALE],
                "showscale": False,
                "xgap": 1,
                "ygap": 1,
                "text": [[_written(value, is_dense) for value in row] for row in found],
                "texttemplate": "%{text}",
                "textfont": {"size": 8 if is_dense else 11, "color": "@text"},
                "hovertemplate": "%{y} and %{x}: %{z:.2f}<extra></extra>",
                "hoverongaps": False,
            }
        ],
        "layout": still(
            {
                "xaxis": {"showgrid": False, "tickangle": -35, "automargin": True, "showticklabels": not is_dense},
                "yaxis": {
                    "showgrid": False,
                    "autorange": "reversed",
                    "zeroline": False,
                    "dtick": 1,
                    "tickfont": {"size": 9 if is_dense else 11},
                },
                "margin": {"r": 8, "t": 6, "b": 8 if is_dense else 24},
            },
            id,
        ),
    }


def correlations(returns: Floats) -> Floats:
    """Return the k × k Pearson correlations of (k, n) returns over the observations a pair shares; NaN below 20."""
    there = ~np.isnan(returns)
    filled = np.where(there, returns, 0.0)
    mask = there.astype(np.float64)
    count = mask @ mask.T
    with np.errstate(divide="ignore", invalid="ignore"):
        one, product = filled @ mask.T, filled @ filled.T
        square = (filled**2) @ mask.T
        covariance = product - one * one.T / count
        spread = square - one**2 / count
        found: Floats = covariance / np.sqrt(spread * spread.T)
    found[(count < FEWEST) | (np.minimum(spread, spread.T) <= 1e-14 * np.maximum(square, square.T))] = np.nan
    return np.clip(found, -1.0, 1.0)


def _written(value: float, in_hundredths: bool) -> str:
    if value != value:
        return ""
    return text.number(100 * float(value)) if in_hundredths else text.ratio(float(value))


def _correlations(lines: list[Line], data: PortfolioData) -> Floats:
    """Return the correlations of the window; a pair that has not the same days is taken on its common ones."""
    days = data.part.dates
    found = correlations(np.stack([_returns(line, days) for line in lines]))
    tracks = [_inside(line, days) for line in lines]
    is_apart = [not np.isin(track.dates, days).all() or _has_gaps(track, days) for track in tracks]
    for one, two in combinations(range(len(lines)), 2):
        if is_apart[one] or is_apart[two]:
            pair = common(tracks[one], tracks[two], data.frequency)
            found[one, two] = found[two, one] = correlations(np.stack([each.returns for each in pair]))[0, 1]
    return found


def _inside(line: Line, days: NDArray[np.datetime64]) -> Track:
    return between_dates(line.whole, days[0], days[-1]) if len(days) else line.part


def _has_gaps(track: Track, days: NDArray[np.datetime64]) -> bool:
    """Return whether a track lacks one of the days between its first and its last."""
    return len(track) > 0 and len(track) != int(((days >= track.dates[0]) & (days <= track.dates[-1])).sum())


def _returns(line: Line, days: NDArray[np.datetime64]) -> Floats:
    found = on_days(line.whole.dates, line.whole.returns, days)
    found[:1] = np.nan
    return found


def _value(line: Line) -> float:
    return float(line.nav.value[-1]) if line.nav is not None and len(line.nav) else 0.0


def _told_apart(names: list[str]) -> list[str]:
    """Return names with a number where two are alike: a category axis would draw them as one."""
    return [f"{name} {names[: at + 1].count(name)}" if names.count(name) > 1 else name for at, name in enumerate(names)]
