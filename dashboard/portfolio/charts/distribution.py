"""How returns are distributed: a histogram under the normal curve, with value at risk and expected shortfall."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.risk import kurtosis, skewness
from analytics.tails import expected_shortfall, value_at_risk
from core import format as text
from dashboard.charts.drawn import Drawn, still
from portfolio.data import PortfolioData

FEWEST = 20
"""Fewer returns have no shape."""
MOST_BARS = 40
REACH = 7.0
"""Bars reach this many robust deviations from the median: the few returns beyond stand in the outermost bars."""
FREEDMAN_DIACONIS = 0.6
"""Bars are this share as wide as their rule (1981) says, which hides the shape of small samples."""
QUARTILES_APART = 1.349
"""Deviations of a normal distribution between its quartiles."""
CURVE_POINTS = 49
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts by bar. Edges in percent, multiples of the step: no bar holds both gains and losses."""

    edges: Floats
    counts: NDArray[np.int64]
    below: int
    """How many of the first bar lie below its edge."""
    above: int

    @property
    def step(self) -> float:
        """Return the width of a bar in percent."""
        return float(self.edges[1] - self.edges[0])

    @property
    def centres(self) -> Floats:
        """Return the middle of each bar in percent."""
        return self.edges[:-1] + self.step / 2


def distribution(data: PortfolioData) -> Drawn:
    """Return the chart of the window's returns."""
    returns = data.part.returns[~np.isnan(data.part.returns)]
    unit = data.units
    if len(returns) < FEWEST:
        return Drawn(note=f"Needs {FEWEST} {data.frequency_name} returns; the window has {len(returns)}.")
    if np.ptp(returns) == 0:
        return Drawn(note=f"Every return in the window is {text.percent(float(returns[0]))}: there is no distribution.")
    level = data.query.confidence
    loss, shortfall = float(value_at_risk(returns, level)), float(expected_shortfall(returns, level))
    shape = f"skew {text.ratio(float(skewness(returns)))} · excess kurtosis {text.ratio(float(kurtosis(returns)))}"
    found = histogram(100 * returns)
    lines = [(f"VaR {data.query.confidence_name}", loss), ("ES", shortfall)]
    layout = {
        "xaxis": {"ticksuffix": " %", "nticks": 7, "zeroline": True},
        "yaxis": {"title": {"text": unit, "font": {"size": 11}}, "nticks": 4, "rangemode": "tozero"},
        "bargap": 0.06,
        "margin": {"r": 10, "t": 30, "b": 24},
        "meta": {"x": "middle of the bar, %"},
        "shapes": [_line(-100 * value) for _, value in lines],
        "annotations": [_label(name, value, at) for at, (name, value) in enumerate(lines)],
    }
    figure = {"data": [_bars(found, loss, unit), _curve(found, returns)], "layout": still(layout, "distribution")}
    return Drawn(figure, f"{text.number(len(returns))} {unit} · {shape}")


def histogram(percent: Floats) -> Histogram:
    """Return the histogram of returns in percent, of at least two values: 40 bars at most, of a round width."""
    low, middle, high = np.quantile(percent, [0.25, 0.5, 0.75])
    reach = REACH * (high - low) / QUARTILES_APART or np.inf
    start, end = max(percent.min(), middle - reach), min(percent.max(), middle + reach)
    enough = FREEDMAN_DIACONIS * 2 * (high - low) / len(percent) ** (1 / 3)
    step = round_step(max((end - start) / (MOST_BARS - 2), enough))
    first, last = math.floor(start / step), math.floor(end / step) + 1
    edges = step * np.arange(first, last + 1, dtype=np.float64)
    counts, _ = np.histogram(np.clip(percent, edges[0], edges[-1]), edges)
    return Histogram(edges, counts, int((percent < edges[0]).sum()), int((percent > edges[-1]).sum()))


def round_step(width: float) -> float:
    """Return the smallest of 1, 2, 2.5, 5 times a power of ten that is at least `width`."""
    power = 10.0 ** math.floor(math.log10(width))
    return next(float(f"{times * power:.3g}") for times in (1, 2, 2.5, 5, 10) if times * power >= width * (1 - 1e-9))


def _bars(found: Histogram, loss: float, unit: str) -> dict[str, Any]:
    beyond = found.centres < -100 * loss
    edges = [
        f"{low:.3g} … {high:.3g} %".replace("-", "−") for low, high in zip(found.edges, found.edges[1:], strict=False)
    ]
    if found.below:
        edges[0] = f"below {found.edges[1]:.3g} %".replace("-", "−")
    if found.above:
        edges[-1] = f"above {found.edges[-2]:.3g} %".replace("-", "−")
    return {
        "type": "bar",
        "name": unit,
        "x": [round(float(each), 6) for each in found.centres],
        "y": found.counts.tolist(),
        "width": found.step,
        "customdata": edges,
        "marker": {
            "color": ["@loss/0.85" if each else "@series-1/0.85" for each in beyond],
            "line": {"width": 1, "color": "@panel"},
        },
        "hovertemplate": f"%{{customdata}}<br>%{{y}} {unit}<extra></extra>",
    }


def _curve(found: Histogram, returns: Floats) -> dict[str, Any]:
    mean, deviation = 100 * float(returns.mean()), 100 * float(returns.std(ddof=1))
    at = np.linspace(found.edges[0], found.edges[-1], CURVE_POINTS)
    height = (
        len(returns) * found.step * np.exp(-(((at - mean) / deviation) ** 2) / 2) / (deviation * math.sqrt(2 * math.pi))
    )
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "",
        "x": np.round(at, 3).tolist(),
        "y": np.round(height, 1).tolist(),
        "line": {"color": "@muted", "width": 1.3, "dash": "dot", "shape": "spline"},
        "hoverinfo": "skip",
    }


def _line(at: float) -> dict[str, Any]:
    return {
        "type": "line", "x0": round(at, 4), "x1": round(at, 4), "yref": "paper", "y0": 0, "y1": 1.02,
        "line": {"color": "@loss", "width": 1, "dash": "dot"},
    }  # fmt: skip


def _label(name: str, loss: float, number: int) -> dict[str, Any]:
    # The second stands below the first: the two lines are often close.
    return {
        "text": f"{name} {text.percent(loss)}", "x": round(-100 * loss, 4), "xref": "x", "y": 1.02, "yref": "paper",
        "xanchor": "right" if number else "left", "yanchor": "bottom", "xshift": -2 if number else 2,
        "showarrow": False, "font": {"size": 11, "color": "@loss"},
    }  # fmt: skip
