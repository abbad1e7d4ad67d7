"""The tables of the Portfolio tab: worst drawdowns, monthly returns as a heat table, the fund's parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from dash import html

from analytics.calendar import monthly_table, to_date
from analytics.drawdown import Episode
from analytics.performance import Track, figures, worst
from dashboard import format as text
from dashboard.components.choices import choice_button
from dashboard.components.table import Cell, Column, data_table
from dashboard.portfolio_data import Shown, key_of

MONTHS = ("J", "F", "M", "A", "M", "J", "J", "A", "S", "O", "N", "D")
WORST = 10
FULL_COLOUR_RETURN = 0.08
"""A month of this size or more has the strongest colour."""
STRONGEST_PERCENT = 55


def drawdown_table(shown: Shown) -> html.Div:
    """Return the deepest drawdowns of the window, deepest first; lengths in calendar days."""
    columns = [
        Column("peak", "Peak", numeric=False, definition="Last day at the top before the fall"),
        Column("trough", "Trough", numeric=False, definition="Deepest day"),
        Column("recovery", "Recovery", numeric=False, definition="First day back at the peak"),
        Column("depth", "Depth", definition="Fall from the peak to the trough"),
        Column("down", "Down", definition="Calendar days from the peak to the trough"),
        Column("back", "Back", definition="Calendar days from the trough to the recovery"),
    ]
    rows = [_drawdown_row(shown.part, episode) for episode in worst(shown.part, WORST)]
    caption = "Worst drawdowns"
    return data_table(
        "portfolio-drawdowns-data",
        columns,
        rows,
        caption=caption,
        nothing="No drawdown: every day was the best so far.",
    )


def _drawdown_row(part: Track, episode: Episode) -> dict[str, Any]:
    peak, trough = part.dates[max(episode.peak, 0)], part.dates[episode.trough]
    recovery = part.dates[episode.recovery] if episode.recovery is not None else None
    down = int((trough - peak).astype(int))
    back = int((recovery - trough).astype(int)) if recovery is not None else None
    return {
        "peak": Cell(str(peak), str(peak)),
        "trough": Cell(str(trough), str(trough)),
        "recovery": Cell(str(recovery) if recovery is not None else "not yet", str(recovery or "9999")),
        "depth": Cell(text.percent(episode.depth), episode.depth),
        "down": Cell(f"{down} d", down),
        "back": Cell("–" if back is None else f"{back} d", back),
    }


def heat_table(shown: Shown) -> html.Div:
    """Return compounded returns by year and month, in percent, newest year first; colour is beside the number."""
    table = monthly_table(shown.whole.dates, shown.whole.returns)
    names = [f"m{month}" for month in range(12)]
    columns = [
        Column("year", "Year", numeric=False),
        *[Column(name, label) for name, label in zip(names, MONTHS, strict=True)],
        Column("total", "Total"),
    ]
    rows = [
        {
            "year": Cell(str(year)),
            **{name: _heat(value) for name, value in zip(names, months, strict=True)},
            "total": _heat(total, scale=3),
        }
        for year, months, total in zip(table.years, table.months, table.totals, strict=True)
    ][::-1]
    body = data_table(
        "portfolio-months-data", columns, rows, caption="Monthly returns, percent", sortable=False, stack=False,
        nothing="No month yet: returns begin with the second value.",
    )  # fmt: skip
    return html.Div(body, className="fw-heat")


def _heat(value: float, scale: float = 1.0) -> Cell:
    if not np.isfinite(value):
        return Cell("")
    strength = min(abs(value) / (FULL_COLOUR_RETURN * scale), 1.0) * STRONGEST_PERCENT
    color = "gain" if value > 0 else "loss"
    style = {"background": f"color-mix(in srgb, var(--fw-{color}) {strength:.0f}%, transparent)"}
    shown = text.number(100 * value, 1)
    return Cell(shown, float(value), hint=text.percent(value, signed=True), style=style if strength >= 1 else None)


def parts_table(shown: Sequence[Shown], chosen: Shown) -> html.Div:
    """Return a row a portfolio: its value and how it did; its name opens it."""
    columns = [
        Column("name", "Portfolio", numeric=False),
        Column("value", "Value"),
        Column("share", "Share", definition="Of the fund's value; of the first portfolio when there is no fund"),
        Column("ytd", "Year", definition="Return since the last value of the year before"),
        Column("window", chosen.window_name, definition="Return in the window"),
        Column("annual", "Annual", definition="Annualised return in the window; n/a below a year"),
        Column("volatility", "Volatility"),
        Column("sharpe", "Sharpe"),
        Column("drawdown", "Max drawdown"),
    ]
    fund = next((each for each in shown if not each.portfolio.parent), shown[0] if shown else None)
    whole = fund.nav.value[-1] if fund and len(fund.nav) else float("nan")
    return data_table(
        "portfolio-parts-data", columns, [_part_row(each, whole, chosen) for each in shown], caption="Portfolios"
    )


def _part_row(each: Shown, whole: float, chosen: Shown) -> dict[str, Any]:
    found = figures(each.part, each.periods)
    value = each.nav.value[-1] if len(each.nav) else float("nan")
    share = value / whole if whole > 0 else float("nan")
    ytd = to_date(each.whole.dates, each.whole.index, "YTD")
    name: Any = each.portfolio.name
    if key_of(each.portfolio) != key_of(chosen.portfolio):
        name = choice_button("portfolio", {"portfolio": key_of(each.portfolio)}, each.portfolio.name)
    return {
        "name": Cell(name, each.portfolio.name, hint=each.portfolio.note),
        "value": Cell(text.money(value), value),
        "share": Cell(text.percent(share), share),
        "ytd": _signed(ytd),
        "window": _signed(found.total),
        "annual": _signed(found.annual),
        "volatility": Cell(text.percent(found.volatility), found.volatility),
        "sharpe": Cell(text.ratio(found.sharpe), found.sharpe),
        "drawdown": Cell(text.percent(found.max_drawdown), found.max_drawdown),
    }


def _signed(value: float) -> Cell:
    tone = "gain" if value > 0 else "loss" if value < 0 else ""
    return Cell(text.percent(value, signed=True), value, tone)
