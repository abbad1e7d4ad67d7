"""Charts of execution: slippage and fills over time, slippage by group, the parts of the shortfall, what size costs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from analytics.comparison import Estimate
from core import format as text
from dashboard.charts.days import day_axis
from dashboard.charts.drawn import Drawn, named, still
from dashboard.charts.rows import Row, extent, short, stacked
from dashboard.charts.theme import faded
from portfolio.execution_model import BYS, Execution, Part

MOST_BARS = 14
FEWEST_OF_A_SIZE = 5
"""Orders from which on a size is drawn: the interval of fewer would flatten all others. The fit is of every order."""
PARTS = (
    ("delay", "Delay", "@series-1"), ("impact", "Impact", "@series-2"), ("missed", "Opportunity", "@series-3"),
    ("explicit", "Fees", "@series-4"),
)  # fmt: skip


def over_time(found: Execution, broker: Sequence[Row]) -> Drawn:
    """Return slippage and fill rate by day, week or month, and what the broker's link did meanwhile."""
    days = [str(each.day) for each in found.periods]
    slipped = [each.part.arrival for each in found.periods]
    rates = [_rounded(100 * each.part.fill_ratio, 2) for each in found.periods]
    means = [_rounded(each.value, 2) for each in slipped]
    low, high = extent(means)
    rows = [
        Row(
            height_px=150,
            traces=[_with_interval(days, slipped, "slippage")],
            axis={"ticksuffix": " bp", "nticks": 5, "zeroline": True},
            span=(low, high),
        ),
        Row(
            height_px=90,
            traces=[
                {
                    "type": "scatter", "mode": "lines+markers", "name": "fill rate", "x": days, "y": rates,
                    "line": {"color": "@series-2", "width": 1.2}, "marker": {"size": 4},
                    "hovertemplate": "%{y:.2f} %", "connectgaps": False,
                }
            ],
            axis={"ticksuffix": " %", "nticks": 4},
            span=extent(rates),
            caption="Fill rate, filled over ordered quantity",
        ),
        *broker,
    ]  # fmt: skip
    return Drawn(stacked(rows, _axis(days)), f"slippage against arrival by {found.step}, 95 % intervals")


def by_group(found: Execution) -> Drawn:
    """Return the slippage of each group as a bar with its interval."""
    known = [each for each in found.parts if not math.isnan(each.arrival.value)]
    if not known:
        return Drawn(note="Needs filled orders that told their arrival_price.")
    shown = known[:MOST_BARS]
    names = [short(each.name) for each in shown]
    figure = {
        "data": [
            {
                "type": "bar", "orientation": "h", "name": "slippage", "y": names,
                "x": [_rounded(each.arrival.value, 2) for each in shown],
                "marker": {"color": "@series-1", "opacity": 0.75},
                "error_x": _error([each.arrival for each in shown]),
                "customdata": [_hover(each) for each in shown],
                "hovertemplate": "%{y}: %{x:.2f} bp<br>%{customdata}<extra></extra>",
            }
        ],
        "layout": still(
            {
                "xaxis": {"ticksuffix": " bp", "nticks": 6, "zeroline": True},
                "yaxis": {"type": "category", "autorange": "reversed", "showgrid": False},
                "margin": {"r": 12, "t": 6, "b": 24},
            },
            "execution-by",
        ),
    }  # fmt: skip
    zone = f", {found.zone}" if found.by == "hour" else f", {found.portfolio.currency}" if found.by == "size" else ""
    left = f" · {len(shown)} that traded most of {len(known)}" if len(shown) < len(known) else ""
    return Drawn(figure, f"by {BYS[found.by].lower()}{zone} · against arrival, 95 % intervals{left}")


def shortfall(found: Execution) -> Drawn:
    """Return the parts of the implementation shortfall, and the whole."""
    cost, currency = found.whole.shortfall, found.portfolio.currency
    if not cost.orders:
        return Drawn(note="Needs ended orders that told decision_price and arrival_price.")
    bars = [(title, getattr(cost, name), color) for name, title, color in PARTS]
    bars.append(("Total", cost.total, "@muted"))
    figure = {
        "data": [
            {
                "type": "bar", "name": "shortfall", "x": [title for title, _, _ in bars],
                "y": [_rounded(cost.in_basis_points(value), 3) for _, value, _ in bars],
                "marker": {"color": [color for _, _, color in bars]},
                "customdata": [_rounded(value, 2) for _, value, _ in bars],
                "meta": {"customdata": f"shortfall, {currency}"},
                "text": [text.money(value) for _, value, _ in bars], "textposition": "outside", "cliponaxis": False,
                "hovertemplate": f"%{{x}}: %{{y:.2f}} bp, %{{text}} {currency}<extra></extra>",
            }
        ],
        "layout": still(
            {
                "xaxis": {"type": "category", "showgrid": False},
                "yaxis": {"ticksuffix": " bp", "nticks": 5, "zeroline": True},
                "margin": {"r": 12, "t": 18, "b": 24},
            },
            "execution-shortfall",
        ),
    }  # fmt: skip
    of = text.count(cost.orders, "order")
    return Drawn(figure, f"basis points of the paper value, {currency} beside the bars · {of}")


