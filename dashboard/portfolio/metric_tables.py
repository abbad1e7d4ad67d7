"""The tables of many figures: every metric side by side, and the fund's parts, a row each."""

from __future__ import annotations

import math
from typing import Any

from dash import html

from analytics.metrics import Metric
from core import format as text
from dashboard.components.choices import choice_button
from dashboard.components.table import Cell, Column, data_table
from dashboard.portfolio.cards import last_title
from dashboard.portfolio.tables import figure, marked, signed
from portfolio.data import Line, PortfolioData
from portfolio.parts import Part, parts
from portfolio.summary import columns, of_family, side_by_side

METRIC_ROWS = "portfolio-metrics-rows"
PART_ROWS = "portfolio-parts-data"
PART_FIGURES = ("total_return", "annual_return", "volatility", "sharpe", "max_drawdown")


def metric_table(data: PortfolioData) -> html.Div:
    """Return every metric of the window, a column a portfolio and one for the benchmark."""
    found = side_by_side(data)
    lines = columns(data)
    heads = [
        Column("metric", "Metric", numeric=False),
        *[Column(f"c{at}", line.name) for at, line in enumerate(lines)],
        Column("group", "Group", numeric=False),
    ]
    rows = [
        {
            "metric": Cell(metric.title, hint=metric.definition),
            **{
                f"c{at}": marked(
                    said(metric, found.of(metric.key, at), data),
                    found.of(metric.key, at),
                    found.reason(metric.key, at),
                    found.remark(metric.key, at),
                    unit=_unit(metric, data),
                )
                for at in range(len(lines))
            },
            "group": Cell(metric.group, tone="muted"),
        }
        for metric in found.metrics
    ]
    table = data_table(METRIC_ROWS, heads, rows, caption="All metrics of the window", sortable=False)
    return html.Div(table, className="fw-metrics")


def said(metric: Metric, value: float, data: PortfolioData) -> str:
    """Return a metric's value as people read it."""
    if not math.isfinite(value):
        return text.NOT_AVAILABLE
    if metric.unit == "percent":
        return text.percent(value)
    if metric.unit == "periods":
        tenths = round(value, 1)
        return f"{text.number(tenths, 0 if tenths == round(tenths) else 1)} {data.counted}"
    if metric.unit == "years":
        return f"{text.number(value, 1)} y"
    if metric.unit == "count":
        return text.number(value)
    return text.ratio(value)


def _unit(metric: Metric, data: PortfolioData) -> str:
    return {"percent": "ratio", "periods": data.counted, "years": "years"}.get(metric.unit, "")


def parts_table(data: PortfolioData) -> html.Div:
    """Return a row a part of the fund: its value and how it did in its own window; its name opens it."""
    listed = parts(data)
    found = of_family(data, [part.line for part in listed], PART_FIGURES)
    heads = [
        Column("name", "Portfolio", numeric=False),
        Column("value", f"Value, {data.family_currency}"),
        Column(
            "share",
            "Share",
            definition="Share of the fund's value; without a fund, of the portfolios listed",
            unit="ratio",
        ),
        Column(
            "day",
            last_title(part.line.cadence.rhythm for part in listed),
            definition="Return since the value before the last",
            unit="ratio",
        ),
        Column("ytd", "YTD", definition="Return since the last value of the year before", unit="ratio"),
        Column("total_return", data.query.window_name, definition="Return in the window", unit="ratio"),
        Column("annual_return", "Annual", definition="Annualised return in the window; n/a below a year", unit="ratio"),
        Column("volatility", "Volatility", unit="ratio"),
        Column("sharpe", "Sharpe"),
        Column("max_drawdown", "Max DD", definition="Maximum drawdown in the window", unit="ratio"),
    ]
    rows = [
        {
            "name": _name(part.line, data),
            "value": _value(part, data.family_currency),
            "share": Cell(text.percent(part.share), part.share),
            "day": signed(part.day_return.value, part.day_return.reason, part.day_return.told),
            "ytd": signed(part.year_to_date.value, part.year_to_date.reason, part.year_to_date.told),
            **{key: figure(found, key, at, "ratio" if key == "sharpe" else "percent") for key in PART_FIGURES},
        }
        for at, part in enumerate(listed)
    ]
    return data_table(PART_ROWS, heads, rows, caption="Portfolios")


def _value(part: Part, currency: str) -> Cell:
    """Return what a part is worth; where there is no rate to the fund's currency, in its own, and that is said."""
    if part.line.currency == currency:
        return Cell(text.money(part.value), part.value, unit=currency)
    hint = f"There is no rate to {currency}: its figures are in {part.line.currency}"
    own = part.line.currency
    return Cell(text.money(part.value, own), part.value, tone="warning", hint=hint, unit=own)


def _name(line: Line, data: PortfolioData) -> Cell:
    assert line.portfolio is not None
    name: Any = line.name
    if line.key != data.own.key:
        name = choice_button("portfolio", {"portfolio": line.key}, line.name)
    return Cell(name, line.name, hint=line.portfolio.note)
