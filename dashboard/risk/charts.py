"""Charts of risk: what today's book would have gained, the model against what came, correlation, liquidity."""

from __future__ import annotations

from typing import Any

import numpy as np

from analytics.block import Floats
from analytics.calendar import Dates
from analytics.covariance import correlation
from analytics.liquidity import SHARE_OF_VOLUME
from core import format as text
from dashboard.charts.days import day_axis, texts, values
from dashboard.charts.drawn import Drawn, still
from dashboard.portfolio.charts.backtest import verdict
from dashboard.portfolio.charts.correlation import heat_map
from portfolio.book_liquidity import Liquidity
from portfolio.risk import Book, Risk, book_pnl
from portfolio.risk_backtest import WORDS, PastRisk
from portfolio.risk_query import METHODS, Method

YEAR_DAYS = 252
MOST_NAMES = 20


def hypothetical(risk: Risk) -> Drawn:
    """Return the chart of what today's book would have gained on each day of the last year, and its VaR of a day."""
    book, currency = risk.book, risk.book.found.portfolio.currency
    days, pnl = book.returns.days[-YEAR_DAYS:], book_pnl(book)[-YEAR_DAYS:]
    method, var = risk.of_a_day
    said = np.full(len(days), var)
    over = np.flatnonzero(pnl < -var)
    subtitle = (
        f"VaR {risk.query.level_name} of 1 day, {_said(method)}: {text.money(var, currency)} · "
        f"{text.count(len(over), 'day')} of {text.number(len(days))} beyond it"
    )
    return Drawn(_pnl_figure(days, pnl, said, over, currency, "risk-hypothetical"), subtitle)


def back_test(found: PastRisk | None, currency: str) -> Drawn:
    """Return the chart of the P&L of each past day beside the VaR that was to be said of it."""
    if found is None:
        return Drawn(note="Shows the VaR of each past day's book against its profit and loss, once a year's daily "
                          "reports of positions, by all that trade, and prices before them are there.")  # fmt: skip
    over = found.result.positions
    lost = text.percent(found.left_out_ratio)
    beside = f" · {lost} of exposure has no returns: in the P&L, not in the VaR" if found.left_out_ratio else ""
    instead = f", historical on {text.count(found.historical_days, 'day')} without it" if found.historical_days else ""
    made_from = f"{_said(found.method)}{instead}, from {text.count(found.reach, 'day')} before each"
    subtitle = f"{WORDS[found.zone]} · {verdict(found.result)} · {made_from}{beside}"
    figure = _pnl_figure(found.days, found.pnl, found.forecast, over, currency, "risk-back-test")
    return Drawn(figure, subtitle)


def _said(method: Method) -> str:
    return METHODS[method] if method == "cornish_fisher" else METHODS[method].lower()


def correlations(risk: Risk) -> Drawn:
    """Return the heat map of the largest instruments, by value without its sign."""
    book, keys = risk.book, risk.book.returns.keys
    if len(keys) < 2:
        return Drawn(note="Needs two instruments or more.")
    gross = np.bincount(book.columns, np.abs(book.values), len(keys))
    largest = np.argsort(-gross, kind="stable")[:MOST_NAMES]
    found = correlation(risk.matrix)[np.ix_(largest, largest)]
    np.fill_diagonal(found, np.nan)
    names = _names(book, largest.tolist())
    which = f"the {len(names)} largest of {len(keys)} · " if len(keys) > len(names) else ""
    return Drawn(heat_map(names, found, "risk-correlation"), f"{which}daily returns, shrunk (Ledoit-Wolf)")


def liquidity(found: Liquidity) -> Drawn:
    """Return the chart of how much of the book is out within so many days."""
    if not len(found.steps.days) or not np.isfinite(found.steps.share).all():
        return Drawn(note="Shows how fast the book can be sold, once something is held.")
    if found.unknown_ratio >= 1:
        return Drawn(note="The average daily volume of nothing held is known: send it with the instruments.")
    share = 100 * found.steps.share
    names = [text.count(days, "day") for days in found.steps.days.tolist()]
    figure = {
        "data": [
            {
                "type": "bar", "name": "out", "x": names, "y": values(share, 2), "width": 0.6,
                "marker": {"color": "@series-1"}, "text": [text.percent(each / 100) for each in share.tolist()],
                "textposition": "outside", "cliponaxis": False, "textfont": {"color": "@text"},
                "hovertemplate": "within %{x}: %{y:.2f} % of the book<extra></extra>",
            }
        ],
        "layout": still(
            {
                "yaxis": {"range": [0, 112], "ticksuffix": " %", "tickvals": [0, 25, 50, 75, 100]},
                "xaxis": {"showgrid": False, "type": "category"},
                "margin": {"r": 8, "t": 8, "b": 28},
            },
            "risk-liquidity",
        ),
    }  # fmt: skip
    unknown = f" · {text.percent(found.unknown_ratio)} of it has no known volume" if found.unknown_ratio else ""
    return Drawn(figure, f"of gross exposure, at {100 * SHARE_OF_VOLUME:.0f} % of the average daily volume{unknown}")


def _names(book: Book, places: list[int]) -> list[str]:
    """Return symbols, with the currency where two prices of one are held."""
    keys = book.returns.keys
    symbols = [key.instrument for key in keys]
    return [
        f"{keys[at].instrument} {keys[at].currency}" if symbols.count(keys[at].instrument) > 1 else keys[at].instrument
        for at in places
    ]


def _pnl_figure(
    days: Dates, pnl: Floats, var: Floats, over: Any, currency: str, id: str
) -> dict[str, Any]:  # fmt: skip
    decimals = 0 if float(np.nanmax(np.abs(pnl), initial=0.0)) >= 1_000 else 2
    return {
        "data": [
            {
                "type": "bar", "name": "P&L", "x": texts(days), "y": values(pnl, decimals),
                "marker": {"color": "@series-1/0.7", "line": {"width": 0}},
                "hovertemplate": f"%{{x|%Y-%m-%d}}: %{{y:,.{decimals}f}} {currency}<extra></extra>",
            },
            {
                "type": "scatter", "mode": "lines", "name": "−VaR", "x": texts(days), "y": values(-var, decimals),
                "line": {"color": "@text", "width": 1.3, "shape": "hvh"},
                "hovertemplate": f"−VaR: %{{y:,.{decimals}f}} {currency}<extra></extra>",
            },
            {
                "type": "scatter", "mode": "markers", "name": "beyond VaR", "x": texts(days[over]),
                "y": values(pnl[over], decimals), "marker": {"color": "@loss", "size": 6, "symbol": "x"},
                "hovertemplate": f"%{{x|%Y-%m-%d}}: %{{y:,.{decimals}f}} {currency}, beyond VaR<extra></extra>",
            },
        ],
        "layout": {
            "xaxis": day_axis(days, "y") | {"nticks": 6}, "yaxis": {"nticks": 5, "title": {"text": currency}},
            "margin": {"r": 12, "t": 6, "b": 34}, "hovermode": "closest", "dragmode": False, "uirevision": id,
            "bargap": 0.15, "showlegend": False,
        },
    }  # fmt: skip
