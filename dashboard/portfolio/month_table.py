"""Returns by year and month as a heat table: the number in every cell, colour beside it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from dash import html

from core import format as text
from dashboard.components.table import Cell, Column, data_table
from dashboard.portfolio.charts.years import returns_by_year
from portfolio.data import PortfolioData
from portfolio.since import Periods, by_period

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
FULL_COLOUR_MONTH = 0.08
FULL_COLOUR_YEAR = 0.24
"""A return of this size or more has the strongest colour."""
NO_DECIMALS = 0.9995
"""A return of this size or more is shown in whole percent: the cells are narrow."""
NO_START = "there is no value at the end of the period before: the history has a gap there"
STEPS = 8
"""Strengths of the colour; each is a class in assets/css/22-tables.css."""


def heat_table(data: PortfolioData) -> html.Div:
    """Return compounded returns by year and month, in percent, newest year first, and the benchmark's by year."""
    own, other = data.told, data.benchmark
    months_by_year = _by_year(by_period(own.daily, own.cadence, "M"))
    totals = returns_by_year(own)
    beside = returns_by_year(other) if other else {}
    columns = [
        Column("year", "Year", numeric=False),
        *[Column(f"m{at}", month[0], definition=month, plain=month, unit="ratio") for at, month in enumerate(MONTHS)],
        Column(
            "total",
            "Total",
            definition="Compounded over the year; the first and the last as far as they go",
            unit="ratio",
        ),
        *(
            [
                Column(
                    "other",
                    "vs",
                    definition=f"Relative return: the year’s return less that of {data.benchmark_name} over the same "
                    "days, in percentage points (arithmetic)",
                    plain=f"Less {data.benchmark_name}",
                    unit="ratio",
                )
            ]
            if other
            else []
        ),
    ]
    rows: list[dict[str, Any]] = [
        {
            "year": Cell(str(year)),
            **{f"m{at}": _heat(months_by_year.get((year, at)), FULL_COLOUR_MONTH) for at in range(12)},
            "total": _heat(total, FULL_COLOUR_YEAR),
            **({"other": _relative(total, beside.get(year), data.benchmark_name)} if other else {}),
        }
        for year, total in totals.items()
    ]
    body = data_table(
        "portfolio-months-data", columns, rows[::-1], caption="Monthly and yearly returns, percent", sortable=False,
        stack=False, nothing="No month yet: returns begin with the second value.",
    )  # fmt: skip
    return html.Div(body, className="fw-heat")


def _by_year(months: Periods) -> dict[tuple[int, int], float]:
    """Return the returns of months by year and month, 0 for January."""
    found = zip(months.numbers.tolist(), months.returns.tolist(), strict=True)
    return {(number // 12 + 1970, number % 12): value for number, value in found}


def _relative(own: float, other: float | None, name: str) -> Cell:
    if other is None:
        return Cell("")
    cell = _heat(own - other, FULL_COLOUR_YEAR)
    return cell if math.isnan(own - other) else replace(cell, hint=f"{name} {text.percent(other, signed=True)}")


def _heat(value: float | None, full: float) -> Cell:
    """Return a cell; without a value an empty one, with one that has no return of its own "n/a"."""
    if value is None:
        return Cell("")
    if not math.isfinite(value):
        return Cell(text.NOT_AVAILABLE, value, hint=NO_START, tone="muted")
    strength = round(min(abs(value) / full, 1.0) * STEPS)
    return Cell(
        text.number(100 * value, 1 if abs(value) < NO_DECIMALS else 0),
        value,
        hint=text.percent(value, signed=True),
        mark=f"fw-{'gain' if value > 0 else 'loss'}-{strength}" if strength else "",
    )
