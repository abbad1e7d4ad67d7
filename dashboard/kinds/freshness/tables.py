"""The tables of freshness: every watched table, the gaps of the last hour, the instruments that are stale."""

from __future__ import annotations

from typing import Any

from dash import html

from core.format import duration, number
from core.kinds.freshness import spec
from core.kinds.freshness.spec import Checks
from core.model import SEVERITY, Status
from dashboard.components.age import age, local_time
from dashboard.components.card import state_badge
from dashboard.components.table import Cell, Column, cut_cell, data_table, or_none
from dashboard.sources.shown import Shown
from dashboard.sources.table import Field, Rows, words
from status.instances import Instance

RATE_WORDS = f"mean of {duration(spec.RATE_SECONDS)}"
COLUMNS = (
    Column("state", "State", numeric=False),
    Column("name", "Data", numeric=False),
    Column("feed", "Feed", numeric=False),
    Column("table", "Table", numeric=False),
    Column("market", "Market", numeric=False, definition="exchange_calendars: whether it is open now."),
    Column("newest", "Newest row", definition="max(column), as wall time ago."),
    Column("age", "Open age", definition="The same, counted only while the market was open.", unit="s"),
    Column("limits", "Limits", definition="Of the open age: warning and critical."),
    Column("rate", "Rows/min", definition=f"Of those expected; {RATE_WORDS}, whole minutes."),
    Column("hour", "Rows/h", definition="Rows of the last hour."),
    Column("gap", "Longest gap", definition="In the last hour, open time.", unit="s"),
    Column("why", "Why", numeric=False),
)


def feeds(shown: Shown, id: str, title: str) -> html.Div:
    """Return every table with the age of its newest row, those in trouble first."""
    ordered = sorted(shown.chosen, key=lambda each: (-SEVERITY[each.status], each.name))
    return data_table(id, COLUMNS, [_feed(each) for each in ordered], caption=title, nothing="No table is watched.")


def _feed(instance: Instance) -> dict[str, Any]:
    about = instance.first(spec.About)
    return {
        "state": Cell(state_badge(instance.status), SEVERITY[instance.status]),
        "name": instance.name,
        **(_cells(instance, about) if about else {}),
        "why": cut_cell(instance.component.why),
    }


def _cells(instance: Instance, about: spec.About) -> dict[str, Any]:
    old, gap = about.age_seconds, about.longest_gap_seconds
    return {
        "feed": about.feed or None,
        "table": Cell(about.table, hint=about.database),
        "market": _market(about),
        "newest": Cell(age(about.newest, prefix="") if about.newest else None, about.newest),
        "age": Cell(or_none(duration(old)), old, tone=_tone(instance, Checks.AGE)),
        "limits": f"{duration(about.warning_seconds)}, {duration(about.critical_seconds)}",
        "rate": Cell(_rate(about), about.rows_per_minute, tone=_tone(instance, Checks.ROWS)),
        "hour": Cell(number(about.rows_hour), about.rows_hour),
        "gap": Cell(or_none(duration(gap)), gap),
    }


def _tone(instance: Instance, name: Checks) -> str:
    check = instance.check(name)
    return str(check.status) if check and check.status in (Status.WARNING, Status.CRITICAL) else ""


def _rate(about: spec.About) -> str:
    rate, wanted = number(about.rows_per_minute), about.expected_per_minute
    return f"{rate} of {number(wanted)}" if wanted else rate


def _market(about: spec.About) -> Cell:
    if about.is_open:
        return Cell(f"{about.calendar} open")
    closed = f"{about.calendar} closed"
    opens = [" until ", local_time(about.next_open, "span")] if about.next_open else []
    return Cell([closed, *opens], sort=closed)


def _longest_first(row: spec.Gap) -> float:
    return -row.seconds


GAPS = Rows(
    spec.Gap,
    (
        Field("began", "Began", local_time, numeric=False),
        Field("seconds", "Duration", duration, "Open time, whole minutes"),
    ),
    nothing="No minute of the last hour was without a row.",
    sort=_longest_first,
    instance_title="Data",
)


def _oldest_first(row: spec.StaleSymbol) -> float:
    return -row.age_seconds


SYMBOLS = Rows(
    spec.StaleSymbol,
    (
        words("symbol", "Instrument"),
        Field("age_seconds", "Open age", duration, "Since its newest row, open time"),
    ),
    nothing="No stale instrument, or no column of instruments is set.",
    sort=_oldest_first,
    instance_title="Data",
)