def impact(found: Execution) -> Drawn:
    """Return what size costs: orders of about one size together, and the fitted curve."""
    fit = found.impact.fit
    if fit is None:
        return Drawn(note=found.impact.why)
    points = [each for each in found.impact.points if each.cost.count >= FEWEST_OF_A_SIZE]
    if not points:
        return Drawn(note=f"Needs {FEWEST_OF_A_SIZE} filled orders of about one size.")
    shares = [float(f"{100 * each.share:.4g}") for each in points]
    figure = {
        "data": [
            {
                "type": "scatter", "mode": "markers", "name": "orders", "x": shares,
                "y": [_rounded(each.cost.value, 2) for each in points],
                "error_y": _error([each.cost for each in points]),
                "marker": {"color": "@series-1", "size": 7},
                "customdata": [text.count(each.cost.count, "order") for each in points],
                "hovertemplate": "%{x:.3g} % of ADV: %{y:.2f} bp<br>%{customdata}<extra></extra>",
            },
            {
                "type": "scatter", "mode": "lines", "name": "fit", "x": shares,
                "y": [_rounded(each.fitted, 2) for each in points],
                "line": {"color": "@series-2", "width": 1.5}, "hovertemplate": "fit %{y:.2f} bp<extra></extra>",
            },
        ],
        "layout": still(
            {
                "xaxis": {
                    "type": "log", "ticksuffix": " %", "tickformat": "~g", "dtick": 1,
                    "title": {"text": "share of the average daily volume"},
                },
                "yaxis": {"ticksuffix": " bp", "nticks": 6, "zeroline": True},
                "margin": {"r": 12, "t": 6, "b": 40},
            },
            "execution-impact",
        ),
    }  # fmt: skip
    reach = f"{text.number(fit.low, 2)} to {text.number(fit.high, 2)}"
    said = (
        f"slippage = {text.number(fit.intercept, 1)} bp + {text.number(fit.coefficient, 2)} σ √(quantity / ADV) · "
        f"coefficient ± {text.number(fit.coefficient_error, 2)}, {reach} at 95 % · R² {text.number(fit.r_squared, 3)}"
    )
    return Drawn(figure, said)


def months(found: Execution) -> Drawn:
    """Return turnover by month, and what commission and fees took of the return."""
    known = [each for each in found.trading.months if not math.isnan(each.turnover)]
    if not known:
        return Drawn(note="Needs the portfolio's net asset value beside its trades.")
    days = [str(each.month.astype("datetime64[D]")) for each in known]
    turned = [_rounded(each.turnover, 4) for each in known]
    drag = [_rounded(each.drag * 10_000, 3) for each in known]
    rows = [
        Row(
            height_px=110,
            traces=[_bars(days, turned, "turnover", "@series-1", "%{y:.2f} × NAV")],
            axis={"ticksuffix": " ×", "nticks": 4, "rangemode": "tozero"}, span=extent(turned),
        ),
        Row(
            height_px=90,
            traces=[_bars(days, drag, "cost drag", "@series-2", "%{y:.2f} bp")],
            axis={"ticksuffix": " bp", "nticks": 4, "rangemode": "tozero"}, span=extent(drag),
            caption="Cost drag, commission and fees over mean NAV",
        ),
    ]  # fmt: skip
    colours = [("turnover, bought and sold over mean NAV", "@series-1"), ("cost drag", "@series-2")]
    return Drawn(stacked(rows, _axis(days) | {"hoverformat": "%Y-%m"}), named(colours, " · by month"))


def _axis(days: Sequence[str]) -> dict[str, Any]:
    """Return the axis of days; it ends where what is beside them ends."""
    axis = day_axis(np.array(days, dtype="datetime64[D]"), "y")
    axis.pop("autorangeoptions", None)
    return axis


def _bars(days: list[str], values: Sequence[float | None], name: str, color: str, hover: str) -> dict[str, Any]:
    return {
        "type": "bar", "name": name, "x": days, "y": list(values), "marker": {"color": color, "opacity": 0.8},
        "hovertemplate": hover, "xperiod": "M1", "xperiodalignment": "middle",
    }  # fmt: skip


def _with_interval(days: list[str], found: Sequence[Estimate], name: str) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "lines+markers", "name": name, "x": days,
        "y": [_rounded(each.value, 2) for each in found], "error_y": _error(found),
        "line": {"color": "@series-1", "width": 1.2}, "marker": {"size": 5}, "connectgaps": False,
        "hovertemplate": "%{y:.2f} bp",
    }  # fmt: skip


def _error(found: Sequence[Estimate]) -> dict[str, Any]:
    """Return error bars from the values to the ends of their intervals; none where there is no interval."""
    return {
        "type": "data", "symmetric": False, "thickness": 1, "width": 3, "color": faded("@text", 0.55),
        "array": [_rounded(each.high - each.value, 2) or 0 for each in found],
        "arrayminus": [_rounded(each.value - each.low, 2) or 0 for each in found],
    }  # fmt: skip


def _hover(each: Part) -> str:
    return f"{text.count(each.arrival.count, 'order')}, {text.money(each.traded)} traded"


def _rounded(value: float, decimals: int) -> float | None:
    return None if np.isnan(value) else round(float(value), decimals)
