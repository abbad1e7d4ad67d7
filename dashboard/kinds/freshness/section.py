"""Freshness of data on the pipeline tab: the newest rows of each table, against the hours of its market."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html

from core.format import NOT_AVAILABLE, duration, number
from core.model import SEVERITY
from dashboard.components.age import age, local_time
from dashboard.components.card import state_badge
from dashboard.components.table import Cell, Column, data_table
from dashboard.sources.charts import Chart
from dashboard.sources.section import OldPanel, old_section
from dashboard.sources.shown import Shown
from dashboard.sources.strip import first_cards, source_card
from dashboard.sources.table import LONGEST_TEXT, Field, source_rows, source_table, words
from status.instances import Instance, Row
from storage.clickhouse.reads.sources import SourceSeries

KIND = "freshness"
ROWS_ID, GAPS_ID, SYMBOLS_ID = (f"pipeline-freshness-{name}-rows" for name in ("feeds", "gaps", "symbols"))
PANEL = "pipeline-sources-freshness-feeds"

CHARTS = (
    Chart("freshness-age", "Age of the newest row", "open time", {"freshness_age_seconds": ""},
          "Now less max(column), counted only while the market is open."),
    Chart("freshness-rate", "Rows, per minute", "mean of five minutes", {"freshness_rows_per_minute": ""},
          "count() of the five whole minutes before the present one, over five."),
    Chart("freshness-gap", "Longest gap of the hour", "open time, whole minutes", {"freshness_gap_seconds": ""},
          "Longest stretch of the last hour without a row while the market was open."),
)  # fmt: skip
COLUMNS = (
    Column("state", "State", numeric=False),
    Column("name", "Data", numeric=False),
    Column("feed", "Feed", numeric=False),
    Column("table", "Table", numeric=False),
    Column("market", "Market", numeric=False, definition="exchange_calendars: whether it is open now."),
    Column("newest", "Newest row", definition="max(column), as wall time ago."),
    Column("age", "Open age", definition="The same, counted only while the market was open."),
    Column("limits", "Limits", definition="Warning and critical."),
    Column("rate", "Rows/min", definition="Mean of five whole minutes, of those expected."),
    Column("hour", "Rows/h", definition="Rows of the last hour."),
    Column("gap", "Longest gap", definition="In the last hour, open time."),
    Column("why", "Why", numeric=False),
)


def cards(shown: Shown) -> Sequence[Any]:
    """Return the cards of tables, those in trouble first."""
    return first_cards(shown.chosen, lambda each: _card(each, shown.series), "tables", PANEL)


def _card(instance: Instance, series: SourceSeries) -> html.Article:
    about = instance.about
    return source_card(
        instance,
        duration(instance.value("freshness_age_seconds")),
        "old",
        bar_ratio=getattr(instance.check("age"), "share", None),
        spark=series.one("freshness_age_seconds", instance=instance.name),
        definition=f"Age of the newest row of {about.get('table', '')} in open time of {about.get('calendar', '')}; "
        "the bar is its share of the critical age.",
    )


def feeds(shown: Shown) -> html.Div:
    """Return every table with the age of its newest row, those in trouble first."""
    ordered = sorted(shown.chosen, key=lambda each: (-SEVERITY[each.status], each.name))
    nothing = "No table is watched."
    return data_table(ROWS_ID, COLUMNS, [_feed(each) for each in ordered], caption="Freshness", nothing=nothing)


def _feed(instance: Instance) -> Row:
    about = instance.about
    rate, wanted, newest = about.get("rows_per_minute"), about.get("expected_per_minute"), about.get("newest")
    old, gap, why = about.get("age_seconds"), about.get("longest_gap_seconds"), instance.component.why
    tone = {"critical": "critical", "warning": "warning"}.get(str(getattr(instance.check("age"), "status", None)), "")
    return {
        "state": Cell(state_badge(instance.status), SEVERITY[instance.status]),
        "name": instance.name,
        "feed": about.get("feed") or None,
        "table": Cell(about.get("table"), hint=str(about.get("database", ""))),
        "market": _market(about),
        "newest": Cell(age(newest, prefix="") if newest else None, newest),
        "age": Cell(_text(duration(old)), old, tone=tone),
        "limits": f"{duration(about['warning_seconds'])}, {duration(about['critical_seconds'])}" if about else None,
        "rate": Cell(
            f"{number(rate)} of {number(wanted)}" if wanted and rate is not None else _text(number(rate)), rate,
            tone="warning" if getattr(instance.check("rows"), "status", None) == "warning" else "",
        ),
        "hour": Cell(_text(number(about.get("rows_hour"))), about.get("rows_hour")),
        "gap": Cell(_text(duration(gap)), gap),
        "why": Cell(why) if len(why) <= LONGEST_TEXT else Cell(f"{why[: LONGEST_TEXT - 1]}…", hint=why),
    }  # fmt: skip


def _market(about: Row) -> Cell:
    name = about.get("calendar")
    if not name or about.get("is_open"):
        return Cell(f"{name} open" if name else None)
    opens = about.get("next_open")
    return Cell([f"{name} closed", *([" until ", local_time(opens, "span")] if opens else [])], sort=f"{name} closed")


def gaps(shown: Shown) -> html.Div:
    """Return the gaps of the last hour, longest first."""
    fields = (
        words("data", "Data"),
        Field("began", "Began", local_time, numeric=False),
        Field("seconds", "Lasted", duration, "Open time, whole minutes"),
    )
    rows = [
        {**row, "data": row["source"].partition(":")[2], "source": KIND} for row in source_rows(shown.chosen, "gaps")
    ]
    rows.sort(key=lambda row: -row["seconds"])
    return source_table(GAPS_ID, fields, rows, caption="Gaps", nothing="No minute of the last hour was without a row.")


def symbols(shown: Shown) -> html.Div:
    """Return the instruments without news, longest first."""
    fields = (
        words("data", "Data"),
        words("symbol", "Instrument"),
        Field("age_seconds", "Open age", duration, "Since its newest row, open time"),
    )
    rows = [
        {**row, "data": row["source"].partition(":")[2], "source": KIND} for row in source_rows(shown.chosen, "symbols")
    ]
    return source_table(
        SYMBOLS_ID, fields, rows, caption="Stale instruments", nothing="None is stale, or none asked for."
    )


def _text(shown: str) -> str | None:
    return None if shown == NOT_AVAILABLE else shown


SECTION = old_section(
    KIND,
    CHARTS,
    cards,
    {"freshness-feeds": feeds, "freshness-gaps": gaps, "freshness-symbols": symbols},
    (
        OldPanel("freshness-feeds", "Freshness", "in trouble first", 12,
                   "SELECT minute, count(), max(column) FROM table WHERE column >= now() - 3600 GROUP BY minute.",
                   ROWS_ID),
        OldPanel("freshness-gaps", "Gaps", "of the last hour, longest first", 6, "The same query."),
        OldPanel("freshness-symbols", "Stale instruments", "older than the critical age", 6,
                   "SELECT symbol, max(column) FROM table GROUP BY symbol ORDER BY 2 LIMIT 50."),
    ),
)  # fmt: skip
