"""The series of an exporter: a table that is searched and paged on the server, and the chart of the one chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dash import html

from core.format import axis_scale, count, cut, number
from core.kinds.scrape.spec import Family, Series, labels_key, told
from core.metrics import unit_of
from dashboard.charts.rules import NO_RULES, RuleLines
from dashboard.charts.theme import SERIES as COLORS
from dashboard.charts.timeseries import Line, line_figure, nice_ceiling
from dashboard.components.choices import choice_button
from dashboard.components.table import Cell, Column, cut_cell, data_table, or_none, whole_cell
from dashboard.kinds.scrape.found import PAGE_ROWS, Found
from storage.clickhouse.reads.series import SeriesData

MOST_LINES = 6
HEIGHT_PX = 260
COLUMNS = (
    Column("metric", "Metric", numeric=False, definition="Its name at the exporter; opens its chart."),
    Column("labels", "Labels", numeric=False),
    Column("kind", "Type", numeric=False),
    Column("value", "Value", definition="At the newest scrape."),
    Column("per_second", "Per second", definition="Counters: since the scrape before."),
    Column("help", "Help", numeric=False),
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The series whose chart is shown: a metric as it is stored, and the key of its labels; empty: all of them."""

    metric: str = ""
    key: str = ""

    def has(self, row: Series) -> bool:
        """Return whether a row is of the chart."""
        return row.stored == self.metric and self.key in ("", row.key)

    def takes(self, data_labels: Sequence[Sequence[str]]) -> bool:
        """Return whether labels are those of the chart."""
        return self.key in ("", labels_key(data_labels))


def table(page: str, found: Found, families: dict[str, Family], wanted: Wanted, exporter: str, typed: str) -> html.Div:
    """Return the rows found with how many there are, and the way to the other pages."""
    rows = [_row(page, row, families.get(row.family), wanted) for row in found.rows]
    nothing = f"None of {count(found.of, 'series', 'series')} matches." if found.of else "Nothing scraped yet."
    drawn = data_table(f"{page}-rows", COLUMNS, rows, caption="Series", nothing=nothing, sortable=False)
    return html.Div([_pager(page, found, exporter, typed), drawn])


def _row(page: str, row: Series, family: Family | None, wanted: Wanted) -> dict[str, Any]:
    opens = choice_button(
        page, {"metric": row.stored, "series": row.key}, row.metric, pressed=wanted.has(row),
        label=f"Chart of {row.metric} {row.told_labels}".strip(),
    )  # fmt: skip
    return {
        "metric": Cell(opens, row.metric),
        "labels": whole_cell(row.told_labels),
        "kind": family.kind if family else None,
        "value": Cell(or_none(_value(row.value)), row.value),
        "per_second": Cell(or_none(_value(row.per_second)) if row.per_second is not None else None, row.per_second),
        "help": cut_cell(family.help) if family else None,
    }


def _value(value: float | None) -> str:
    return number(value) if value is None or float(value).is_integer() else f"{value:.6g}"


def _pager(page: str, found: Found, exporter: str, typed: str) -> html.P:
    """Return which of how many are shown. A page is of what was typed: other words begin with the first."""

    def turn(to: int, sign: str, label: str) -> html.Button:
        return choice_button(page, {"page": page_choice(to, exporter, typed)}, sign, label=label)

    every = count(found.of, "series", "series")
    what = f"{number(found.count)} of {every}" if typed.strip() else every
    if found.count <= PAGE_ROWS:
        return html.P(what, className="fw-nothing", role="status")
    place = f" {found.first}–{found.first + len(found.rows) - 1} of {what} "
    before = [turn(found.page - 1, "‹ before", "Rows before")] if found.page else []
    after = [] if found.is_last else [turn(found.page + 1, "after ›", "Rows after")]
    return html.P([*before, place, *after], className="fw-nothing", role="status")


def page_choice(page: int, exporter: str, typed: str) -> str:
    """Return a page as an address carries it: with what it is a page of."""
    return f"{page} {exporter} {typed}".strip()


def chosen_page(choice: str, exporter: str, typed: str) -> int:
    """Return the page that an address names; the first where it is one of something else."""
    number_text, _, _ = choice.partition(" ")
    is_one = number_text.isdecimal() and len(number_text) < 6
    return int(number_text) if is_one and choice == page_choice(int(number_text), exporter, typed) else 0


def chart(
    metric: str, found: Sequence[SeriesData], span: tuple[float, float], rules: RuleLines = NO_RULES
) -> dict[str, Any]:
    """Return the chart of the series of one metric: at most six, those that are highest now.

    rules: what rules compare it with.
    """
    ordered = sorted(found, key=_last, reverse=True)[:MOST_LINES]
    values = [value for each in ordered for value in each.mean if value is not None]
    lowest, highest = min(values, default=0.0), max(values, default=0.0)
    by, unit = axis_scale(unit_of(metric), max(highest, -lowest))
    names = _names(metric, ordered)
    lines = [
        Line(name, each.ts, [None if value is None else value / by for value in each.mean], COLORS[place])
        for place, (name, each) in enumerate(zip(names, ordered, strict=True))
    ]
    limits = rules.beside((), {metric: [each.labels for each in ordered]}, by)
    top = nice_ceiling(highest / by)
    figure = line_figure(lines, span, unit=unit, top=top, limits=limits, height_px=HEIGHT_PX)
    if lowest < 0:
        figure["layout"]["yaxis"]["range"][0] = lowest / by * 1.1
        figure["layout"]["annotations"] = []  # labels at line ends are laid out from zero on
    figure["layout"]["yaxis"]["ticksuffix"] = f" {unit}" if unit else ""
    figure["layout"]["margin"]["l"] = 60
    return figure


def _names(metric: str, found: Sequence[SeriesData]) -> list[str]:
    """Return what tells the series apart: the labels in which they differ; of one alone the metric."""
    if len(found) == 1:
        return [cut(metric, 64)]
    pairs = [dict(each.labels) for each in found]
    differ = sorted({name for each in pairs for name in each if len({other.get(name) for other in pairs}) > 1})
    return [cut(told((name, each[name]) for name in differ if name in each) or metric, 64) for each in pairs]


def _last(data: SeriesData) -> float:
    return next((value for value in reversed(data.mean) if value is not None), float("-inf"))
