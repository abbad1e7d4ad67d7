"""What the tables of PostgreSQL share: how a statement, a count, a time is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dash import html

from core.format import number
from dashboard.sources.shown import Shown
from dashboard.sources.table import Field, source_rows, source_table
from status.instances import Row

ID = "database"
MOST_ROWS = 60

Tone = Callable[[Row], str]


def table_of(
    shown: Shown, name: str, fields: Sequence[Field], caption: str, nothing: str, rows: Sequence[Row] | None = None
) -> html.Div:
    """Return a table of a reading's rows of that name, or of `rows`; `nothing` says what no row means."""
    found = source_rows(shown.chosen, name) if rows is None else rows
    return source_table(f"{ID}-postgresql-{name}-rows", fields, found[:MOST_ROWS], caption=caption, nothing=nothing)


def query_text(text: str) -> html.Span:
    """Return a statement that is cut to the width of its column; the whole of it on hover."""
    said = " ".join(text.split())
    return html.Span(said, className="fw-query", title=said)


def some(count: float) -> str | None:
    """Return a count, nothing for none: what is rarely there is seen at once."""
    return number(count) if count else None


def beyond(key: str, warning: float, critical: float = float("inf")) -> Tone:
    """Return what makes the tone of a row from a value that should stay below `warning` and `critical`."""

    def tone(row: Row) -> str:
        value = row[key] or 0
        return "critical" if value >= critical else "warning" if value >= warning else ""

    return tone
