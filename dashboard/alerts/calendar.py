"""The maintenance of the next two weeks, opening by opening, whatever the clocks do meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from dash import html

from core.alerts.matchers import written
from core.alerts.silence import Span, Window
from core.format import coarse_duration, count
from dashboard.alerts.parts import ahead
from dashboard.alerts.silence_forms import ID
from dashboard.components.age import local_time
from dashboard.components.table import Cell, Column, data_table, whole_cell

AHEAD_SECONDS = 14 * 86_400.0
MOST_OF_ONE = 400
"""Openings of a window that are looked for: one each hour has 336 in two weeks."""
MOST_SHOWN = 60
_COLUMNS = (
    Column("begins", "Opens", numeric=False),
    Column("ends", "Closes", numeric=False),
    Column("lasts", "Lasts", unit="s"),
    Column("name", "Maintenance", numeric=False),
    Column("there", "By its own zone", numeric=False, definition="As the clocks of its time zone show it then"),
    Column("matchers", "Which alerts", numeric=False),
)


def openings(windows: Sequence[Window], now: float, until: float) -> list[tuple[Span, Window]]:
    """Return when these are open from now, or begin before `until` (epoch seconds), the soonest first."""
    found = [(span, each) for each in windows for span in islice(each.spans(now, until), MOST_OF_ONE)]
    return sorted(found, key=lambda each: (each[0].begins, each[1].id))


def calendar_table(windows: Sequence[Window], now: float) -> html.Div:
    """Return a row an opening of the next two weeks; one that is open now stands first."""
    found = openings(windows, now, now + AHEAD_SECONDS)
    rows = [_row(span, window, now) for span, window in found[:MOST_SHOWN]]
    nothing = "No maintenance within 14 days."
    table = data_table(f"{ID}-calendar-rows", _COLUMNS, rows, caption="The next 14 days", nothing=nothing)
    if len(found) <= MOST_SHOWN:
        return table
    return html.Div([table, html.P(f"And {count(len(found) - MOST_SHOWN, 'later opening')}.", className="fw-nothing")])


def _row(span: Span, window: Window, now: float) -> dict[str, Any]:
    is_open = span.begins <= now
    begins: list[Any] = [local_time(span.begins), " · ", "● open now" if is_open else ahead(span.begins, now)]
    return {
        "begins": Cell(html.Span(begins), sort=span.begins, tone="ok" if is_open else ""),
        "ends": Cell(local_time(span.ends), sort=span.ends),
        "lasts": Cell(coarse_duration(span.ends - span.begins), sort=span.ends - span.begins),
        "name": Cell(f"{window.name} ({window.id})", mark="fw-wraps"),
        "there": _there(span, window.zone) if window.zone else None,
        "matchers": whole_cell(written(window.matchers)),
    }


def _there(span: Span, zone: str) -> str:
    begins, ends = (datetime.fromtimestamp(at, ZoneInfo(zone)) for at in (span.begins, span.ends))
    return f"{begins:%a %H:%M}–{ends:%H:%M} {ends:%Z}"
