"""What the Portfolio tab fetches when it comes into view, and its metrics as files."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from analytics.metrics import Metric
from core.memo import Memo
from dashboard.components.lazy import lazy
from dashboard.components.markup import markup
from dashboard.export import xlsx
from dashboard.export.csv_file import csv_file, harmless
from dashboard.portfolio.data import Shown, find, read
from dashboard.portfolio.metric_tables import metric_table, parts_table
from dashboard.portfolio.month_table import heat_table
from dashboard.portfolio.summary import columns, side_by_side
from dashboard.portfolio.tables import capture_table, extremes_table
from dashboard.views.route import CSV, HTML, Answer, Route
from dashboard.views.tab import Choices

if TYPE_CHECKING:
    from dash.development.base_component import Component

    from dashboard.frame.viewer import Viewer
    from storage.stores import Stores

PIECES: dict[str, Callable[[Shown], Component]] = {
    "months": heat_table,
    "extremes": extremes_table,
    "captures": capture_table,
    "parts": parts_table,
    "metrics": metric_table,
}
PATH = "/portfolio/piece"
FILE = "/portfolio/metrics"
ASKED_OF = ("portfolio", "benchmark", "window", "from", "to", "frequency", "rf", "asof", "compare")
"""The choices that a piece depends on."""
KEPT = 64


def query(choices: Choices) -> str:
    """Return the query string of the choices that pieces depend on."""
    return Choices.of({name: choices[name] for name in ASKED_OF if name in choices}).query


def place(stores: Stores, choices: Choices, name: str, height: int) -> Component:
    """Return the place of a piece, `height` px high until it is there."""
    return lazy(f"{PATH}/{name}?{query(choices)}", stores.live.version("portfolio"), height)


def routes(stores: Stores) -> list[Route]:
    """Return the routes of the pieces and of the files."""
    memo: Memo[bytes | None] = Memo(KEPT)

    def body(choices: Choices, kind: str, make: Callable[[Shown], bytes]) -> bytes | None:
        def made() -> bytes | None:
            portfolio = find(stores, choices)
            return None if portfolio is None else make(read(stores, portfolio, choices))

        return memo.get((kind, stores.live.version("portfolio"), choices.query), made)

    def piece(choices: Choices, _viewer: Viewer, name: str) -> Answer | None:
        draw = PIECES.get(name)
        found = body(choices, name, lambda shown: markup(draw(shown)).encode()) if draw else None
        return None if found is None else Answer(found, HTML)

    def as_csv(choices: Choices, _viewer: Viewer) -> Answer | None:
        found = body(choices, "csv", metrics_csv)
        return None if found is None else Answer(found, CSV, "metrics.csv")

    def as_workbook(choices: Choices, _viewer: Viewer) -> Answer | None:
        found = body(choices, "xlsx", metrics_workbook)
        return None if found is None else Answer(found, xlsx.MIME, "metrics.xlsx")

    return [Route(f"{PATH}/<name>", piece), Route(f"{FILE}.csv", as_csv), Route(f"{FILE}.xlsx", as_workbook)]


def metrics_csv(shown: Shown) -> bytes:
    """Return every metric in full precision: percents as ratios, an empty cell where there is none."""
    rows = _rows(shown, lambda _metric, value: None if math.isnan(value) else value)
    return csv_file([harmless(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)


def metrics_workbook(shown: Shown) -> bytes:
    """Return every metric as an Excel workbook, with a sheet that says of what."""
    about = [["What", "Value"], *map(list, _about(shown))]
    return xlsx.workbook({"Metrics": _rows(shown, _excel_value), "About": about})


def _rows(shown: Shown, value: Callable[[Metric, float], Any]) -> list[list[Any]]:
    found = side_by_side(shown)
    lines = columns(shown)
    heads = ["Metric", "Group", "Unit", *(line.name for line in lines), "Definition"]
    return [
        heads,
        *(
            [
                metric.title,
                metric.group,
                metric.unit,
                *(value(metric, found.of(metric.key, at)) for at in range(len(lines))),
                metric.definition,
            ]
            for metric in found.metrics
        ),
    ]


def _excel_value(metric: Metric, value: float) -> xlsx.Value:
    if math.isnan(value):
        return None
    if metric.unit == "percent":
        return xlsx.Percent(value)
    return round(value) if metric.unit in ("count", "periods") and value == round(value) else value


def _about(shown: Shown) -> list[tuple[str, str]]:
    part = shown.part.dates
    return [
        ("Portfolio", shown.own.name),
        ("Benchmark", shown.benchmark_name or "none"),
        ("Window", shown.window_name),
        ("First day", str(part[0]) if len(part) else ""),
        ("Last day", str(part[-1]) if len(part) else ""),
        ("As of", str(shown.as_of) if shown.as_of is not None else "newest"),
        ("Returns", shown.frequency_name),
        ("Periods a year", str(shown.periods)),
        ("Risk-free rate, a year", f"{shown.risk_free:.4%}"),
        ("Origin", shown.portfolio.origin),
    ]
