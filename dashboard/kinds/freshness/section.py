"""The section of freshness of data: the newest rows of each table, against the hours of its market."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html

from core.format import duration
from core.kinds.freshness import spec
from core.kinds.freshness.spec import Checks
from dashboard.kinds.freshness import tables
from dashboard.sources.charts import Chart
from dashboard.sources.section import Section, TablePanel
from dashboard.sources.shown import Shown
from dashboard.sources.strip import first_cards, source_card
from status.instances import Instance
from storage.clickhouse.reads.sources import SourceSeries

FEEDS = "feeds"
MINUTES = f"{spec.RATE_SECONDS / 60:g}"

CHARTS = (
    Chart("age", "Age of the newest row", "open time", {spec.AGE: ""},
          "Now less max(column), counted only while the market is open."),
    Chart("rate", "Rows, per minute", tables.RATE_WORDS, {spec.ROWS_PER_MINUTE: ""},
          f"count() of the {MINUTES} whole minutes before the present one, over {MINUTES}."),
    Chart("gap", "Longest gap of the hour", "open time, whole minutes", {spec.LONGEST_GAP: ""},
          "Longest stretch of the last hour without a row while the market was open."),
)  # fmt: skip


def cards(shown: Shown) -> Sequence[Any]:
    """Return the cards of tables, those in trouble first."""
    panel = SECTION.id(shown.tab, FEEDS)
    return first_cards(shown.chosen, lambda each: _card(each, shown.series), "tables", panel)


def _card(instance: Instance, series: SourceSeries) -> html.Article:
    about, check = instance.first(spec.About), instance.check(Checks.AGE)
    of = f" of {about.table} in open time of {about.calendar}" if about else ""
    return source_card(
        instance,
        duration(instance.value(spec.AGE)),
        "old",
        bar_ratio=check.share if check else None,
        spark=series.one(spec.AGE, instance=instance.name),
        definition=f"Age of the newest row{of}; the bar is its share of the critical age.",
    )


SECTION = Section(
    kind="freshness",
    charts=CHARTS,
    cards=cards,
    tables=(
        TablePanel(FEEDS, "Freshness", "in trouble first", 12,
                   "SELECT minute, count(), max(column) FROM table "
                   f"WHERE column >= now() - {spec.WINDOW_SECONDS} GROUP BY minute.", tables.feeds, is_filtered=True),
        TablePanel("gaps", "Gaps", "of the last hour, longest first", 6, "The same query.", tables.GAPS),
        TablePanel("symbols", "Stale instruments", "older than the critical age", 6,
                   f"SELECT symbol, max(column) FROM table GROUP BY symbol ORDER BY 2 LIMIT {spec.MOST_SYMBOLS}.",
                   tables.SYMBOLS),
    ),
)  # fmt: skip
