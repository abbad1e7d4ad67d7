"""Fragments of the Portfolio tab, fetched when they come into view, and its metrics as files."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from access.viewer import EXPORTING_ROLE, Viewer
from analytics.metrics import Metric
from analytics.summary import Summary
from core.csv_file import csv_file, harmless
from core.memo import Memo
from core.roles import Role
from dashboard.components.lazy import lazy
from dashboard.components.markup import markup
from dashboard.export import xlsx
from dashboard.portfolio.metric_tables import metric_table, parts_table
from dashboard.portfolio.month_table import heat_table
from dashboard.portfolio.tables import capture_table, extremes_table
from dashboard.views.route import CSV, HTML, Answer, Route
from dashboard.views.tab import Choices
from portfolio.allowed import Limits, stamp_of
from portfolio.data import Line, PortfolioData
from portfolio.query import FIELDS, PortfolioQuery
from portfolio.reading import read
from portfolio.summary import columns, side_by_side, unit_of

if TYPE_CHECKING:
    from dash.development.base_component import Component

    from storage.stores import Stores

FRAGMENTS: dict[str, Callable[[PortfolioData], Component]] = {
    "months": heat_table,
    "extremes": extremes_table,
    "captures": capture_table,
    "parts": parts_table,
    "metrics": metric_table,
}
PATH = "/portfolio/fragment"
FILE = "/portfolio/metrics"
DEPENDS_ON = tuple(name for name in FIELDS if name != "highlight")
"""The choices that a fragment depends on."""
KEPT = 64


def query_string(choices: Choices) -> str:
    """Return the query string of the choices that fragments depend on."""
    return Choices.of({name: choices[name] for name in DEPENDS_ON if name in choices}).query


def place(stores: Stores, choices: Choices, limits: Limits, name: str, height: int) -> Component:
    """Return the place of a fragment, `height` px high until it is there; fetched again when the limits change."""
    stamp = f"{stores.live.version('portfolio')} {stamp_of(limits)}"
    return lazy(f"{PATH}/{name}?{query_string(choices)}", stamp, height)


def routes(stores: Stores) -> list[Route]:
    """Return the routes of the fragments and of the files."""
    memo: Memo[bytes] = Memo(KEPT)

    def body(choices: Choices, limits: Limits, kind: str, make: Callable[[PortfolioData], bytes]) -> bytes:
        key = (kind, limits, stores.live.version("portfolio"), choices.query)
        return memo.get(key, lambda: make(read(stores, PortfolioQuery.parse(choices)[0], limits)))

    def fragment(choices: Choices, viewer: Viewer, name: str) -> Answer | None:
        draw = FRAGMENTS.get(name)
        if draw is None:
            return None
        return Answer(body(choices, viewer.portfolios, name, lambda data: markup(draw(data)).encode()), HTML)

    def as_csv(choices: Choices, viewer: Viewer) -> Answer:
        return Answer(body(choices, viewer.portfolios, "csv", metrics_csv), CSV, "metrics.csv")

    def as_workbook(choices: Choices, viewer: Viewer) -> Answer:
        return Answer(body(choices, viewer.portfolios, "xlsx", metrics_workbook), xlsx.MIME, "metrics.xlsx")

    return [
        Route(f"{PATH}/<name>", fragment, Role.VIEWER),
        Route(f"{FILE}.csv", as_csv, EXPORTING_ROLE),
        Route(f"{FILE}.xlsx", as_workbook, EXPORTING_ROLE),
    ]


def metrics_csv(data: PortfolioData) -> bytes:
    """Return every metric in full precision: percents of a page as ratios, an empty cell where there is none."""
    rows = _rows(data, lambda _metric, value: None if math.isnan(value) else value)
    return csv_file([harmless(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)


def metrics_workbook(data: PortfolioData) -> bytes:
    """Return every metric as an Excel workbook, with a sheet that says of what."""
    about = [["What", "Value"], *map(list, _about(data))]
    return xlsx.workbook({"Metrics": _rows(data, _excel_value), "About": about})


def _rows(data: PortfolioData, value: Callable[[Metric, float], Any]) -> list[list[Any]]:
    found = side_by_side(data)
    lines = columns(data)
    heads = ["Metric", "Group", "Unit", *(line.name for line in lines), "Definition", "Note"]
    return [
        heads,
        *(
            [
                metric.title,
                metric.group,
                unit_of(metric, data),
                *(value(metric, found.of(metric.key, at)) for at in range(len(lines))),
                metric.definition,
                _note(found, metric.key, lines),
            ]
            for metric in found.metrics
        ),
    ]


def _note(found: Summary, key: str, lines: Sequence[Line]) -> str:
    """Return what must be known beside the figures of a metric and why some are missing, by line."""
    said = {line.name: found.remark(key, at) or found.reason(key, at) for at, line in enumerate(lines)}
    return "; ".join(f"{name}: {words}" for name, words in said.items() if words)


def _excel_value(metric: Metric, value: float) -> xlsx.Value:
    if math.isnan(value):
        return None
    if metric.unit == "percent":
        return xlsx.Percent(value)
    return round(value) if metric.unit in ("count", "periods") and value == round(value) else value


def _about(data: PortfolioData) -> list[tuple[str, str]]:
    part = data.part.dates
    return [
        ("Portfolio", data.own.name),
        ("Benchmark", data.benchmark_name or "none"),
        ("Window", data.query.window_name),
        ("First day", str(part[0]) if len(part) else ""),
        ("Last day", str(part[-1]) if len(part) else ""),
        ("As of", str(data.query.as_of) if data.query.as_of is not None else "newest"),
        ("Returns", data.frequency_name),
        ("Periods a year", f"{data.periods:.4g}"),
        ("Trials", str(data.query.trials)),
        ("VaR confidence", data.query.confidence_name),
        ("Risk-free rate", data.risk_free.said),
        ("Origin", data.portfolio.origin),
    ]
