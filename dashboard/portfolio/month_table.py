"""Returns by year and month as a heat table: the number in every cell, colour beside it."""

from __future__ import annotations

import math
from typing import Any

from dash import html

from analytics.calendar import monthly_table
from core import format as text
from dashboard.components.table import Cell, Column, data_table
from portfolio.data import PortfolioData

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
FULL_COLOUR_MONTH = 0.08
FULL_COLOUR_YEAR = 0.24
"""A return of this size or more has the strongest colour."""
NO_DECIMALS = 0.9995
"""A return of this size or more is shown in whole percent: the cells are narrow."""
STEPS = 8
"""Strengths of the colour; each is a class in assets/css/22-tables.css."""


def heat_table(data: PortfolioData) -> html.Div:
    """Return compounded returns by year and month, in percent, newest year first, and the benchmark's by year."""
    daily, other = data.own.daily, data.benchmark
    table = monthly_table(daily.dates, daily.returns)
    beside = monthly_table(other.daily.dates, other.daily.returns) if other else None
    totals = dict(zip(beside.years, beside.totals, strict=True)) if beside else {}
    columns = [
        Column("year", "Year", numeric=False),
        *[Column(f"m{at}", month[0], definition=month, plain=month) for at, month in enumerate(MONTHS)],
        Column("total", "Total", definition="Compounded over the year; the first and the last as far as they go"),
        *(
            [Column("other", "vs", definition=f"{data.benchmark_name} over the same days", plain=data.benchmark_name)]
            if other
            else []
        ),
    ]
    rows: list[dict[str, Any]] = [
        {
            "year": Cell(str(year)),
            **{f"m{at}": _heat(value, FULL_COLOUR_MONTH) for at, value in enumerate(months)},
            "total": _heat(total, FULL_COLOUR_YEAR),
            **({"other": _heat(totals.get(year, math.nan), FULL_COLOUR_YEAR)} if other else {}),
        }
        for year, months, total in zip(table.years, table.months, table.totals, strict=True)
    ]
    body = data_table(
        "portfolio-months-data", columns, rows[::-1], caption="Monthly and yearly returns, percent", sortable=False,
        stack=False, nothing="No month yet: returns begin with the second value.",
    )  # fmt: skip
    return html.Div(body, className="fw-heat")


def _heat(value: float, full: float) -> Cell:
    if not math.isfinite(value):
        return Cell("")
    strength = round(min(abs(value) / full, 1.0) * STEPS)
    return Cell(
        text.number(100 * value, 1 if abs(value) < NO_DECIMALS else 0),
        value,
        hint=text.percent(value, signed=True),
        mark=f"fw-{'gain' if value > 0 else 'loss'}-{strength}" if strength else "",
    )
